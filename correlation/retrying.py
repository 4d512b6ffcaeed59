"""Open incidents whose last analysis failed are analysed again: what did not answer comes back."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.utils import timezone

from correlation import queue
from correlation.models import Analysis
from incidents.models import Incident

FIRST_PAUSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 3600.0
MOST_AT_ONCE = 100

FAILED = Analysis.Status.FAILED


def retry_failed(now: datetime | None = None) -> int:
    """Queue an analysis for each incident whose pause is over; how many were queued.

    The pause doubles with each failed run of the incident. A run that its workers were lost in
    is not tried again: it may be what ended them.
    """
    now = now or timezone.now()
    last = Analysis.objects.filter(incident=OuterRef("pk"), status=FAILED).order_by("-finished_at")
    failing = (
        Incident.objects.active()
        .exclude(source=Incident.Source.BACKFILL)
        .filter(analysis_status=FAILED)
        .annotate(
            failures=Count("analyses", filter=Q(analyses__status=FAILED)),
            failed_at=Subquery(last.values("finished_at")[:1]),
            attempts=Subquery(last.values("attempt")[:1]),
        )
        .filter(
            attempts__lt=queue.MAX_ATTEMPTS,
            failed_at__lte=now - timedelta(seconds=FIRST_PAUSE_SECONDS),
        )
        .order_by(F("failed_at"), "pk")
    )
    due = [one.pk for one in failing if one.failed_at + pause_after(one.failures) <= now]
    for incident_id in due[:MOST_AT_ONCE]:
        queue.request(incident_id=incident_id, reason="repeat")
    return len(due[:MOST_AT_ONCE])


def pause_after(failures: int) -> timedelta:
    """How long the run after so many failed ones waits."""
    doublings = min(failures - 1, 16)
    return timedelta(seconds=min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0**doublings))
