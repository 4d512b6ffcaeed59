"""What other apps do that belongs on the timeline; all inside their transactions."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.models.signals import post_migrate, post_save
from django.dispatch import receiver

from incidents import signals
from incidents.models import Alert, AlertOccurrence, FieldChange, Incident, StatusChange
from timeline import narrate, triggers


@receiver(post_save, sender=StatusChange, dispatch_uid="timeline.status_change")
def status_change(instance: StatusChange, created: bool, raw: bool, **kwargs: Any) -> None:
    if created and not raw:
        narrate.status_change(instance)


@receiver(post_save, sender=FieldChange, dispatch_uid="timeline.field_change")
def field_change(instance: FieldChange, created: bool, raw: bool, **kwargs: Any) -> None:
    if created and not raw:
        narrate.field_change(instance)


@receiver(signals.sealing, dispatch_uid="timeline.close")
def close(incident: Incident, actor: Any, **kwargs: Any) -> None:
    narrate.close(incident, actor)


@receiver(signals.reopened, dispatch_uid="timeline.reopening")
def reopening(incident: Incident, actor: Any, reason: str, **kwargs: Any) -> None:
    narrate.reopening(incident, actor, reason)


@receiver(signals.merged, dispatch_uid="timeline.merging")
def merging(incident: Incident, target: Incident, merge: Any, **kwargs: Any) -> None:
    narrate.merging(incident, target, merge)


@receiver(signals.occurrence_joined, dispatch_uid="timeline.alert_firing")
def alert_firing(
    incident: Incident, occurrence: AlertOccurrence, alert: Alert, **kwargs: Any
) -> None:
    narrate.alert_firing(incident, alert, occurrence)


@receiver(signals.occurrence_resolved, dispatch_uid="timeline.alert_resolved")
def alert_resolved(
    incident: Incident, occurrence: AlertOccurrence, alert: Alert, **kwargs: Any
) -> None:
    narrate.alert_resolved(incident, alert, occurrence)


@receiver(post_migrate, dispatch_uid="timeline.install_triggers")
def install_triggers(sender: Any, using: str, **kwargs: Any) -> None:
    if sender.name == "timeline":
        triggers.install(connections[using])
