"""The reports that wait to be written are rows, as analyses are; a message only wakes somebody up.

A row is made in the transaction that resolves the incident, claimed by a guarded update, held by
a lease, tried again after a failure, and dropped where the incident was reopened meanwhile.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import User
from incidents import live
from timeline.reporting.models import IncidentReport

logger = logging.getLogger("studio.report")
State = IncidentReport.State
PANEL = "record"
LEASE = timedelta(seconds=60)
SETTLE = timedelta(seconds=60)
"""How long a report waits for the analysis that was asked for at resolution."""
PAUSES = (timedelta(seconds=5), timedelta(seconds=30))
"""Before the second and the third attempt; after the third it has failed."""
ANALYSING = ("queued", "running")


def request(*, incident_id: UUID, requested_by: User | None = None) -> IncidentReport:
    """A new version to be written, the unfinished one where there is one. Wakes after commit."""
    with transaction.atomic():
        live.changed(incident_id, PANEL)  # the incident's lock
        reports = IncidentReport.objects.filter(incident=incident_id)
        report = reports.unfinished().first()
        if report is None:
            last = reports.order_by("-version").values_list("version", flat=True).first()
            report = IncidentReport.objects.create(
                incident_id=incident_id, version=(last or 0) + 1, requested_by=requested_by
            )
            if requested_by is not None:
                audit.record("report.requested", report.incident)
        wake()
        return report


def drop(incident_id: UUID, why: str) -> int:
    """The incident is open again: what was not written yet never will be."""
    live.changed(incident_id, PANEL)
    waiting = IncidentReport.objects.filter(incident=incident_id).unfinished()
    return waiting.update(state=State.DROPPED, error=why, lease_until=None)


def wake() -> None:
    """Send the wake-up once the surrounding transaction commits."""
    transaction.on_commit(_send, robust=True)


def _send() -> None:
    from timeline.tasks import write_reports

    try:
        write_reports.delay()
    except Exception as error:
        # kombu's errors differ by transport; the row stays and the sweep finds it
        logger.warning("broker unavailable, reports wait for the sweep: %s", error)


def claim_next(now: datetime | None = None) -> IncidentReport | None:
    """The report that has waited longest and is due; None when there is none.

    One whose incident is being analysed waits for that, at most SETTLE.
    """
    now = now or timezone.now()
    unsettled = Q(incident__analysis_status__in=ANALYSING, queued_at__gt=now - SETTLE)
    due = IncidentReport.objects.filter(state=State.WAITING, due_at__lte=now).exclude(unsettled)
    for pk in due.order_by("due_at", "id").values_list("pk", flat=True)[:5]:
        claimed = IncidentReport.objects.filter(pk=pk, state=State.WAITING).update(
            state=State.WRITING, attempt=F("attempt") + 1, lease_until=now + LEASE
        )
        if claimed:
            return IncidentReport.objects.select_related("incident").get(pk=pk)
    return None


def fail(report: IncidentReport, error: str, now: datetime | None = None) -> bool:
    """This attempt failed: the next is due after a pause, or there is none; False when fenced."""
    tried = report.attempt
    again = tried <= len(PAUSES)
    with transaction.atomic():
        live.changed(report.incident_id, PANEL)
        return bool(
            held(report).update(
                state=State.WAITING if again else State.FAILED,
                due_at=(now or timezone.now()) + PAUSES[tried - 1] if again else report.due_at,
                lease_until=None,
                error=error[:2000],
            )
        )


def held(report: IncidentReport) -> QuerySet[IncidentReport]:
    """The row, while this attempt holds it."""
    return IncidentReport.objects.filter(pk=report.pk, attempt=report.attempt, state=State.WRITING)


def sweep(now: datetime | None = None) -> int:
    """Take up what a lost worker held; how many."""
    now = now or timezone.now()
    lost = list(IncidentReport.objects.lost(now))
    for report in lost:
        fail(report, "The worker was lost.", now)
    return len(lost)


def release_leases() -> None:
    """Take back every lease: for the embedded server's start, when no other worker exists."""
    writing = IncidentReport.objects.filter(state=State.WRITING)
    writing.update(lease_until=timezone.now())
