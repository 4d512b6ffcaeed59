"""What one analysis asks about: the incident's services, their graph and changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from correlation.found_as import found_as
from correlation.neighbourhood import neighbourhood
from correlation.sources import BASELINE_SECONDS, Scope
from correlation.telemetry import Change
from incidents.models import (
    AlertOccurrence,
    ChangeEvent,
    Impact,
    Incident,
    Service,
    ServiceDependency,
)

LONGEST_LOOK = timedelta(minutes=30)
LATEST_REPORT = timedelta(hours=2)
"""Who reports a failure this long after its start reports what goes on; later it is history."""
PERSON_LEAD = timedelta(minutes=5)
ALERT_LEAD = timedelta(minutes=3)
SHORTEST_LEAD = timedelta(seconds=20)
EARLIER_BY = timedelta(seconds=45)
"""Alerts this much older than the incident are another failure's; of one failure they spread."""
CHANGES_BEFORE = timedelta(hours=6)
"""Leaks and emptying caches take hours to be noticed."""
MOST_CHANGES = 300
SHORTEST_BASELINE_SECONDS = 1200.0
BASELINE_SCRAPES = 180
"""So many samples make a reference; more only make servers work longer."""


def scope_of(incident: Incident, now: datetime | None = None) -> Scope:
    """The affected service with its neighbourhood, as the catalogue knows it; seen at `now`."""
    services = {s.pk: s for s in Service.objects.filter(environment=incident.environment)}
    edges = tuple(
        sorted(
            (services[caller].slug, services[callee].slug)
            for caller, callee in ServiceDependency.objects.values_list("caller", "callee")
            if caller in services and callee in services
        )
    )
    affected = incident.affected.select_related("service").order_by("added_at", "service__slug")
    primary = [a.service.slug for a in affected if a.impact == Impact.PRIMARY]
    target = next(iter(primary or [a.service.slug for a in affected]), None)
    near = neighbourhood(target, edges) if target else frozenset()
    started_at, as_of = episode(incident, now)
    return Scope(
        target=target,
        started_at=started_at.timestamp(),
        as_of=as_of.timestamp(),
        services=near,
        edges=edges,
        roles={s.slug: s.role for s in services.values()},
        environment=incident.environment,
        lead_seconds=_lead(incident, near, started_at).total_seconds(),
        baseline_seconds=min(
            BASELINE_SECONDS, max(SHORTEST_BASELINE_SECONDS, _scrape_seconds() * BASELINE_SCRAPES)
        ),
        found_as=found_as(services.values()),
    )


def episode(incident: Incident, now: datetime | None = None) -> tuple[datetime, datetime]:
    """(start, latest moment to look at) of the failure that goes on now, or went on last.

    An incident whose alerts have ended and fired again is looked at from the new firing: what
    failed before may have been something else. Days of samples around a failure of minutes, which
    steps too coarse would miss, are not asked for.
    """
    firings = list(incident.occurrences.values_list("started_at", "resolved_at"))
    going_on = [started for started, resolved in firings if resolved is None]
    ends = [resolved for _started, resolved in firings if resolved is not None]
    start = max(incident.started_at, min(going_on)) if going_on else incident.started_at
    end = incident.resolved_at or (max(ends) if ends and not going_on else None)
    limit = min(now or timezone.now(), end or start + LONGEST_LOOK)
    reported = incident.detected_at
    if not firings and reported - start <= LATEST_REPORT:
        limit = max(limit, reported)
    return start, max(limit, start)


def _lead(incident: Incident, near: frozenset[str], start: datetime) -> timedelta:
    """How long before `start` the failure may have begun unnoticed.

    No further back than an alert nearby that fired well before `start` and ended since: its
    aftermath is not this failure's. One that still fires has the same effect, for its end may
    only be late in coming; should it be the cause, its signals stand out of the baseline all
    the same.
    """
    lead = ALERT_LEAD if incident.source == Incident.Source.ALERT else PERSON_LEAD
    earlier = AlertOccurrence.objects.filter(
        Q(resolved_at=None) | Q(resolved_at__gt=start - lead),
        alert__source__environment=incident.environment,
        started_at__lt=start - EARLIER_BY,
    )
    if near:
        earlier = earlier.filter(service__slug__in=near)
    ends = [end or start for end in earlier.values_list("resolved_at", flat=True)]
    return min(lead, max(start - max(ends), SHORTEST_LEAD)) if ends else lead


def changes_for(scope: Scope) -> tuple[Change, ...]:
    """Changes of the scope's services, and of none, from CHANGES_BEFORE the incident until now.

    Of many the newest MOST_CHANGES. What a deploy says it brought out is named by the commit's id.
    """
    rows = (
        ChangeEvent.objects.filter(
            Q(service=None) | Q(service__environment=scope.environment),
            at__gte=_moment(scope.started_at) - CHANGES_BEFORE,
            at__lte=_moment(scope.as_of),
        )
        .filter(Q(service__slug__in=scope.services) | Q(service=None) if scope.services else Q())
        .select_related("service")
        .order_by("-at", "-id")[:MOST_CHANGES]
    )
    oldest_first = list(rows)[::-1]
    commits = {
        row.ref: str(row.pk)
        for row in oldest_first
        if row.kind == ChangeEvent.Kind.COMMIT and row.ref
    }
    return tuple(
        Change(
            id=str(row.pk),
            service=row.service.slug if row.service else "",
            kind=row.kind,
            at=row.at.timestamp(),
            title=row.title,
            diff=row.diff,
            files=tuple(row.files),
            commit=commits.get(row.commit, row.commit),
        )
        for row in oldest_first
    )


def _scrape_seconds() -> float:
    return float(settings.SCRAPE_INTERVAL_SECONDS)


def _moment(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)
