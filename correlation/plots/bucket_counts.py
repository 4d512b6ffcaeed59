"""Lines or failed traces counted in buckets of time, before and during, for a plot. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from correlation.telemetry import Telemetry

MOST_BUCKETS = 80
MOST_SHOWN = 60
ROOM_SECONDS = 60.0
"""How much is counted before the last, where all of them were long before the window."""

BUCKETS_SECONDS = (5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


class Covered(NamedTuple):
    """How much time an answer stands for, in seconds, and from where on, in epoch seconds.

    It is complete from `older` to the window's start, and from `newer` on.
    """

    before_seconds: float
    after_seconds: float
    older: float
    newer: float


def counted_points(
    times: Sequence[float], telemetry: Telemetry, covered: Covered
) -> dict[str, Any]:
    """{"bin_seconds", "counted_until", "points": [[start of bucket, number / bin_seconds], ...]};
    see evidence details.

    From three window lengths before the window (or the last of `times`, if that is earlier) to
    `as_of`, which is `counted_until`, in epoch seconds: it ends the last bucket, mostly before it
    is full. A bucket that an answer cut at a limit does not reach is left out: not counted is not
    none.
    """
    border, end = telemetry.window[0], max(telemetry.as_of, telemetry.window[0] + 1.0)
    start = border - 3.0 * max(end - border, 60.0)
    last = max((at for at in times if at <= end), default=end)
    start = max(covered.older, min(start, last - ROOM_SECONDS))
    width = next(
        (float(s) for s in BUCKETS_SECONDS if (end - start) / s <= MOST_BUCKETS),
        (end - start) / MOST_BUCKETS,
    )
    before, since = int((border - start) // width), max(math.ceil((end - border) / width - 1e-9), 1)
    borders = border + width * np.arange(-before, since + 1)
    counts, _ = np.histogram(np.array(times), bins=borders)
    points = [
        [round(float(at), 3), round(float(n) / width, 4)]
        for at, n in zip(borders[:-1], counts, strict=True)
        if at + width > covered.newer or at + width <= border + 1e-6
    ]
    return {
        "bin_seconds": round(width, 3),
        "counted_until": round(end, 3),
        "points": points,
    }


def spread(seconds: Sequence[float]) -> list[float]:
    """A distribution of at most MOST_SHOWN durations: the ordered values, evenly thinned."""
    ordered = sorted(round(value, 6) for value in seconds)
    if len(ordered) <= MOST_SHOWN:
        return ordered
    chosen = np.linspace(0, len(ordered) - 1, MOST_SHOWN).round().astype(int)
    return [ordered[n] for n in chosen]
