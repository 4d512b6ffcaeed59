from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slos.periods import Period

DAY = 86400.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("period", "moment", "start", "end"),
    [
        (
            Period.parse("28d"),
            "2026-03-29T12:00:00+00:00",
            "2026-03-01T12:00:00+00:00",
            "2026-03-29T12:00:00+00:00",
        ),
        (
            Period.parse("1M", rolling=False),
            "2026-02-10T00:00:00+00:00",
            "2026-02-01T00:00:00+00:00",
            "2026-03-01T00:00:00+00:00",
        ),
        (  # the clocks go forward on the 29th: the month is an hour short
            Period.parse("1M", rolling=False, time_zone="Europe/Berlin"),
            "2026-03-30T00:00:00+00:00",
            "2026-03-01T00:00:00+01:00",
            "2026-04-01T00:00:00+02:00",
        ),
        (  # and back on 25 October
            Period.parse("1d", rolling=False, time_zone="Europe/Berlin"),
            "2026-10-25T12:00:00+00:00",
            "2026-10-25T00:00:00+02:00",
            "2026-10-26T00:00:00+01:00",
        ),
        (
            Period.parse("1w", rolling=False),
            "2026-11-22T23:59:59+00:00",
            "2026-11-16T00:00:00+00:00",
            "2026-11-23T00:00:00+00:00",
        ),
        (
            Period.parse("1Q", rolling=False, time_zone="America/New_York"),
            "2026-01-01T04:59:59+00:00",
            "2025-10-01T00:00:00-04:00",
            "2026-01-01T00:00:00-05:00",
        ),
        (
            Period.parse("1M", rolling=False, anchor=datetime(2026, 1, 31)),  # noqa: DTZ001
            "2026-03-01T00:00:00+00:00",
            "2026-02-28T00:00:00+00:00",
            "2026-03-31T00:00:00+00:00",
        ),
    ],
    ids=str,
)
def test_bounds_are_wall_clock_times(period: Period, moment: str, start: str, end: str) -> None:
    assert period.bounds(at(moment)) == (at(start), at(end))


@pytest.mark.parametrize(
    ("period", "share"),
    [(Period.parse("30d"), 1.0), (Period.parse("1M", rolling=False), 9.75 / 28)],
)
def test_share_that_has_passed_is_all_of_a_rolling_period(period: Period, share: float) -> None:
    assert period.passed(at("2026-02-10T18:00:00+00:00")) == pytest.approx(share)


def test_month_with_a_clock_change_is_an_hour_shorter() -> None:
    march = Period.parse("1M", rolling=False, time_zone="Europe/Berlin")

    assert march.seconds(at("2026-03-15T00:00:00+00:00")) == 31 * DAY - 3600


@pytest.mark.parametrize("text", ["", "28", "d", "0d", "-1d", "1.5d", "28 d", "1y", "1s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        Period.parse(text)


@pytest.mark.parametrize(("text", "rolling"), [("1M", True), ("1Q", True), ("1h", False)])
def test_what_is_no_window_is_refused(text: str, rolling: bool) -> None:
    with pytest.raises(ValueError, match="window"):
        Period.parse(text, rolling=rolling)


@given(
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001
    unit=st.sampled_from(["d", "w", "M", "Q", "Y"]),
    count=st.integers(1, 5),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_calendar_periods_cover_each_moment_once(
    moment: datetime, unit: str, count: int, zone: str
) -> None:
    period = Period(count, unit, rolling=False, time_zone=zone)
    now = moment.replace(tzinfo=UTC).timestamp()

    start, end = period.bounds(now)

    assert start <= now < end
    assert period.bounds(start) == (start, end)
    assert period.bounds(end)[0] == end
