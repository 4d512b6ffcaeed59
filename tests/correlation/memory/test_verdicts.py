"""What responders say of causes: history, one confirmed, the timeline, the incident's summary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from correlation.memory import verdicts
from correlation.models import CauseVerdict, RootCause
from incidents import lifecycle
from incidents.merges import merging
from incidents.models import Incident
from tests.correlation.analysed import analysed
from tests.correlation.incidents import incident as telemetry_of
from timeline.models import TimelineEvent

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]


@pytest.fixture
def incident(make_incident: MakeIncident) -> Incident:
    found = make_incident()
    analysed(found, telemetry_of("slow_db"))
    found.refresh_from_db()
    return found


def cause_of(incident: Incident, rank: int) -> RootCause:
    newest = incident.analyses.filter(finished_at__isnull=False).latest("finished_at")
    return RootCause.objects.get(analysis=newest, rank=rank)


def give(incident: Incident, sam: User | None, verdict: str, **given: Any) -> CauseVerdict:
    return verdicts.give(incident_id=incident.pk, actor=sam, verdict=verdict, **given)


def told(incident: Incident) -> list[tuple[str, str]]:
    events = TimelineEvent.objects.filter(incident=incident, kind="cause_reviewed").order_by("seq")
    return list(events.values_list("title", "body"))


def test_a_verdict_is_on_the_cause_the_row_and_the_timeline(incident: Incident, sam: User) -> None:
    cause = cause_of(incident, 1)

    made = give(incident, sam, "confirmed", cause=cause, reason="The slow query log says so.")

    cause.refresh_from_db()
    assert cause.verdict == "confirmed"
    assert (made.by, made.service, made.kind, made.after_sealing) == (
        sam, cause.service, cause.kind, False,
    )  # fmt: skip
    assert told(incident) == [
        (f"sam confirmed the cause: {cause.title}", "The slow query log says so.")
    ]


def test_the_newest_verdict_holds_and_the_history_stays(incident: Incident, sam: User) -> None:
    cause = cause_of(incident, 1)

    for verdict in ("confirmed", "rejected", "withdrawn"):
        give(incident, sam, verdict, cause=cause)

    cause.refresh_from_db()
    rows = CauseVerdict.objects.filter(incident=incident).order_by("at")
    assert [row.verdict for row in rows] == ["confirmed", "rejected", "withdrawn"]
    assert verdicts.current(incident.pk) == {}
    assert cause.verdict == ""
    assert len(told(incident)) == 3


def test_current_at_an_earlier_moment_is_what_held_then(incident: Incident, sam: User) -> None:
    first = give(incident, sam, "confirmed", cause=cause_of(incident, 1))
    CauseVerdict.objects.filter(pk=first.pk).update(at=first.at - timedelta(hours=1))
    give(incident, sam, "rejected", cause=cause_of(incident, 1))

    then = verdicts.current(incident.pk, first.at - timedelta(minutes=1))

    assert [row.verdict for row in then.values()] == ["confirmed"]


def test_the_same_verdict_again_changes_nothing(incident: Incident, sam: User) -> None:
    first = give(incident, sam, "rejected", cause=cause_of(incident, 1), reason="No.")

    second = give(incident, sam, "rejected", cause=cause_of(incident, 1), reason="No.")

    assert (second, len(told(incident))) == (first, 1)


def test_confirming_another_cause_withdraws_the_former(incident: Incident, sam: User) -> None:
    give(incident, sam, "confirmed", cause=cause_of(incident, 1))

    give(incident, sam, "confirmed", service="dns", kind="dns_failure")

    held = verdicts.confirmed(incident.pk)
    assert held is not None
    assert (held.service, held.kind, held.title, held.cause) == (
        "dns", "dns_failure", "dns: dns failure", None,
    )  # fmt: skip
    withdrawn = CauseVerdict.objects.get(verdict="withdrawn")
    assert (withdrawn.cause, withdrawn.reason) == (
        cause_of(incident, 1), "Replaced by dns: dns failure",
    )  # fmt: skip
    assert len(told(incident)) == 3


def test_a_verdict_holds_for_later_runs_too(incident: Incident, sam: User) -> None:
    give(incident, sam, "confirmed", cause=cause_of(incident, 1))

    later = analysed(incident, telemetry_of("slow_db", since=90.0))

    assert RootCause.objects.get(analysis=later, rank=1).verdict == "confirmed"


def test_a_confirmed_cause_stays_the_summary_when_a_later_run_says_another(
    incident: Incident, sam: User
) -> None:
    cause = cause_of(incident, 1)
    give(incident, sam, "confirmed", cause=cause)

    analysed(incident, telemetry_of("oom"))

    incident.refresh_from_db()
    assert cause_of(incident, 1).service == "cart"
    assert (incident.top_cause, incident.top_cause_service, incident.top_cause_confidence) == (
        cause.title, cause.service, None,
    )  # fmt: skip


def test_a_rejected_first_cause_leaves_the_summary_empty(incident: Incident, sam: User) -> None:
    assert incident.top_cause_service == "postgres"

    give(incident, sam, "rejected", cause=cause_of(incident, 1))

    incident.refresh_from_db()
    assert (incident.top_cause, incident.top_cause_confidence) == ("", None)


def test_taking_a_rejection_back_restores_the_summary(incident: Incident, sam: User) -> None:
    before = (incident.top_cause, incident.top_cause_confidence)
    give(incident, sam, "rejected", cause=cause_of(incident, 1))

    give(incident, sam, "withdrawn", cause=cause_of(incident, 1))

    incident.refresh_from_db()
    assert (incident.top_cause, incident.top_cause_confidence) == before


def test_after_sealing_the_verdict_stands_outside_the_timeline(
    incident: Incident, sam: User
) -> None:
    lifecycle.resolve(incident_id=incident.pk, actor=sam)
    length = TimelineEvent.objects.filter(incident=incident).count()

    made = give(incident, sam, "confirmed", cause=cause_of(incident, 1))

    assert made.after_sealing is True
    assert TimelineEvent.objects.filter(incident=incident).count() == length
    assert cause_of(incident, 1).verdict == "confirmed"


def test_root_cause_text_is_the_confirmed_cause_and_why(incident: Incident, sam: User) -> None:
    before = verdicts.root_cause_text(incident.pk)
    cause = cause_of(incident, 1)

    give(incident, sam, "confirmed", cause=cause, reason="An index was dropped.")

    assert before == ""
    assert verdicts.root_cause_text(incident.pk) == f"{cause.title}. An index was dropped."


def test_withdrawing_what_was_not_given_is_refused(incident: Incident, sam: User) -> None:
    with pytest.raises(verdicts.VerdictRefused, match="no verdict on this cause to withdraw"):
        give(incident, sam, "withdrawn", cause=cause_of(incident, 1))


def test_a_verdict_on_a_merged_incident_is_refused(
    incident: Incident, make_incident: MakeIncident, sam: User
) -> None:
    cause = cause_of(incident, 1)
    merging.merge(source_id=incident.pk, target_id=make_incident("other").pk, actor=None)

    with pytest.raises(verdicts.VerdictRefused, match="was merged; judge its survivor"):
        give(incident, sam, "confirmed", cause=cause)


def test_a_cause_of_another_incident_is_refused(
    incident: Incident, make_incident: MakeIncident, sam: User
) -> None:
    with pytest.raises(verdicts.VerdictRefused, match="is not one of"):
        give(make_incident("other"), sam, "confirmed", cause=cause_of(incident, 1))


def test_nobody_and_nothing_at_fault_is_refused(incident: Incident, sam: User) -> None:
    with pytest.raises(verdicts.VerdictRefused, match="needs a cause, or the service"):
        give(incident, sam, "confirmed")


def test_the_engine_is_not_told_what_people_said(incident: Incident, sam: User) -> None:
    """A verdict changes what is shown, never what is ranked."""
    before = [(c.service, c.confidence) for c in RootCause.objects.order_by("rank")]
    give(incident, sam, "rejected", cause=cause_of(incident, 1))

    later = analysed(incident, replace(telemetry_of("slow_db")))

    after = RootCause.objects.filter(analysis=later).order_by("rank")
    assert [(c.service, c.confidence) for c in after] == before
