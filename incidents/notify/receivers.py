"""Which changes of an incident are told; inside the transactions that make them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from incidents import signals
from incidents.models import FieldChange, Incident, IncidentMerge, IncidentRole, Pulse, StatusChange
from incidents.notify import changes


@receiver(post_save, sender=StatusChange, dispatch_uid="notify.status_change")
def status_change(instance: StatusChange, created: bool, raw: bool, **kwargs: Any) -> None:
    if created and not raw:
        changes.status_changed(instance)


@receiver(post_save, sender=FieldChange, dispatch_uid="notify.field_change")
def field_change(instance: FieldChange, created: bool, raw: bool, **kwargs: Any) -> None:
    if created and not raw:
        changes.field_changed(instance)


@receiver(signals.merged, dispatch_uid="notify.merged")
def merged(incident: Incident, target: Incident, merge: IncidentMerge, **kwargs: Any) -> None:
    changes.merged(incident, target, merge)


@receiver(signals.unmerged, dispatch_uid="notify.unmerged")
def unmerged(incident: Incident, target: Incident, merge: IncidentMerge, **kwargs: Any) -> None:
    changes.unmerged(incident, target, merge)


@receiver(signals.heartbeat_changed, dispatch_uid="notify.heartbeat_changed")
def heartbeat_changed(
    incident: Incident, pulse: Pulse, stopped: bool, beat_at: datetime, **kwargs: Any
) -> None:
    changes.heartbeat_changed(incident, pulse, stopped, beat_at)


@receiver(signals.cause_identified, dispatch_uid="notify.cause_identified")
def cause_identified(
    incident: Incident, key: str, title: str, service: str, confidence: float, **kwargs: Any
) -> None:
    changes.cause_identified(incident, key, title, service, confidence)


@receiver(signals.postmortem_published, dispatch_uid="notify.postmortem_published")
def postmortem_published(incident: Incident, postmortem: Any, actor: Any, **kwargs: Any) -> None:
    changes.postmortem_published(incident, str(postmortem.pk), actor)


@receiver(signals.role_changed, dispatch_uid="notify.role_changed")
def role_changed(
    incident: Incident, role: IncidentRole, actor: Any, ended: bool, **kwargs: Any
) -> None:
    if not ended:
        changes.role_assigned(incident, role, actor)
