"""What may be concluded from an Alertmanager's list: each safeguard, one by one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incidents.intake.received import ReceivedAlert, Unacceptable, identity
from incidents.upkeep.alertmanager_api import HeldAlert, Reading, held_alerts
from incidents.upkeep.comparison import Comparison, OpenSeries, compare
from incidents.upkeep.quieting import in_words

CONTRACTS = Path(__file__).parents[2] / "contracts" / "alertmanager"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LABELS = {"alertname": "HighErrorRate", "service": "checkout"}
KEY = identity(LABELS, [])
ABSENT = NOW - timedelta(minutes=6)


def held(
    state: str = "active", by: Any = None, age_seconds: float = 3600, **more: str
) -> HeldAlert:
    alert = ReceivedAlert(
        firing=True,
        labels={**LABELS, **more},
        annotations={},
        fingerprint="".join(more.values()) or "aaaa",
        generator_url="",
        starts_at=NOW - timedelta(seconds=age_seconds),
    )
    return HeldAlert(alert, state, by or {}, ("studio",))


def reading(
    *alerts: HeldAlert, up_hours: float | None = 24, settled: bool | None = True
) -> Reading:
    up_since = None if up_hours is None else NOW - timedelta(hours=up_hours)
    return Reading(alerts, up_since, settled, "0.28.1")


def compared(*readings: Reading, known: Any = None, **changed: Any) -> Comparison:
    series = OpenSeries(KEY, NOW - timedelta(minutes=10), {}, ABSENT)
    arguments: dict[str, Any] = {
        "unread": 0,
        "ignored_labels": ["replica"],
        "receivers": {"studio"},
        "asked_at": NOW - timedelta(seconds=1),
        "now": NOW,
        "settle_seconds": 600,
        "absent_seconds": 300,
        "lost_after_seconds": 600,
    }
    return compare(readings, [series] if known is None else known, **(arguments | changed))


def test_listed_alert_is_firing() -> None:
    found = compared(reading(held()))

    assert found == Comparison(listed={KEY}, loud={KEY})


def test_alert_that_no_alertmanager_lists_is_over() -> None:
    assert compared(reading(), reading()) == Comparison(over={KEY})


def test_alert_that_is_not_listed_for_the_first_time_may_still_end_or_come_back() -> None:
    known = [OpenSeries(KEY, NOW - timedelta(minutes=10), {})]

    assert compared(reading(), known=known) == Comparison(absent={KEY})


def test_alert_that_has_not_been_listed_for_a_short_time_waits() -> None:
    known = [OpenSeries(KEY, NOW - timedelta(minutes=10), {}, NOW - timedelta(minutes=4))]

    assert compared(reading(), known=known) == Comparison()


@pytest.mark.parametrize(
    "readings",
    [
        [reading(up_hours=0.1)],
        [reading(up_hours=None)],
        [reading(settled=False)],
        [reading(), reading(up_hours=0.1)],
    ],
)
def test_nothing_is_over_by_the_word_of_one_that_cannot_know(readings: list[Reading]) -> None:
    found = compared(*readings)

    assert (found.over, found.uncertain, len(found.doubts)) == (set(), {KEY}, 1)


def test_nothing_is_over_while_one_alertmanager_is_unread() -> None:
    found = compared(reading(), unread=1)

    assert found == Comparison(uncertain={KEY}, doubts=["1 of 2 Alertmanagers did not answer"])


def test_alert_heard_of_since_we_asked_is_not_over() -> None:
    known = [OpenSeries(KEY, NOW, {})]

    assert compared(reading(), known=known) == Comparison()


def test_silenced_alert_is_suppressed_by_its_silences() -> None:
    found = compared(reading(held("suppressed", {"silences": ("b", "a")})))

    assert found == Comparison(listed={KEY}, quieted={KEY: {"silences": ["a", "b"]}})


def test_known_suppression_is_no_news() -> None:
    known = [OpenSeries(KEY, NOW, {"silences": ["a"]})]

    found = compared(reading(held("suppressed", {"silences": ("a",)})), known=known)

    assert found == Comparison(listed={KEY})


def test_series_is_loud_while_one_of_its_members_is() -> None:
    quiet, loud = held("suppressed", {"silences": ("a",)}), held(replica="b")
    known = [OpenSeries(KEY, NOW, {"silences": ["a"]})]

    found = compared(reading(quiet, loud), known=known)

    assert found == Comparison(listed={KEY}, loud={KEY}, loud_again={KEY})


def test_muted_alert_counts_as_suppressed() -> None:
    found = compared(reading(held("active", {"intervals": ("nights",)})))

    assert found.quieted == {KEY: {"intervals": ["nights"]}}


def test_unknown_active_alert_of_our_receiver_was_lost() -> None:
    found = compared(reading(held(), held(replica="b")), known=[])

    assert [one.fingerprint for one in found.lost] == ["aaaa", "b"]


@pytest.mark.parametrize(
    ("alert", "receivers"),
    [
        (held(), {"another"}),
        (held(), set()),
        (held(age_seconds=599), {"studio"}),
        (held("suppressed", {"silences": ("a",)}), {"studio"}),
        (held("unprocessed"), {"studio"}),
        (held("active", {"intervals": ("nights",)}), {"studio"}),
    ],
)
def test_what_may_not_have_been_ours_to_hear_is_not_taken_in(
    alert: HeldAlert, receivers: set[str]
) -> None:
    assert compared(reading(alert), known=[], receivers=receivers).lost == []


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ({"silences": ["2c6d"], "alerts": ["ff"]}, "alert ff, silence 2c6d"),
        ({"intervals": ["nights"]}, "time interval nights"),
        ({"unknown": []}, "its Alertmanager"),
    ],
)
def test_suppression_is_said_in_words(by: Any, words: str) -> None:
    assert in_words(by) == words


def answer(name: str) -> Any:
    return json.loads((CONTRACTS / f"{name}.json").read_text())["response"]["body"]


def test_recorded_answers_are_read() -> None:
    active, silenced = held_alerts(answer("alerts")), held_alerts(answer("alerts_suppressed"))

    assert [one.alert.labels["service"] for one in active] == ["payment-processing", "checkout"]
    assert (active[0].state, active[0].quieted_by, active[0].receivers) == (
        "active",
        {},
        ("studio",),
    )
    assert (silenced[0].state, silenced[0].quieted_by) == (
        "suppressed",
        {"silences": ("2c6d73f4-720d-4df4-9328-3c28adab6b7f",)},
    )
    assert held_alerts(answer("alerts_none")) == ()


@pytest.mark.parametrize(
    "body",
    [
        {"status": "success", "data": []},
        "an error",
        None,
        [1],
        [{"labels": {"a": "b"}}],
        [{"labels": {}, "status": {"state": "active"}}],
        [{"labels": {"a": "b"}, "status": {"state": "active", "silencedBy": "x"}}],
        [{"labels": {"a": "b"}, "status": {"state": "active"}, "receivers": ["x"]}],
    ],
)
def test_answer_that_is_not_whole_is_refused(body: Any) -> None:
    with pytest.raises(Unacceptable):
        held_alerts(body)
