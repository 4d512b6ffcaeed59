"""What other apps do that belongs on the timeline; all inside their transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections
from django.db.models.signals import post_migrate, post_save, pre_migrate
from django.dispatch import receiver

from incidents import signals
from incidents.models import AlertOccurrence, FieldChange, Incident, StatusChange
from timeline import (
    narrate,
    narrate_alerts,
    narrate_merges,
    narrate_notifications,
    narrate_people,
    narrate_postmortems,
    triggers,
)
from timeline.postmortems.models import Postmortem, PostmortemStep
from timeline.reporting import queue as reports


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


@receiver(signals.sealing, dispatch_uid="timeline.queue_report")
def queue_report(incident: Incident, **kwargs: Any) -> None:
    """An incident of the past has its report when somebody asks for it."""
    if incident.source != Incident.Source.BACKFILL:
        reports.request(incident_id=incident.pk)


@receiver(signals.reopened, dispatch_uid="timeline.drop_report")
def drop_report(incident: Incident, **kwargs: Any) -> None:
    reports.drop(incident.pk, "The incident was reopened before it was written.")


@receiver(signals.reopened, dispatch_uid="timeline.reopening")
def reopening(incident: Incident, actor: Any, reason: str, **kwargs: Any) -> None:
    narrate.reopening(incident, actor, reason)


@receiver(signals.merged, dispatch_uid="timeline.merging")
def merging(incident: Incident, target: Incident, merge: Any, **kwargs: Any) -> None:
    narrate_merges.merging(incident, target, merge)


@receiver(signals.unmerged, dispatch_uid="timeline.unmerging")
def unmerging(incident: Incident, target: Incident, merge: Any, **kwargs: Any) -> None:
    narrate_merges.unmerging(incident, target, merge)


@receiver(signals.merge_proposed, dispatch_uid="timeline.merge_proposed")
def merge_proposed(proposal: Any, **kwargs: Any) -> None:
    narrate_merges.merge_proposal(proposal, actor=None)


@receiver(signals.merge_dismissed, dispatch_uid="timeline.merge_dismissed")
def merge_dismissed(proposal: Any, actor: Any, **kwargs: Any) -> None:
    narrate_merges.merge_proposal(proposal, actor=actor)


@receiver(signals.occurrences_joined, dispatch_uid="timeline.alerts_firing")
def alerts_firing(
    incident: Incident, occurrences: Sequence[AlertOccurrence], opened: bool, **kwargs: Any
) -> None:
    narrate_alerts.maintenance(incident, occurrences)
    narrate.alerts_firing(incident, narrate_alerts.news(occurrences, opened=opened))


@receiver(signals.occurrences_resolved, dispatch_uid="timeline.alerts_resolved")
def alerts_resolved(
    incident: Incident, occurrences: Sequence[AlertOccurrence], **kwargs: Any
) -> None:
    narrate.alerts_resolved(incident, narrate_alerts.news(occurrences))


@receiver(signals.alert_marked, dispatch_uid="timeline.alert_marked")
def alert_marked(
    incident: Incident, occurrence: AlertOccurrence, mark: Any, detail: str, at: Any, **kwargs: Any
) -> None:
    narrate_alerts.marked(incident, occurrence, mark, detail, at)


@receiver(signals.heartbeat_changed, dispatch_uid="timeline.heartbeat_changed")
def heartbeat_changed(
    incident: Incident, pulse: Any, stopped: bool, beat_at: Any, **kwargs: Any
) -> None:
    narrate_alerts.heartbeat(incident, pulse, stopped, beat_at)


@receiver(signals.role_changed, dispatch_uid="timeline.role_changed")
def role_changed(
    incident: Incident, role: Any, user: Any, actor: Any, ended: bool, **kwargs: Any
) -> None:
    narrate_people.role_changed(incident, role, user, actor, ended)


@receiver(signals.task_changed, dispatch_uid="timeline.task_changed")
def task_changed(incident: Incident, task: Any, actor: Any, what: Any, **kwargs: Any) -> None:
    narrate_people.task_changed(incident, task, actor, what)


@receiver(signals.notification_finished, dispatch_uid="timeline.notification_finished")
def notification_finished(incident: Incident, delivery: Any, **kwargs: Any) -> None:
    narrate_notifications.finished(incident, delivery)


@receiver(post_save, sender=Postmortem, dispatch_uid="timeline.postmortem_drafted")
def postmortem_drafted(instance: Postmortem, created: bool, raw: bool, **kwargs: Any) -> None:
    if created and not raw:
        narrate_postmortems.drafted(instance)


@receiver(post_save, sender=PostmortemStep, dispatch_uid="timeline.postmortem_step")
def postmortem_step(instance: PostmortemStep, created: bool, raw: bool, **kwargs: Any) -> None:
    if created and not raw:
        narrate_postmortems.step(instance)


@receiver(pre_migrate, dispatch_uid="timeline.lift_triggers")
def lift_triggers(sender: Any, using: str, **kwargs: Any) -> None:
    if sender.name == "timeline":
        triggers.lift_for_migration(connections[using])


@receiver(post_migrate, dispatch_uid="timeline.install_triggers")
def install_triggers(sender: Any, using: str, **kwargs: Any) -> None:
    if sender.name == "timeline":
        triggers.install(connections[using])
