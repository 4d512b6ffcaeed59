"""The queue of analyses: rows, not messages. A message is only a wake-up.

A row is queued in the transaction that causes it, claimed by a guarded update within the
installation's slots, and held by a lease. Whatever a dead broker or worker loses, `sweep`
finds by the rows.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, Count, Exists, F, OuterRef, Q, When
from django.utils import timezone

from accounts import audit
from accounts.models import User
from correlation.models import Analysis
from incidents import live
from incidents.models import Incident, NumberSequence, Severity

logger = logging.getLogger("studio.correlation")
MAX_ATTEMPTS = 3
UNCLAIMED_AFTER = timedelta(seconds=5)
NEWBORN_PAUSE = timedelta(seconds=3)
PROGRESS_PANELS = ("causes", "sources", "runs")


def request(*, incident_id: UUID, reason: str, requested_by: User | None = None) -> Analysis | None:
    """Queue an analysis and wake a worker after commit; the one already queued when there is.

    None for an incident that is merged into another: its survivor is analysed.
    """
    with transaction.atomic():
        live.changed(incident_id, *PROGRESS_PANELS)
        if not Incident.objects.filter(pk=incident_id, merged_into=None).exists():
            return None
        try:
            with transaction.atomic():
                analysis = Analysis.objects.create(
                    incident_id=incident_id, reason=reason, requested_by=requested_by
                )
        except IntegrityError:
            return Analysis.objects.get(incident_id=incident_id, status=Analysis.Status.QUEUED)
        Incident.objects.filter(pk=incident_id).update(analysis_status=Analysis.Status.QUEUED)
        wake(analysis.pk)
        if requested_by is not None:
            audit.record("analysis.requested", analysis.incident)
        return analysis


def wake(analysis_id: UUID) -> None:
    """Send the wake-up once the surrounding transaction commits."""
    from correlation.tasks import analyse

    transaction.on_commit(lambda: _send(analyse, analysis_id), robust=True)


def _send(task: object, analysis_id: UUID) -> None:
    try:
        task.delay(str(analysis_id))  # type: ignore[attr-defined]
    except Exception as error:
        # kombu's errors differ by transport; the row stays queued and the sweeper finds it
        logger.warning(
            "broker unavailable, analysis %s waits for the sweeper: %s", analysis_id, error
        )


def claim_next(now: datetime | None = None) -> Analysis | None:
    """Claim the most urgent queued analysis, or None when none waits or no slot is free.

    Most urgent: highest severity, then newest incident. An incident has one running analysis
    at a time. The sequence row's lock makes counting the leases and taking one a single step.
    """
    with transaction.atomic():
        now = now or timezone.now()
        NumberSequence.lock("correlation-slots")
        if Analysis.objects.leased(now).count() >= settings.CORRELATION_SLOTS:
            return None
        running = Analysis.objects.leased(now).filter(incident=OuterRef("incident"))
        by_severity = Case(
            *[When(incident__severity=s, then=n) for n, s in enumerate(Severity.values)]
        )
        waiting = (
            Analysis.objects.filter(~Exists(running), status=Analysis.Status.QUEUED)
            .order_by(by_severity, "-incident__started_at", "queued_at")
            .values_list("pk", flat=True)
        )
        for pk in waiting[:3]:
            claimed = Analysis.objects.filter(pk=pk, status=Analysis.Status.QUEUED).update(
                status=Analysis.Status.RUNNING,
                attempt=F("attempt") + 1,
                started_at=now,
                lease_until=now + timedelta(seconds=settings.CORRELATION_LEASE_SECONDS),
            )
            if claimed:
                return Analysis.objects.select_related("incident").get(pk=pk)
        return None


def renew(analysis: Analysis) -> bool:
    """Extend the lease; False when it has been lost to another attempt."""
    lease = timezone.now() + timedelta(seconds=settings.CORRELATION_LEASE_SECONDS)
    return bool(
        Analysis.objects.filter(
            pk=analysis.pk, attempt=analysis.attempt, status=Analysis.Status.RUNNING
        ).update(lease_until=lease)
    )


def sweep(now: datetime | None = None) -> list[UUID]:
    """Requeue what lost workers held, wake what nobody claimed; the ids woken.

    An analysis whose worker was lost MAX_ATTEMPTS times fails, visibly.
    """
    from correlation.outcome import fail

    now = now or timezone.now()
    for analysis in Analysis.objects.lost(now):
        if analysis.attempt >= MAX_ATTEMPTS:
            fail(analysis, f"The worker was lost {analysis.attempt} times.")
            continue
        _requeue(analysis)
    unclaimed = Analysis.objects.filter(
        status=Analysis.Status.QUEUED, queued_at__lte=now - UNCLAIMED_AFTER
    ).order_by("queued_at")[: settings.CORRELATION_SLOTS]
    woken = [analysis.pk for analysis in unclaimed]
    for pk in woken:
        wake(pk)
    return woken


def _requeue(analysis: Analysis) -> None:
    """Back to the queue, unless a newer run of the incident waits there already."""
    held = Analysis.objects.filter(
        pk=analysis.pk, attempt=analysis.attempt, status=Analysis.Status.RUNNING
    )
    try:
        with transaction.atomic():
            held.update(status=Analysis.Status.QUEUED, lease_until=None)
    except IntegrityError:
        held.update(
            status=Analysis.Status.CANCELLED,
            finished_at=timezone.now(),
            error="The worker was lost and a newer analysis was waiting.",
        )


def release_leases() -> None:
    """Take back every lease: for the embedded server's start, when no other worker exists."""
    Analysis.objects.filter(status=Analysis.Status.RUNNING).update(lease_until=timezone.now())


