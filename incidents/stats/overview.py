"""The figures of a span of time: over all, by severity, by service and by period."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.cache import caches
from django.db.models import Count, F, Max, QuerySet, Sum

from incidents.durations import durations, seconds
from incidents.models import AffectedService, Incident, Severity
from incidents.stats.figures import Group, Sample, group, grouped
from incidents.stats.periods import first_day, midnight, periods

KEPT_SECONDS = 600.0
State = tuple[Any, ...]


@dataclass(frozen=True)
class Asked:
    """`since` and `until` are days of `zone`, both included; `service` a slug."""

    since: date
    until: date
    period: str
    zone: ZoneInfo
    service: str = ""
    severity: str = ""


@dataclass(frozen=True)
class Overview:
    """`periods` pairs each period's first day with its group; the empty ones are there too."""

    overall: Group
    severities: list[Group]
    services: list[Group]
    periods: list[tuple[date, Group]]


def overview(asked: Asked) -> Overview:
    """Of incidents that began within; three queries, however many there are.

    Left out are merged ones, those closed as duplicate, false positive or drill, and those that
    are not resolved (`IncidentQuerySet.for_stats`). An incident counts for each of its services.

    This process keeps what it has computed, until one of the incidents changes.
    """
    key, state = _key(asked), _state(asked)
    kept: tuple[State, Overview] | None = caches["process"].get(key)
    if kept is not None and kept[0] == state:
        return kept[1]
    found = _computed(asked)
    caches["process"].set(key, (state, found), KEPT_SECONDS)
    return found


def _key(asked: Asked) -> str:
    said = repr([str(getattr(asked, field.name)) for field in fields(asked)])
    return f"stats:{hashlib.sha256(said.encode()).hexdigest()}"


def _state(asked: Asked) -> State:
    """The same only as long as the incidents are: each change of one adds to its revision."""
    found = _chosen(asked).aggregate(
        n=Count("pk"),
        numbers=Sum("number"),
        revisions=Sum("revision"),
        both=Sum(F("number") * F("revision")),
        last=Max("resolved_at"),
    )
    return tuple(found.values())


def _computed(asked: Asked) -> Overview:
    samples = _samples(asked)
    by_severity = {g.name: g for g in grouped((s.severity, s) for s in samples)}
    by_service = grouped((slug, sample) for sample in samples for slug in sample.services)
    by_period = {
        g.name: g
        for g in grouped(
            (first_day(s.started_at.astimezone(asked.zone).date(), asked.period).isoformat(), s)
            for s in samples
        )
    }
    days = periods(asked.since, asked.until, asked.period)
    return Overview(
        overall=group("all", samples),
        severities=[by_severity[name] for name in Severity.values if name in by_severity],
        services=sorted(by_service, key=lambda g: (-g.incidents, g.name)),
        periods=[
            (day, by_period.get(day.isoformat()) or group(day.isoformat(), [])) for day in days
        ],
    )


@dataclass(slots=True)
class _Row:
    """What is needed of an incident; a model of it costs several times as much to make."""

    number: int
    severity: str
    started_at: datetime
    detected_at: datetime
    acknowledged_at: datetime | None
    mitigated_at: datetime | None
    resolved_at: datetime | None


ROW = tuple(field.name for field in fields(_Row))


def _samples(asked: Asked) -> list[Sample]:
    chosen = _chosen(asked)
    affected: dict[int, dict[str, None]] = {}
    rows = AffectedService.objects.filter(incident__in=chosen.order_by().values("pk"))
    named = rows.order_by("service__slug").values_list("incident__number", "service__slug")
    for number, slug in named:
        affected.setdefault(number, {})[slug] = None
    found = []
    for values in chosen.order_by("started_at", "number").values_list(*ROW):
        row = _Row(*values)
        took = durations(row)
        found.append(
            Sample(
                row.started_at,
                row.severity,
                tuple(affected.get(row.number, ())),
                {name: seconds(value) for name, value in vars(took).items()},
            )
        )
    return found


def _chosen(asked: Asked) -> QuerySet[Incident]:
    end = midnight(asked.until + timedelta(days=1), asked.zone)
    found = Incident.objects.for_stats().filter(
        started_at__gte=midnight(asked.since, asked.zone), started_at__lt=end
    )
    if asked.severity:
        found = found.filter(severity=asked.severity)
    if asked.service:
        found = found.filter(pk__in=_affecting(asked.service))
    return found


def _affecting(slug: str) -> QuerySet[AffectedService, Any]:
    return AffectedService.objects.filter(service__slug=slug).values("incident")
