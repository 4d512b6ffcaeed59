"""When maintenance holds: once, weekly, across summer time, cut short."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from incidents.upkeep.spans import WEEK_SECONDS, Span, Times, next_span, over_at, span_at

HOUR = 3600.0
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC).timestamp()


def at(text: str, zone: str = "Europe/Berlin") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("moment", "holds"),
    [(-1.0, False), (0.0, True), (HOUR - 0.001, True), (HOUR, False), (WEEK_SECONDS, False)],
)
def test_window_holds_from_its_start_until_just_before_its_end(moment: float, holds: bool) -> None:
    times = Times(MONDAY, MONDAY + HOUR)

    assert (span_at(times, MONDAY + moment) is not None) == holds


@pytest.mark.parametrize("week", [0, 1, 2, 51, 520])
def test_weekly_window_holds_every_week(week: int) -> None:
    times = Times(MONDAY, MONDAY + HOUR, weekly=True)
    start = MONDAY + week * WEEK_SECONDS

    assert span_at(times, start) == Span(start, start + HOUR)
    assert span_at(times, start - 1) is None
    assert span_at(times, start + HOUR) is None


def test_weekly_window_keeps_to_the_wall_clock_when_summer_time_begins() -> None:
    # the clock goes from 02:00 to 03:00 on 2026-03-29
    times = Times(at("2026-03-24T22:00"), at("2026-03-24T23:00"), weekly=True, zone="Europe/Berlin")

    assert span_at(times, at("2026-03-31T22:00")) == Span(
        at("2026-03-31T22:00"), at("2026-03-31T23:00")
    )
    assert span_at(times, at("2026-03-31T21:59")) is None


def test_next_span_is_the_one_that_holds_or_the_one_to_come() -> None:
    times = Times(MONDAY, MONDAY + HOUR, weekly=True)

    assert next_span(times, MONDAY - WEEK_SECONDS) == Span(MONDAY, MONDAY + HOUR)
    assert next_span(times, MONDAY + 1) == Span(MONDAY, MONDAY + HOUR)
    assert next_span(times, MONDAY + HOUR) == Span(
        MONDAY + WEEK_SECONDS, MONDAY + WEEK_SECONDS + HOUR
    )


def test_no_occasion_begins_after_the_last_day_of_a_repetition() -> None:
    until = MONDAY + 2 * WEEK_SECONDS
    times = Times(MONDAY, MONDAY + HOUR, weekly=True, until=until)

    assert span_at(times, until) == Span(until, until + HOUR)
    assert span_at(times, until + WEEK_SECONDS) is None
    assert next_span(times, until + HOUR) is None
    assert over_at(times) == until + HOUR


def test_cancelled_window_ends_there() -> None:
    times = Times(MONDAY, MONDAY + HOUR, over=MONDAY + 60)

    assert span_at(times, MONDAY + 59) == Span(MONDAY, MONDAY + 60)
    assert span_at(times, MONDAY + 60) is None
    assert over_at(times) == MONDAY + 60


@pytest.mark.parametrize(
    ("times", "moment"),
    [
        (Times(MONDAY, MONDAY + HOUR), MONDAY + HOUR),
        (Times(MONDAY, MONDAY + HOUR, weekly=True), None),
        (Times(MONDAY, MONDAY + HOUR, weekly=True, over=MONDAY + 5), MONDAY + 5),
        (Times(MONDAY, MONDAY + HOUR, weekly=True, until=MONDAY - 1), MONDAY),
    ],
)
def test_over_at_is_when_it_never_holds_again(times: Times, moment: float | None) -> None:
    assert over_at(times) == moment


def test_window_longer_than_six_days_still_repeats() -> None:
    length = 6.5 * 86_400
    times = Times(MONDAY, MONDAY + length, weekly=True)

    assert span_at(times, MONDAY + WEEK_SECONDS + length - 1) == Span(
        MONDAY + WEEK_SECONDS, MONDAY + WEEK_SECONDS + length
    )
