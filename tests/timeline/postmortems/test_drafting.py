"""Sentences from facts: a table of made-up incidents, no database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from timeline.postmortems.drafting import DRAFTS, draft
from timeline.postmortems.drafting.suggesting import suggestions
from timeline.postmortems.drafting.wording import lasted, pace
from timeline.postmortems.facts import Affected, Cause, Facts, Happened, Typical, cited

START = 1_800_000_000.0


def event(number: int, kind: str, title: str, after: float, **more: object) -> Happened:
    return Happened(
        str(number),
        f"/incidents/INC-7#event-{number}",
        kind,
        "info",
        title,
        START + after,
        **more,  # type: ignore[arg-type]
    )


def facts(**more: object) -> Facts:
    """An alert found it after 30 s, sam took it up after 4 min, mitigated and resolved it."""
    told = Facts(
        reference="INC-7",
        title="Payments fail",
        severity="critical",
        environment="production",
        opened_from="alert",
        started_at=START,
        ttd=30.0,
        mtta=240.0,
        ttm=600.0,
        mttr=900.0,
        services=(Affected("payments", "primary", True, "https://runbooks.example.com/payments"),),
        events=(
            event(1, "incident_created", "Incident opened by an alert: Payments fail", 30),
            event(2, "alert_firing", "Alert HighErrorRate firing on payments", 20),
            event(3, "metric_spike", "payments: error rate rose from 0 % to 40 %", 5),
            event(4, "change", "payments: v2 to v3", -20),
            event(5, "root_cause_identified", "Root cause: payments: bad deploy", 60),
            event(6, "status_changed", "sam acknowledged the incident", 240, by="sam"),
            event(7, "mitigation_applied", "Mitigated by sam", 600, by="sam", body="Rolled back"),
            event(8, "alert_resolved", "Alert HighErrorRate resolved on payments", 700),
            event(
                9, "status_changed", "sam resolved the incident", 900, by="sam",
                data={"to": "resolved"},
            ),
            event(10, "incident_resolved", "Incident resolved after 15 min", 900),
        ),
        cause=Cause(
            title="payments: bad deploy",
            service="payments",
            confidence=0.92,
            change="deploy v3 at 10:00:00 UTC, 25 s before the trouble",
            changed=("error rate rose",),
            checks=(("act", "Roll back the deploy of payments."), ("confirm", "Wait.")),
        ),
    )  # fmt: skip
    return replace(told, **more)  # type: ignore[arg-type]


def link(number: int) -> str:
    return f"[event {number}](/incidents/INC-7#event-{number})"


def test_every_section_is_drafted_and_cites_the_record() -> None:
    for name in DRAFTS:
        assert draft(name, facts()) != "", name
    assert draft("appendix", facts()) == ""


def test_summary_says_what_when_and_how_long() -> None:
    assert draft("summary", facts()) == (
        "On 2027-01-15 08:00:00 UTC a critical incident began in production: Payments fail. "
        f"It affected payments ({link(1)}). The most likely cause, with a confidence of 92 %, "
        f"which nobody has confirmed: payments: bad deploy ({link(5)}). "
        f"It was resolved after 15 min ({link(10)})."
    )


def test_confirmed_cause_is_told_as_such() -> None:
    confirmed = replace(facts().cause or Cause(), confirmed="ana")

    assert "ana confirmed the cause: payments: bad deploy" in draft(
        "summary", facts(cause=confirmed)
    )


def test_trigger_is_the_change_that_is_blamed() -> None:
    assert draft("trigger", facts()) == (
        "The analysis blames a change: deploy v3 at 10:00:00 UTC, 25 s before the trouble "
        f"({link(4)})."
    )


def test_trigger_without_a_change_says_that_it_is_not_known() -> None:
    told = draft("trigger", facts(cause=None))

    assert told == (
        "No change on record is to blame, so what set it off is not known.\n\n"
        "The first that was seen of it: payments: error rate rose from 0 % to 40 %, "
        f"08:00:05 UTC ({link(3)})."
    )


def test_detection_tells_first_signal_alert_and_acknowledgement_beside_the_typical() -> None:
    told = draft("detection", facts(typical_mtta=Typical(120.0, 14)))

    assert told.split("\n\n") == [
        "The first signal was at 08:00:05 UTC, 25 s before the incident was opened: payments: "
        f"error rate rose from 0 % to 40 % ({link(3)}).",
        "It was found by a machine: Alert HighErrorRate firing on payments "
        f"({link(2)}, {link(1)}).",
        f"It took 30 s from the start to detection ({link(1)}).",
        "sam took it up 4 min after the start; the median of 14 earlier incidents is 2 min "
        f"({link(6)}).",
    ]


def test_resolution_says_who_did_what_when() -> None:
    told = draft("resolution", facts(resolution="Rolled **back**")).split("\n\n")

    assert told == [
        f"sam mitigated it after 10 min, at 08:10:00 UTC: Rolled back ({link(7)}).",
        "What fixed it, as recorded:",
        "> Rolled **back**",
        f"sam resolved it after 15 min ({link(10)}).",
        f"Services confirmed recovered: 1/1 ({link(10)}).",
    ]


def test_quick_alert_and_runbook_went_well() -> None:
    told = draft("went_well", facts())

    assert told.splitlines() == [
        f"- An alert found it 30 s after the start ({link(1)}).",
        f"- A likely cause was on the page 1 min after the start ({link(5)}).",
        "- There was a runbook for [payments](<https://runbooks.example.com/payments>).",
    ]


def test_nothing_on_record_is_said_instead_of_left_empty() -> None:
    assert draft("went_wrong", facts()) == "Nothing on record stands out."
    assert draft("were_lucky", facts()) == "Nothing on record points to luck."


def without(*kinds: str) -> tuple[Happened, ...]:
    return tuple(one for one in facts().events if one.kind not in kinds)


def test_gaps_of_the_record_went_wrong() -> None:
    told = draft(
        "went_wrong",
        facts(
            opened_from="manual",
            typical_mtta=Typical(60.0, 9),
            events=(
                *without("alert_firing", "alert_resolved"),
                event(11, "source_unavailable", "loki unavailable: timed out", 70),
            ),
            services=(Affected("payments", "primary", False),),
        ),
    )

    assert told.splitlines() == [
        f"- No alert fired: it was found by other means ({link(1)}).",
        "- It took 4 min until somebody took it up; the median of 9 earlier incidents is 1 min "
        f"({link(6)}).",
        f"- loki unavailable: timed out ({link(11)}).",
        f"- It was resolved before payments had been seen to recover ({link(10)}).",
        "- There is no runbook for payments.",
    ]


def test_alerts_that_ended_before_anybody_came_are_luck() -> None:
    late = tuple(
        replace(one, at=START + 800)
        if one.kind in ("status_changed", "mitigation_applied")
        else one
        for one in facts().events
    )

    told = draft("were_lucky", facts(events=late))

    assert told == f"- Its alerts ended before anybody had taken it up ({link(8)}, {link(6)})."


def test_what_is_missing_is_an_open_question() -> None:
    cause = Cause(inconclusive=True, missing=("no logs were gathered",), against=("cart slow",))

    told = draft("open_questions", facts(cause=cause)).splitlines()

    assert told == [
        "- What was the cause? The analysis names none.",
        "- What set it off? No change is on record that is to blame.",
        "- What explains this: cart slow?",
        "- Missing evidence: no logs were gathered.",
        "- What did it cost users? Nothing measured it.",
    ]


def test_actions_come_from_the_cause_and_from_gaps() -> None:
    bare = facts(
        events=without("alert_firing", "alert_resolved"),
        services=(Affected("payments", "primary", True),),
    )

    assert [one.title for one in suggestions(bare)] == [
        "Keep this from happening again: payments: bad deploy",
        "Find out why the change to payments was not held back before it did harm",
        "Roll back the deploy of payments",
        "Add an alert that finds this at payments",
        "Write a runbook for payments",
        "Define an SLO for payments",
    ]


def test_key_of_an_advice_does_not_change_with_its_figures() -> None:
    def key(text: str) -> str:
        cause = Cause(checks=(("act", text),))
        return next(o.key for o in suggestions(facts(cause=cause)) if o.key.startswith("check:"))

    assert key("Raise the pool above 20 connections") == key("Raise the pool above 24 connections")


def test_record_is_retold_by_when_things_happened() -> None:
    told = draft("timeline", facts()).splitlines()

    assert told[:2] == [
        f"- **2027-01-15 07:59:40 UTC** payments: v2 to v3 ({link(4)})",
        f"- **08:00:20 UTC** Alert HighErrorRate firing on payments ({link(2)})",
    ]


@pytest.mark.parametrize(
    ("seconds", "typical", "said"),
    [
        (30.0, Typical(), "quick"),
        (300.0, Typical(), "usual"),
        (1000.0, Typical(), "slow"),
        (30.0, Typical(60.0, 5), "quick"),
        (60.0, Typical(60.0, 5), "usual"),
        (91.0, Typical(60.0, 5), "slow"),
    ],
)
def test_pace_is_judged_by_what_is_typical(seconds: float, typical: Typical, said: str) -> None:
    assert pace(seconds, typical) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "0 s"), (59.6, "1 min"), (2531.4, "42 min 11 s"), (90061.0, "1 d 1 h")],
)
def test_durations_are_told_in_their_two_largest_units(seconds: float, said: str) -> None:
    assert lasted(seconds) == said


def test_texts_of_the_record_are_no_markup() -> None:
    assert cited("Alert <b>*x*</b> fired.", [event(3, "note", "n", 0)]) == (
        f"Alert \\<b\\>\\*x\\*\\</b\\> fired ({link(3)})."
    )
