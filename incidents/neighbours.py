"""Is the newcomer the failure next door? The open incident of a service that calls this one, or
that it calls, when both began within minutes of each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from incidents.models import AffectedService, Impact, Incident, Service, ServiceDependency


@dataclass(frozen=True)
class Neighbour:
    """The incident next door, by the call that connects the two."""

    incident: Incident
    caller: str
    callee: str
    seconds_apart: float

    def __str__(self) -> str:
        return (
            f"{self.caller} calls {self.callee}, and {self.incident.reference} "
            f"began {self.seconds_apart:.0f} s apart"
        )


def find_neighbour(
    *, service: Service, started_at: datetime, within: timedelta
) -> Neighbour | None:
    """The oldest open incident hitting a direct caller or callee as primary that began at most
    `within` before or after; None when there is none or `within` is zero."""
    if not within:
        return None
    edges = ServiceDependency.objects.filter(Q(caller=service) | Q(callee=service))
    by_service = {
        edge.callee_id if edge.caller_id == service.pk else edge.caller_id: edge
        for edge in edges.select_related("caller", "callee")
    }
    if not by_service:
        return None
    hit = (
        AffectedService.objects.filter(
            service__in=by_service.keys(),
            impact=Impact.PRIMARY,
            incident__in=Incident.objects.active().filter(environment=service.environment),
            incident__started_at__gte=started_at - within,
            incident__started_at__lte=started_at + within,
        )
        .select_related("incident")
        .order_by("incident__started_at", "incident__number")
        .first()
    )
    if hit is None:
        return None
    edge = by_service[hit.service_id]
    apart = abs((hit.incident.started_at - started_at).total_seconds())
    return Neighbour(hit.incident, edge.caller.slug, edge.callee.slug, apart)
