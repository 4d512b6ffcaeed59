"""What makes an analysis start or stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, post_save
from django.dispatch import receiver

from correlation import queue
from correlation.changes import late as late_changes
from correlation.data_sources.catalogue import follow_environment
from incidents import signals
from incidents.models import AlertOccurrence, ChangeEvent, Incident


@receiver(post_save, sender=Incident, dispatch_uid="correlation.queue_analysis")
def queue_analysis(instance: Incident, created: bool, raw: bool, **kwargs: Any) -> None:
    """Incidents of the past are analysed when somebody asks for it."""
    if created and not raw and instance.source != Incident.Source.BACKFILL:
        queue.request(incident_id=instance.pk, reason="opened")


@receiver(post_migrate, dispatch_uid="correlation.seed_data_sources")
def seed_data_sources(sender: AppConfig, using: str, **kwargs: Any) -> None:
    if sender.name == "correlation" and "correlation_datasource" in _tables(using):
        follow_environment()


@receiver(signals.occurrences_joined, dispatch_uid="correlation.queue_for_alerts")
def queue_for_alerts(
    incident: Incident, occurrences: Sequence[AlertOccurrence], opened: bool, **kwargs: Any
) -> None:
    """Each newcomer asks for another look, those of a flapping series excepted."""
    if not opened and any(o.alert.flapping_since is None for o in occurrences):
        queue.request(incident_id=incident.pk, reason="alert")


@receiver(signals.service_linked, dispatch_uid="correlation.queue_for_service")
def queue_for_service(incident: Incident, actor: Any, **kwargs: Any) -> None:
    queue.request(incident_id=incident.pk, reason="requested", requested_by=actor)


@receiver(signals.change_recorded, dispatch_uid="correlation.queue_for_change")
def queue_for_change(change: ChangeEvent, **kwargs: Any) -> None:
    late_changes.analyse_again(change)


@receiver(signals.resolving, dispatch_uid="correlation.close_running")
def close_running(incident: Incident, **kwargs: Any) -> None:
    """What runs is cut short; a last run looks at all there is until this moment.

    A backfilled incident that nobody had analysed has none.
    """
    queue.cancel(incident.pk, "The incident was resolved.")
    if incident.source != Incident.Source.BACKFILL or incident.analyses.exists():
        queue.request(incident_id=incident.pk, reason="resolution")


@receiver(signals.merged, dispatch_uid="correlation.analyse_survivor")
def analyse_survivor(incident: Incident, target: Incident, **kwargs: Any) -> None:
    """What runs on the source is cut short: its survivor is looked at with all they know."""
    queue.cancel(incident.pk, f"{incident.reference} was merged into {target.reference}.")
    queue.request(incident_id=target.pk, reason="merge")


@receiver(signals.unmerged, dispatch_uid="correlation.analyse_both")
def analyse_both(incident: Incident, target: Incident, **kwargs: Any) -> None:
    for one in (incident, target):
        if not one.is_resolved:
            queue.request(incident_id=one.pk, reason="unmerge")


def _tables(using: str) -> list[str]:
    with connections[using].cursor() as cursor:
        return connections[using].introspection.table_names(cursor)
