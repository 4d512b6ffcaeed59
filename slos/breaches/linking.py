"""Which incident a breach belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from incidents.models import AffectedService, AlertOccurrence, AlertSource, Impact, Incident, Status
from slos.models import SLOBreach


def place(breaches: Sequence[SLOBreach]) -> None:
    """Give new rows, not saved yet, the active incident of their service, if there is one.

    Of several the one whose primary service it is, then the oldest.
    """
    if not breaches:
        return
    by_service = _active(breach.slo.service_id for breach in breaches)
    for breach in breaches:
        breach.incident_id = by_service.get(breach.slo.service_id)


def link_incident(incident: Incident) -> int:
    """Give the incident the breaches of its services that nobody has and that went on in its
    time; how many."""
    until = incident.resolved_at or timezone.now()
    return SLOBreach.objects.filter(
        Q(ended_at=None) | Q(ended_at__gte=incident.started_at),
        incident=None,
        slo__service__in=incident.affected.values("service"),
        started_at__lte=until,
    ).update(incident=incident)


def link_alerts(incident: Incident, occurrences: Sequence[AlertOccurrence]) -> int:
    """Breaches go where their alerts went; how many. `alert` of each is loaded."""
    linked = 0
    for occurrence in occurrences:
        labels = occurrence.alert.labels
        if occurrence.alert.source.kind != AlertSource.Kind.INTERNAL or "slo" not in labels:
            continue
        linked += (
            SLOBreach.objects.filter(
                Q(ended_at=None) | Q(ended_at__gte=occurrence.started_at),
                slo__name=labels["slo"],
                policy=labels.get("policy", ""),
                started_at__gte=occurrence.claimed_started_at,
            )
            .exclude(incident=incident)
            .update(incident=incident)
        )
    return linked


def _active(services: Iterable[UUID]) -> dict[UUID, UUID]:
    """{service: the active incident that has it}."""
    rows = (
        AffectedService.objects.filter(service__in=set(services), incident__merged_into=None)
        .exclude(incident__status=Status.RESOLVED)
        .order_by("incident__started_at", "incident__number")
        .values_list("service", "incident", "impact")
    )
    found: dict[UUID, UUID] = {}
    for wanted in (True, False):
        for service, incident, impact in rows:
            if (impact == Impact.PRIMARY) is wanted:
                found.setdefault(service, incident)
    return found
