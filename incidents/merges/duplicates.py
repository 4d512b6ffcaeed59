"""Which open incidents is this one like? Reads what `similarity` compares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from incidents.merges.similarity import HORIZON, Cause, Described, Labels, compare
from incidents.models import AffectedService, AlertOccurrence, Incident, Service

THRESHOLD = 0.8
"""More alike than this is one incident."""
MOST_ALERTS = 500
# what names the sender's copy, the service or the urgency says nothing about what fails
SAYS_NOTHING = {"replica", "prometheus_replica", "__replica__", "service", "severity", "priority"}


@dataclass(frozen=True)
class Similarity:
    """`score` is the weighted mean of `parts`, each 0..1, with `incident`."""

    incident: Incident
    score: float
    parts: dict[str, float]

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {part:.0%}" for name, part in self.parts.items())
        return f"Like {self.incident.reference}: {self.score:.0%} ({parts})."


def find_duplicates(
    *,
    title: str,
    services: Sequence[Service],
    started_at: datetime,
    environment: str,
    labels: Mapping[str, str] | None = None,
    apart_from_rule: UUID | None = None,
) -> list[Similarity]:
    """The open incidents above THRESHOLD, most alike first, then the oldest.

    Looks at unresolved incidents on one of `services` that started within HORIZON, less those
    of the grouping rule `apart_from_rule`: it told them and the newcomer apart. `labels` are
    those of the alert that opens the newcomer, if one does.
    """
    if not services:
        return []
    candidates = (
        Incident.objects.active()
        .filter(
            affected__service__in=services,
            environment=environment,
            started_at__gte=started_at - HORIZON,
            started_at__lte=started_at + HORIZON,
        )
        .distinct()
    )
    if apart_from_rule is not None:
        candidates = candidates.exclude(grouping_rule=apart_from_rule)
    newcomer = Described(
        title=title,
        services=frozenset(service.pk for service in services),
        started_at=started_at,
        labels=(telling(labels),) if labels else (),
    )
    return [one for one in rated(newcomer, candidates) if one.score > THRESHOLD]


def rated(newcomer: Described, incidents: Iterable[Incident]) -> list[Similarity]:
    """Each incident with how alike it is, most alike first, then the oldest. Three queries."""
    known = list(incidents)
    if not known:
        return []
    described = describe(known)
    found = [
        Similarity(incident, likeness.score, likeness.parts)
        for incident in known
        for likeness in [compare(newcomer, described[incident.pk])]
    ]
    return sorted(found, key=lambda one: (-one.score, one.incident.number))


def describe(incidents: Collection[Incident]) -> dict[UUID, Described]:
    """What is known of each incident, by id; of their alerts the newest MOST_ALERTS together."""
    keys = [incident.pk for incident in incidents]
    services: dict[UUID, set[UUID]] = defaultdict(set)
    affected = AffectedService.objects.filter(incident__in=keys)
    for pk, service in affected.values_list("incident", "service"):
        services[pk].add(service)
    labels: dict[UUID, set[Labels]] = defaultdict(set)
    firings = AlertOccurrence.objects.filter(incident__in=keys).order_by("-started_at", "-id")
    for pk, told in firings.values_list("incident", "alert__labels")[:MOST_ALERTS]:
        labels[pk].add(telling(told))
    return {
        incident.pk: Described(
            title=incident.title,
            services=frozenset(services[incident.pk]),
            started_at=incident.started_at,
            labels=tuple(labels[incident.pk]),
            cause=cause_of(incident),
            root_cause=incident.root_cause,
        )
        for incident in incidents
    }


def cause_of(incident: Incident) -> Cause | None:
    """What its latest analysis named; what a responder confirmed without one is certain."""
    if not incident.top_cause_service:
        return None
    confidence = incident.top_cause_confidence
    return Cause(
        incident.top_cause_service,
        incident.top_cause_kind,
        1.0 if confidence is None else confidence,
    )


def telling(labels: Mapping[str, str]) -> Labels:
    """The labels that say what fails."""
    return frozenset((k, str(v)) for k, v in labels.items() if k not in SAYS_NOTHING)
