"""Which channels a change is told to, and when."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from incidents.notify.matching import Rule, Subject, judge, tellings
from incidents.notify.quiet import Quiet

SLACK, PAGER, MAIL = UUID(int=1), UUID(int=2), UUID(int=3)
CHECKOUT, SEARCH = UUID(int=11), UUID(int=12)
AT = datetime(2026, 3, 4, 23, tzinfo=UTC)
MORNING = datetime(2026, 3, 5, 7, tzinfo=UTC)
NIGHT = Quiet(time(22), time(7), "UTC")


def subject(*events: str, **columns: Any) -> Subject:
    columns = {
        "severities": frozenset({"high"}),
        "environment": "production",
        "services": frozenset({CHECKOUT}),
        "at": AT,
        **columns,
    }
    return Subject(events=events or ("opened",), **columns)


def rule(name: str = "all", **columns: Any) -> Rule:
    columns = {"events": frozenset({"opened", "resolved"}), "channels": {SLACK: "slack"}, **columns}
    return Rule(name=name, **columns)


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({}, ""),
        ({"events": frozenset({"resolved"})}, "another event"),
        ({"environment": "staging"}, "another environment"),
        ({"services": frozenset({SEARCH})}, "another service"),
        ({"services": frozenset({SEARCH, CHECKOUT})}, ""),
        ({"severity_at_least": "critical"}, "less severe"),
        ({"severity_at_least": "high"}, ""),
    ],
)
def test_judge_says_why_a_rule_does_not_fit(columns: dict[str, Any], why: str) -> None:
    assert judge(rule(**columns), subject()).why == why


def test_severity_that_falls_is_told_by_what_it_was() -> None:
    fallen = subject("severity_changed", severities=frozenset({"critical", "low"}))
    wanted = rule(events=frozenset({"severity_changed"}), severity_at_least="critical")

    assert judge(wanted, fallen).why == ""


def test_channel_that_heard_of_an_incident_hears_on_when_it_is_lowered() -> None:
    lowered = subject("resolved", severities=frozenset({"low"}))
    severe = rule(severity_at_least="high")

    assert tellings([severe], lowered) == []
    assert [one.channel for one in tellings([severe], lowered, {SLACK})] == [SLACK]


def test_heartbeat_rule_hears_of_the_incident_that_silence_opened() -> None:
    stopped = subject("opened", "heartbeat_stopped")

    assert judge(rule(events=frozenset({"heartbeat_stopped"})), stopped).why == ""


def test_quiet_hours_hold_until_they_end_or_drop() -> None:
    held = tellings([rule(quiet=NIGHT)], subject())
    dropped = tellings([rule(quiet=NIGHT, quiet_drops=True)], subject())

    assert [one.due_at for one in held] == [MORNING]
    assert dropped == []


def test_critical_breaks_through_quiet_hours_unless_the_rule_says_otherwise() -> None:
    critical = subject(severities=frozenset({"critical"}))

    (through,) = tellings([rule(quiet=NIGHT)], critical)
    (held,) = tellings([rule(quiet=NIGHT, critical_breaks_through=False)], critical)

    assert (through.due_at, through.broke_through) == (AT, True)
    assert (held.due_at, held.broke_through) == (MORNING, False)


def test_channel_of_several_rules_is_told_once_at_the_earliest() -> None:
    rules = [rule("night", quiet=NIGHT), rule("always"), rule("drops", quiet=NIGHT)]

    (told,) = tellings(rules, subject())

    assert (told.due_at, told.rules) == (AT, ("night", "always", "drops"))


def test_pagerduty_is_told_what_it_understands() -> None:
    both = rule(events=frozenset({"mitigated"}), channels={SLACK: "slack", PAGER: "pagerduty"})

    assert [one.channel for one in tellings([both], subject("mitigated"))] == [SLACK]


@pytest.mark.parametrize("event", ["resolved", "merged"])
def test_pagerduty_that_was_told_of_an_incident_is_told_of_its_end(event: str) -> None:
    openings = rule(events=frozenset({"opened"}), channels={MAIL: "email", PAGER: "pagerduty"})

    assert tellings([openings], subject(event)) == []
    assert [one.channel for one in tellings([openings], subject(event), {PAGER, MAIL})] == [PAGER]


def test_rule_without_channels_tells_nobody() -> None:
    assert tellings([rule(channels={})], subject(at=AT + timedelta(days=1))) == []
