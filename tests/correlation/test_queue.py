"""The rows are the queue: claims within the slots, leases, sweeping, repeats."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from correlation import outcome, queue
from correlation.models import Analysis
from incidents import lifecycle
from incidents.merges import merging
from incidents.models import Incident
from timeline.models import TimelineEvent

MakeIncident = Callable[..., Incident]


def test_opening_an_incident_queues_one_analysis(make_incident: MakeIncident) -> None:
    incident = make_incident()

    analysis = Analysis.objects.get(incident=incident)

    assert (analysis.status, analysis.reason) == ("queued", "opened")
    incident.refresh_from_db()
    assert incident.analysis_status == "queued"


def test_request_while_one_waits_answers_that_one(make_incident: MakeIncident) -> None:
    incident = make_incident()

    again = queue.request(incident_id=incident.pk, reason="alert")

    assert again == Analysis.objects.get(incident=incident)


def test_claim_takes_the_most_severe_then_the_newest(make_incident: MakeIncident) -> None:
    now = timezone.now()
    low = make_incident("low", severity="low")
    old = make_incident("old", severity="critical", started_at=now - timedelta(minutes=5))
    new = make_incident("new", severity="critical", started_at=now - timedelta(minutes=1))

    claimed = [queue.claim_next() for _ in range(4)]

    assert [a.incident if a else None for a in claimed] == [new, old, low, None]


def test_claim_respects_the_slots(make_incident: MakeIncident, settings: Any) -> None:
    settings.CORRELATION_SLOTS = 2
    for n in range(3):
        make_incident(f"incident {n}")

    claimed = [queue.claim_next() for _ in range(3)]

    assert [a is not None for a in claimed] == [True, True, False]


def test_one_incident_has_one_running_analysis(make_incident: MakeIncident) -> None:
    incident = make_incident()
    queue.claim_next()
    queue.request(incident_id=incident.pk, reason="alert")

    assert queue.claim_next() is None


def test_sweep_requeues_what_a_lost_worker_held(make_incident: MakeIncident) -> None:
    make_incident()
    claimed = queue.claim_next()
    assert claimed is not None
    later = timezone.now() + timedelta(minutes=5)

    woken = queue.sweep(later)
    again = queue.claim_next(later)

    assert woken == [claimed.pk]
    assert again is not None
    assert (again.pk, again.attempt) == (claimed.pk, 2)


def test_sweep_fails_what_lost_its_worker_three_times(make_incident: MakeIncident) -> None:
    incident = make_incident()
    for _ in range(queue.MAX_ATTEMPTS):
        queue.claim_next()
        Analysis.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        queue.sweep()

    analysis = Analysis.objects.get(incident=incident)
    assert (analysis.status, analysis.error) == ("failed", "The worker was lost 3 times.")
    incident.refresh_from_db()
    assert incident.analysis_status == "failed"


def test_sweep_leaves_a_live_lease_alone(make_incident: MakeIncident) -> None:
    make_incident()
    queue.claim_next()

    assert queue.sweep() == []
    assert Analysis.objects.get().status == "running"


def test_released_leases_are_swept_at_once(make_incident: MakeIncident) -> None:
    make_incident()
    queue.claim_next()

    queue.release_leases()
    queue.sweep()

    assert Analysis.objects.get().status == "queued"


@pytest.mark.parametrize(
    ("age_seconds", "queued_seconds_ago", "repeated"),
    [(10, 10, 0), (16, 16, 1), (29, 13, 0), (31, 15, 1), (299, 180, 1), (310, 8, 0), (500, 400, 0)],
)
def test_repeat_is_due_at_each_step_once(
    make_incident: MakeIncident, age_seconds: int, queued_seconds_ago: int, repeated: int
) -> None:
    incident = make_incident()
    now = timezone.now()
    start = now - timedelta(seconds=age_seconds)
    Incident.objects.filter(pk=incident.pk).update(started_at=start, detected_at=start)
    Analysis.objects.update(status="done", queued_at=now - timedelta(seconds=queued_seconds_ago))

    assert queue.repeat_young(now) == repeated


@pytest.mark.parametrize(
    ("status", "queued_seconds_ago", "repeated"),
    [("inconclusive", 4, 1), ("inconclusive", 1, 0), ("done", 4, 0)],
)
def test_inconclusive_newborn_is_repeated_after_a_pause(
    make_incident: MakeIncident, status: str, queued_seconds_ago: int, repeated: int
) -> None:
    incident = make_incident()
    now = timezone.now()
    Incident.objects.filter(pk=incident.pk).update(
        detected_at=now - timedelta(seconds=5), analysis_status=status
    )
    Analysis.objects.update(status=status, queued_at=now - timedelta(seconds=queued_seconds_ago))

    assert queue.repeat_young(now) == repeated


def test_resolving_closes_what_is_unfinished_and_asks_for_a_last_run(
    make_incident: MakeIncident,
) -> None:
    incident = make_incident()

    lifecycle.resolve(incident_id=incident.pk, actor=None)

    closed, last = Analysis.objects.order_by("queued_at")
    assert (closed.status, closed.error) == ("cancelled", "The incident was resolved.")
    assert (last.status, last.reason) == ("queued", "resolution")


def test_merging_asks_for_no_run_of_the_merged(make_incident: MakeIncident) -> None:
    merged, survivor = make_incident("one"), make_incident("two")
    Analysis.objects.update(status="done")

    merging.merge(source_id=merged.pk, target_id=survivor.pk, actor=None)

    assert [run.incident for run in Analysis.objects.filter(status="queued")] == [survivor]


@pytest.mark.parametrize(("before", "after"), [("", ""), ("done", "done"), ("failed", "failed")])
@pytest.mark.parametrize("claimed", [True, False])
def test_cancel_leaves_no_analysis_in_progress_on_the_board(
    make_incident: MakeIncident, before: str, after: str, claimed: bool
) -> None:
    incident = make_incident()
    if before:
        Analysis.objects.update(status=before, finished_at=timezone.now())
        queue.request(incident_id=incident.pk, reason="requested")
    analysis = queue.claim_next() if claimed else None
    if analysis is not None:
        outcome.start(analysis)

    queue.cancel(incident.pk, "No longer wanted.")

    incident.refresh_from_db()
    assert incident.analysis_status == after


def test_start_of_an_analysis_that_was_closed_meanwhile_tells_nothing(
    make_incident: MakeIncident,
) -> None:
    incident = make_incident()
    analysis = queue.claim_next()
    assert analysis is not None
    lifecycle.resolve(incident_id=incident.pk, actor=None)
    events = TimelineEvent.objects.count()

    started = outcome.start(analysis)

    incident.refresh_from_db()
    assert (started, incident.analysis_status) == (False, "queued")  # the last run waits
    assert TimelineEvent.objects.count() == events


@pytest.mark.django_db(transaction=True)
def test_claims_by_eight_at_once_never_take_one_twice(
    make_incident: MakeIncident, settings: Any
) -> None:
    settings.CORRELATION_SLOTS = 3
    for n in range(6):
        make_incident(f"incident {n}")
    claimed: list[Analysis] = []

    def claim() -> None:
        try:
            analysis = queue.claim_next()
            if analysis is not None:
                claimed.append(analysis)
        finally:
            connection.close()

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(claimed) == 3
    assert len({analysis.pk for analysis in claimed}) == 3
