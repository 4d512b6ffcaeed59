"""Quiet hours on the clocks of people."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from incidents.notify.quiet import Quiet

NIGHT = Quiet(time(22), time(7), "Europe/Berlin")
LUNCH = Quiet(time(12), time(13), "UTC")
WEEKEND = Quiet(time(0), time(0), "UTC", frozenset({5, 6}))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "at", "until"),
    [
        (LUNCH, "2026-03-04 11:59:59", None),
        (LUNCH, "2026-03-04 12:00:00", "2026-03-04 13:00:00"),
        (LUNCH, "2026-03-04 13:00:00", None),
        # over midnight, an hour ahead of UTC in winter, two in summer
        (NIGHT, "2026-01-15 20:59:00", None),
        (NIGHT, "2026-01-15 21:00:00", "2026-01-16 06:00:00"),
        (NIGHT, "2026-01-16 03:00:00", "2026-01-16 06:00:00"),
        (NIGHT, "2026-07-15 20:00:00", "2026-07-16 05:00:00"),
        # the nights in which clocks are set forward and back
        (NIGHT, "2026-03-28 21:30:00", "2026-03-29 05:00:00"),
        (NIGHT, "2026-10-24 20:30:00", "2026-10-25 06:00:00"),
        # whole days that follow each other are one
        (WEEKEND, "2026-03-06 23:59:59", None),
        (WEEKEND, "2026-03-07 00:00:00", "2026-03-09 00:00:00"),
        (WEEKEND, "2026-03-08 12:00:00", "2026-03-09 00:00:00"),
    ],
)
def test_until_is_when_the_quiet_ends(quiet: Quiet, at: str, until: str | None) -> None:
    assert quiet.until(utc(at)) == (utc(until) if until else None)


def test_day_is_the_one_on_which_the_night_begins() -> None:
    friday = Quiet(time(22), time(7), "UTC", frozenset({4}))

    found = [friday.until(utc(at)) for at in ("2026-03-07 03:00:00", "2026-03-06 03:00:00")]

    assert found == [utc("2026-03-07 07:00:00"), None]
