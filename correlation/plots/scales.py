"""Numbers behind a plot: usable samples, ranges, round ticks, gaps. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

Points = Sequence[Sequence[float | None]]
Sample = tuple[float, float]

TIME_STEPS_SECONDS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)
GAP_STEPS = 3.0
"""Samples further apart than this many of their usual steps have a gap between them."""


@dataclass(frozen=True)
class Scale:
    """Time (epoch s) to percent of the width, value to pixels of `height` from the top."""

    start: float
    end: float
    low: float
    high: float
    height: float

    def x(self, at: float) -> float:
        return min(max((at - self.start) / (self.end - self.start), 0.0), 1.0) * 100.0

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return (1.0 - min(max(share, 0.0), 1.0)) * self.height

    def holds(self, at: float | None) -> bool:
        return at is not None and self.start <= at <= self.end


def usable(points: Points) -> list[Sample]:
    """The finite (time, value) pairs in time order; malformed ones are left out."""
    found = []
    for point in points:
        if len(point) == 2 and point[0] is not None and point[1] is not None:
            at, value = float(point[0]), float(point[1])
            if math.isfinite(at) and math.isfinite(value):
                found.append((at, value))
    return sorted(found)


def value_range(samples: Sequence[Sample], *extra: float | None) -> tuple[float, float]:
    """A range that holds all values, from zero when that does not flatten the curve."""
    values = [value for _, value in samples] + [v for v in extra if v is not None]
    low, high = min(values), max(values)
    if low >= 0 and low <= 0.6 * high:
        low = 0.0
    if high == low:
        spread = abs(high) * 0.1 or 1.0
        return (0.0 if low == 0 else low - spread), high + spread
    return low, high + (high - low) * 0.06


def possible(low: float | None, samples: Sequence[Sample]) -> float | None:
    """The lower end of the usual range; not below zero for a signal that never is."""
    return low if low is None or min(value for _, value in samples) < 0 else max(low, 0.0)


def nice_ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers inside [low, high]: multiples of 1, 2, 2.5 or 5 times a power of ten."""
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= raw)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [n * step for n in range(first, last + 1)]


def time_ticks(start: float, end: float, about: int = 4) -> list[float]:
    """Whole multiples of a round step inside [start, end], at most about `about`."""
    step = next((s for s in TIME_STEPS_SECONDS if (end - start) / s <= about), 86400)
    return [float(n * step) for n in range(math.ceil(start / step), math.floor(end / step) + 1)]


def usual_step(samples: Sequence[Sample]) -> float:
    """The median distance of samples in seconds; infinite with fewer than two."""
    steps = sorted(b[0] - a[0] for a, b in pairwise(samples))
    return steps[len(steps) // 2] if steps else math.inf


def runs(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    """Stretches without a gap: a missing sample breaks the line, it is not drawn across."""
    widest = GAP_STEPS * usual_step(samples)
    current: list[Sample] = []
    for sample in samples:
        if current and sample[0] - current[-1][0] > widest:
            yield current
            current = []
        current.append(sample)
    if current:
        yield current


def gaps(samples: Sequence[Sample], end: float) -> list[tuple[float, float]]:
    """(start, end) of the stretches without samples, the one up to `end` (epoch s) included."""
    widest = GAP_STEPS * usual_step(samples)
    found = [(a[0], b[0]) for a, b in pairwise(samples) if b[0] - a[0] > widest]
    if samples and end - samples[-1][0] > widest:
        found.append((samples[-1][0], end))
    return found


def clock(at: float, with_seconds: bool = False) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S" if with_seconds else "%H:%M")