def repeat_young(now: datetime | None = None) -> int:
    """Queue the repeats that are due: telemetry arrives after the incident does.

    A repeat is due at each CORRELATION_REPEATS_SECONDS after `started_at` (or after the
    incident was detected, when that was later) if no analysis has been queued since then and
    none is unfinished. Before the first step an inconclusive run is repeated after
    NEWBORN_PAUSE: in those seconds each scrape may bring the evidence.
    An incident whose alerts have all ended is not repeated: what fails next is not it.
    """
    now = now or timezone.now()
    steps = [timedelta(seconds=s) for s in settings.CORRELATION_REPEATS_SECONDS]
    young = (
        Incident.objects.active()
        .exclude(source=Incident.Source.BACKFILL)
        .filter(detected_at__gt=now - steps[-1] - timedelta(minutes=1))
        .annotate(
            firings=Count("occurrences"),
            going_on=Count("occurrences", filter=Q(occurrences__resolved_at=None)),
        )
        .exclude(firings__gt=0, going_on=0)
    )
    repeated = 0
    for incident in young:
        due = [t for t in (incident.detected_at + step for step in steps) if t <= now]
        if not due and incident.analysis_status == Analysis.Status.INCONCLUSIVE:
            due = [now - NEWBORN_PAUSE]
        if not due:
            continue
        active = Q(status__in=(Analysis.Status.QUEUED, Analysis.Status.RUNNING))
        if incident.analyses.filter(Q(queued_at__gte=due[-1]) | active).exists():
            continue
        request(incident_id=incident.pk, reason="repeat")
        repeated += 1
    return repeated


def cancel(incident_id: UUID, why: str) -> int:
    """Close every unfinished analysis of the incident; the number closed.

    The incident's summary is then that of the last run that came to an end.
    """
    unfinished = Analysis.objects.filter(
        incident_id=incident_id, status__in=(Analysis.Status.QUEUED, Analysis.Status.RUNNING)
    )
    with transaction.atomic():
        live.changed(incident_id, *PROGRESS_PANELS)
        closed = unfinished.update(
            status=Analysis.Status.CANCELLED, finished_at=timezone.now(), error=why
        )
        if closed:
            ended = (Analysis.Status.DONE, Analysis.Status.INCONCLUSIVE, Analysis.Status.FAILED)
            last = Analysis.objects.filter(incident_id=incident_id, status__in=ended)
            status = last.order_by("-finished_at").values_list("status", flat=True).first()
            Incident.objects.filter(pk=incident_id).update(analysis_status=status or "")
    return closed
