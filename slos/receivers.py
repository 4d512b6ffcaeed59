"""What of an incident makes its SLOs and its impact be looked at anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from incidents import signals
from incidents.models import AlertOccurrence, Incident
from slos.breaches import linking
from slos.impacts import freezing, waking


@receiver(post_save, sender=Incident, dispatch_uid="slos.assess_new")
def assess_new(instance: Incident, created: bool, raw: bool, **kwargs: Any) -> None:
    """What sources held when an incident of the past happened is seldom still there."""
    if created and not raw and instance.source != Incident.Source.BACKFILL:
        waking.wake(instance.pk)


@receiver(signals.analysis_finished, dispatch_uid="slos.assess_analysed")
def assess_analysed(incident: Incident, **kwargs: Any) -> None:
    if not incident.is_resolved:
        waking.wake(incident.pk)


@receiver(signals.occurrences_joined, dispatch_uid="slos.link_alerts")
def link_alerts(incident: Incident, occurrences: Sequence[AlertOccurrence], **kwargs: Any) -> None:
    linking.link_alerts(incident, occurrences)


@receiver(signals.resolving, dispatch_uid="slos.freeze_impact")
def freeze_impact(incident: Incident, **kwargs: Any) -> None:
    freezing.freeze(incident)


@receiver(signals.reopened, dispatch_uid="slos.thaw_impact")
def thaw_impact(incident: Incident, **kwargs: Any) -> None:
    freezing.thaw(incident)
    waking.wake(incident.pk)


@receiver(signals.merged, dispatch_uid="slos.assess_survivor")
def assess_survivor(incident: Incident, target: Incident, **kwargs: Any) -> None:
    freezing.freeze(incident)
    waking.wake(target.pk)


@receiver(signals.unmerged, dispatch_uid="slos.assess_both")
def assess_both(incident: Incident, target: Incident, **kwargs: Any) -> None:
    freezing.thaw(incident)
    for one in (incident, target):
        if not one.is_resolved:
            waking.wake(one.pk)


@receiver(signals.edited, dispatch_uid="slos.assess_edited")
def assess_edited(incident: Incident, fields: Sequence[str], **kwargs: Any) -> None:
    if {"services", "started_at"}.intersection(fields):
        waking.wake(incident.pk)
