"""The period an error budget is for: the last 28 days, or this calendar month in Berlin.

Pure. Moments are UTC epoch seconds; a calendar period begins and ends at wall-clock times of
its time zone, so that one with a clock change in it is an hour shorter or longer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SECONDS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
MONTHS = {"M": 1, "Q": 3, "Y": 12}
MONTH_SECONDS = 30.4375 * SECONDS["d"]
"""The mean one of the Gregorian calendar."""
_SHORTHAND = re.compile(r"([1-9][0-9]{0,4})([mhdwMQY])")
FIRST_MONDAY = datetime(1970, 1, 5)  # noqa: DTZ001  (wall clock)
FIRST_YEAR = datetime(1970, 1, 1)  # noqa: DTZ001  (wall clock)


@dataclass(frozen=True)
class Period:
    """`count` of `unit` (m h d w M Q Y, as OpenSLO writes durations).

    Calendar periods follow one another from `anchor`, a local wall-clock time; None means the
    natural one: midnight, Monday, the first of a month, quarter or year. Months are for the
    calendar only. Raises ValueError for what is no period.
    """

    count: int
    unit: str
    rolling: bool = True
    time_zone: str = "UTC"
    anchor: datetime | None = None

    def __post_init__(self) -> None:
        if self.count < 1 or (self.unit not in SECONDS and self.unit not in MONTHS):
            raise ValueError(f"{self.count}{self.unit} is not a duration such as 28d or 1M.")
        if self.rolling and self.unit in MONTHS:
            raise ValueError("A rolling window has a fixed length: give days or weeks.")
        if not self.rolling and self.unit in ("m", "h"):
            raise ValueError("A calendar window is a day or longer.")
        if self.anchor is not None and self.anchor.tzinfo is not None:
            raise ValueError("A calendar window starts at a wall-clock time of its time zone.")
        if self.rolling or self.anchor == self._natural():
            object.__setattr__(self, "anchor", None)  # equal periods compare equal

    @classmethod
    def parse(
        cls,
        shorthand: str,
        *,
        rolling: bool = True,
        time_zone: str = "UTC",
        anchor: datetime | None = None,
    ) -> Period:
        match = _SHORTHAND.fullmatch(shorthand)
        if match is None:
            raise ValueError(f"{shorthand!r} is not a duration such as 28d, 4w, 1M or 1Q.")
        return cls(int(match[1]), match[2], rolling, time_zone, anchor)

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    def bounds(self, at: float) -> tuple[float, float]:
        """The period `at` lies in: from its start (included) to its end (excluded for calendar
        periods; a rolling one ends at `at`)."""
        if self.rolling:
            return at - self.count * SECONDS[self.unit], at
        zone = ZoneInfo(self.time_zone)
        local = datetime.fromtimestamp(at, UTC).astimezone(zone).replace(tzinfo=None)
        number = self._number(local)
        while self._epoch(number + 1, zone) <= at:  # the repeated hour of a clock change
            number += 1
        while self._epoch(number, zone) > at:
            number -= 1
        return self._epoch(number, zone), self._epoch(number + 1, zone)

    def passed(self, at: float) -> float:
        """The share of the period `at` lies in that has passed, 0..1; 1 of a rolling one."""
        start, end = self.bounds(at)
        return min((at - start) / (end - start), 1.0)

    def seconds(self, at: float) -> float:
        """Its length: of a calendar period, of the one that `at` lies in."""
        start, end = self.bounds(at)
        return end - start

    def _number(self, local: datetime) -> int:
        """Which period since the anchor's, 0 being that one, by the wall clock."""
        first = self.first()
        if self.unit in MONTHS:
            months = (local.year - first.year) * 12 + local.month - first.month
            return months // (self.count * MONTHS[self.unit])
        return (local - first) // timedelta(seconds=self.count * SECONDS[self.unit])

    def first(self) -> datetime:
        """The wall-clock start of period 0."""
        return self.anchor if self.anchor is not None else self._natural()

    def _natural(self) -> datetime:
        return FIRST_MONDAY if self.unit == "w" else FIRST_YEAR

    def _epoch(self, number: int, zone: ZoneInfo) -> float:
        """When the period of this number starts; a wall-clock time that a clock change skips is
        taken as the moment of the change."""
        first = self.first()
        if self.unit in MONTHS:
            month = first.month - 1 + number * self.count * MONTHS[self.unit]
            year, month = first.year + month // 12, month % 12 + 1
            wall = _clamped(first, year, month)
        else:
            wall = first + number * timedelta(seconds=self.count * SECONDS[self.unit])
        return wall.replace(tzinfo=zone).timestamp()


def mean_seconds(period: Period) -> float:
    """Its length; of a calendar period in months, the mean one's."""
    if period.unit in SECONDS:
        return period.count * SECONDS[period.unit]
    return period.count * MONTHS[period.unit] * MONTH_SECONDS


def _clamped(first: datetime, year: int, month: int) -> datetime:
    """The anchor's day in that month, or its last day where the month is shorter."""
    following = datetime(year + month // 12, month % 12 + 1, 1)  # noqa: DTZ001  (wall clock)
    last = (following - timedelta(days=1)).day
    return first.replace(year=year, month=month, day=min(first.day, last))
