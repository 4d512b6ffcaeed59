from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from incidents import lifecycle
from incidents.models import Incident
from tests.timeline.reporting.conftest import MakeIncident, settled, written
from timeline.reporting import queue, writing
from timeline.reporting.models import IncidentReport
from timeline.reporting.sections import Section, register, unregister

State = IncidentReport.State
Claim = Callable[[Incident], IncidentReport]


def states(incident: Incident) -> list[tuple[int, str]]:
    return list(incident.reports.order_by("version").values_list("version", "state"))


def test_resolving_queues_the_report_in_its_transaction(make_resolved: MakeIncident) -> None:
    incident = make_resolved()

    assert states(incident) == [(1, State.WAITING)]


def test_incident_of_the_past_has_no_report_unasked(make_resolved: MakeIncident) -> None:
    incident = make_resolved(source=Incident.Source.BACKFILL)

    assert states(incident) == []


def test_report_waits_for_the_analysis_of_the_resolution(make_resolved: MakeIncident) -> None:
    incident = make_resolved()

    early = queue.claim_next()
    late = queue.claim_next(timezone.now() + queue.SETTLE)

    assert (incident.analysis_status, early) == ("queued", None)
    assert late is not None
    assert late.incident_id == incident.pk


def test_report_is_claimed_once(make_resolved: MakeIncident) -> None:
    settled(make_resolved())

    first, second = queue.claim_next(), queue.claim_next()

    assert (first is not None, second) == (True, None)


def test_reopening_and_resolving_again_makes_a_new_version_and_keeps_the_old(
    make_resolved: MakeIncident,
) -> None:
    incident = make_resolved()
    first = written(incident)
    lifecycle.reopen(incident_id=incident.pk, actor=None, reason="back again")
    lifecycle.resolve(incident_id=incident.pk, actor=None)

    second = written(incident)

    first.refresh_from_db()
    assert states(incident) == [(1, State.DONE), (2, State.DONE)]
    assert first.root_digest != second.root_digest
    assert "back again" in second.markdown
    assert "back again" not in first.markdown


def test_reopening_drops_a_report_that_was_not_written(make_resolved: MakeIncident) -> None:
    incident = make_resolved()

    lifecycle.reopen(incident_id=incident.pk, actor=None)

    assert states(incident) == [(1, State.DROPPED)]


def test_failure_is_told_and_tried_again_after_a_pause(
    make_resolved: MakeIncident, claim: Claim
) -> None:
    report = claim(make_resolved())

    queue.fail(report, "the section broke")

    report.refresh_from_db()
    assert (report.state, report.attempt, report.error) == (State.WAITING, 1, "the section broke")
    assert queue.claim_next() is None
    again = queue.claim_next(timezone.now() + queue.PAUSES[0])
    assert again is not None
    assert again.attempt == 2


def test_third_failure_is_the_last(make_resolved: MakeIncident, claim: Claim) -> None:
    report = claim(make_resolved())
    IncidentReport.objects.update(attempt=3)
    report.refresh_from_db()

    queue.fail(report, "still broken")

    report.refresh_from_db()
    assert (report.state, report.error) == (State.FAILED, "still broken")


def test_broken_section_fails_the_report_and_not_the_worker(make_resolved: MakeIncident) -> None:
    incident = settled(make_resolved())

    def broken(incident: Incident, as_of: object) -> dict[str, object]:
        raise RuntimeError("no such column")

    register(Section("broken", "Broken", 1, broken, "", str))
    try:
        writing.run_waiting()
    finally:
        unregister("broken")

    report = incident.reports.get()
    assert (report.state, report.error) == (State.WAITING, "RuntimeError: no such column")


def test_lost_worker_is_noticed_when_its_lease_runs_out(
    make_resolved: MakeIncident, claim: Claim
) -> None:
    report = claim(make_resolved())
    later = timezone.now() + queue.LEASE + timedelta(seconds=1)

    found = queue.sweep(later)

    report.refresh_from_db()
    assert (found, report.state, report.error) == (1, State.WAITING, "The worker was lost.")


def test_worker_that_lost_its_lease_writes_nothing(
    make_resolved: MakeIncident, claim: Claim
) -> None:
    lost = claim(make_resolved())
    queue.sweep(timezone.now() + queue.LEASE + timedelta(seconds=1))
    queue.claim_next(timezone.now() + timedelta(minutes=10))

    told = writing.write(lost)

    lost.refresh_from_db()
    assert (told, lost.state, lost.markdown) == (False, State.WRITING, "")


def test_asking_again_makes_a_version_and_only_one_is_unfinished(
    make_resolved: MakeIncident,
) -> None:
    incident = make_resolved()
    written(incident)

    first = queue.request(incident_id=incident.pk)
    second = queue.request(incident_id=incident.pk)

    assert (first.version, second.pk) == (2, first.pk)
