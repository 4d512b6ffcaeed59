"""Reads the facts of an incident from its timeline and its rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from statistics import median

from django.utils import timezone

from incidents.durations import durations
from incidents.models import Incident
from timeline.models import Kind, TimelineEvent
from timeline.postmortems.facts import Affected, Facts, Happened, Typical
from timeline.postmortems.knowledge import cause_of, similar_to
from timeline.reporting.standing import impact
from timeline.union import events_of

MOST_EVENTS = 2000
TYPICAL_OF = timedelta(days=180)
FEWEST, MOST = 5, 500
"""How many earlier incidents it takes to call something typical, and how many are read."""


def facts_of(incident: Incident) -> Facts:
    took = durations(incident)
    typical = _typical(incident)
    told = impact(incident, None)
    events = _events(incident)
    recovered = _recovered(incident, events)
    return Facts(
        reference=incident.reference,
        title=incident.title,
        severity=incident.severity,
        environment=incident.environment,
        opened_from=incident.source,
        started_at=incident.started_at.timestamp(),
        ttd=_seconds(took.ttd),
        mtta=_seconds(took.mtta),
        ttm=_seconds(took.ttm),
        mttr=_seconds(took.mttr),
        typical_ttd=typical(lambda row: durations(row).ttd),
        typical_mtta=typical(lambda row: durations(row).mtta),
        typical_mttr=typical(lambda row: durations(row).mttr),
        services=tuple(
            Affected(
                row.service.slug,
                row.impact,
                row.service.slug in recovered,
                row.service.runbook_url,
            )
            for row in incident.affected.select_related("service")
        ),
        events=tuple(events),
        cause=cause_of(incident),
        impact=tuple((row["label"], row["value"]) for row in told["rows"] if row["value"]),
        root_cause=incident.root_cause,
        resolution=incident.resolution,
        similar=tuple(similar_to(incident)),
    )


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _events(incident: Incident) -> list[Happened]:
    """What was corrected is left out: the correction says what holds."""
    rows = list(events_of(incident).select_related("actor").defer("canonical")[:MOST_EVENTS])
    corrected = {row.corrects_id for row in rows if row.corrects_id is not None}
    return [_happened(row, incident) for row in rows if row.pk not in corrected]


def _recovered(incident: Incident, events: list[Happened]) -> set[str]:
    """The services the sealed record knows to have recovered; later recoveries are not in it."""
    for event in reversed(events):
        if event.kind == Kind.INCIDENT_RESOLVED:
            return {str(slug) for slug in event.data.get("recovered", [])}
    return set(
        incident.affected.filter(recovered_at__isnull=False).values_list("service__slug", flat=True)
    )


def _happened(row: TimelineEvent, incident: Incident) -> Happened:
    origin = f"INC-{row.origin_number}"  # type: ignore[attr-defined]  # annotated by events_of
    own = row.incident_id == incident.pk
    number = str(row.seq) if own else f"{origin}-{row.seq}"
    return Happened(
        number=str(row.seq) if own else f"{row.seq} of {origin}",
        address=f"{incident.get_absolute_url()}#event-{number}",
        kind=row.kind,
        severity=row.severity,
        title=row.title,
        at=row.occurred_at.timestamp(),
        body=row.body,
        by=row.actor.username if row.actor else None,
        source=row.source,
        data=row.data,
    )


def _typical(incident: Incident) -> Callable[[Callable[[Incident], timedelta | None]], Typical]:
    """Medians over the incidents of the last half year that count, this one left out."""
    until: datetime = incident.resolved_at or timezone.now()
    rows = list(
        Incident.objects.for_stats()
        .exclude(pk=incident.pk)
        .filter(started_at__gte=until - TYPICAL_OF, started_at__lte=until)
        .order_by("-started_at")[:MOST]
    )

    def of(measure: Callable[[Incident], timedelta | None]) -> Typical:
        spans = [span.total_seconds() for row in rows if (span := measure(row)) is not None]
        return Typical(median(spans), len(spans)) if len(spans) >= FEWEST else Typical()

    return of
