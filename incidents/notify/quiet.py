"""Quiet hours: when they hold, and until when; no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MOST_SPANS = 8
"""Spans that follow each other without a pause are one, up to a week of them."""


@dataclass(frozen=True)
class Quiet:
    """From `start` to `end` on the clock of `zone`; over midnight where `end` is not later.

    `days` are those on which it starts, 0 for Monday; none means every day.
    """

    start: time
    end: time
    zone: str
    days: frozenset[int] = frozenset()

    def until(self, at: datetime) -> datetime | None:
        """When the quiet that holds at `at` ends, in UTC; None when none holds."""
        ends: datetime | None = None
        moment = at
        for _ in range(MOST_SPANS):
            found = self._end_of_span(moment)
            if found is None:
                break
            ends = moment = found
        return ends

    def _end_of_span(self, at: datetime) -> datetime | None:
        covering = [end for start, end in self._spans(at) if start <= at < end]
        return max(covering, default=None)

    def _spans(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        zone = ZoneInfo(self.zone)
        today = at.astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            if self.days and day.weekday() not in self.days:
                continue
            last = day if self.end > self.start else day + timedelta(days=1)
            yield _moment(day, self.start, zone), _moment(last, self.end, zone)


def _moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """In UTC: two local times of one zone compare by the clock, also where it was set back."""
    return datetime.combine(day, clock, zone).astimezone(UTC)
