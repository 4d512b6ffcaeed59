"""When a window of time holds, once or every week; pure.

A weekly window keeps to the wall clock of its time zone: 02:00 stays 02:00 when summer time
begins and ends, and each occasion lasts as long as the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

WEEK_SECONDS = 7 * 86_400
SHIFT_SECONDS = 3 * 3600
"""No time zone moves its clock by more between two weeks (whole days at the date line aside)."""
LONGEST_WEEKLY = WEEK_SECONDS - SHIFT_SECONDS


@dataclass(frozen=True)
class Span:
    """From `start` until just before `end`, UTC epoch seconds."""

    start: float
    end: float

    def holds(self, at: float) -> bool:
        return self.start <= at < self.end

    @property
    def starts_at(self) -> datetime:
        return datetime.fromtimestamp(self.start, UTC)

    @property
    def ends_at(self) -> datetime:
        return datetime.fromtimestamp(self.end, UTC)


@dataclass(frozen=True)
class Times:
    """The first occasion, and how it repeats; UTC epoch seconds.

    No occasion begins after `until`; none reaches beyond `over`.
    """

    start: float
    end: float
    weekly: bool = False
    zone: str = "UTC"
    until: float | None = None
    over: float | None = None


def span_at(times: Times, at: float) -> Span | None:
    """The occasion that holds at `at`, None when none does."""
    return next((span for span in _near(times, at) if span.holds(at)), None)


def next_span(times: Times, at: float) -> Span | None:
    """The occasion that holds at `at`, else the first that begins after it, None when over."""
    return next((span for span in _near(times, at) if span.end > at), None)


def over_at(times: Times) -> float | None:
    """The moment after which it never holds again; None when there is no such moment."""
    if not times.weekly:
        last: float | None = times.end
    elif times.until is None:
        last = None
    else:
        # the last occasion begins at or before `until`: look from a week before it
        spans = list(_near(times, times.until))
        last = spans[-1].end if spans else times.start
    known = [moment for moment in (last, times.over) if moment is not None]
    return min(known) if known else None


def _near(times: Times, at: float) -> Iterator[Span]:
    """The occasions around `at`, earliest first: enough to hold the current and the next one."""
    length = times.end - times.start
    first = int((at - length - times.start) // WEEK_SECONDS) - 1 if times.weekly else 0
    weeks = range(max(0, first), max(0, first) + 4 + int(length // WEEK_SECONDS))
    for week in weeks if times.weekly else (0,):
        start = _weeks_later(times.start, week, times.zone)
        if times.until is not None and start > times.until:
            return
        end = start + length if times.over is None else min(start + length, times.over)
        if end > start:
            yield Span(start, end)


def _weeks_later(start: float, weeks: int, zone: str) -> float:
    """The same wall time so many weeks later; one that the clock skips is moved by the skip."""
    if not weeks:
        return start
    local = datetime.fromtimestamp(start, ZoneInfo(zone))
    later = local.replace(tzinfo=None) + timedelta(weeks=weeks)
    return later.replace(tzinfo=ZoneInfo(zone), fold=local.fold).timestamp()
