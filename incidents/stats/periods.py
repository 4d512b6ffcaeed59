"""Days, weeks (from Monday) and months of a time zone. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

PERIODS = ("day", "week", "month")


def first_day(day: date, period: str) -> date:
    """Of the period the day is in."""
    if period == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday() if period == "week" else 0)


def following(first: date, period: str) -> date:
    """The first day of the next period."""
    if period == "month":
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if period == "week" else 1)


def periods(since: date, until: date, period: str) -> list[date]:
    """First days of all periods that have a day from `since` to `until`, both included."""
    found = [first_day(since, period)]
    while (after := following(found[-1], period)) <= until:
        found.append(after)
    return found


def midnight(day: date, zone: tzinfo) -> datetime:
    """When the day begins there."""
    return datetime.combine(day, time.min, tzinfo=zone)
