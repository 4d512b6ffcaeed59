"""What is usual for a signal: the median and robust scale of its baseline, with sane floors.

The scale is the largest of 1.4826 x MAD (a normal standard deviation, Rousseeuw & Croux 1993), the
upper tail (q90 - median) / 1.2816, held to three times the former so that an earlier fault inside
the baseline cannot hide this one, and a floor per signal: a baseline that never moved is not
infinite evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from correlation.telemetry import Floats

FLOORS_BY_SIGNAL: dict[str, tuple[float, float]] = {
    "error_ratio": (0.008, 0.0),
    "client_error_ratio": (0.008, 0.0),
    "cpu_saturation": (0.04, 0.10),
    "memory_saturation": (0.03, 0.05),
    "pool_saturation": (0.06, 0.10),
    "pool_waiting": (0.5, 0.25),
    "cpu_throttling": (0.04, 0.10),
    "event_loop_lag": (0.01, 0.25),
    "restarts": (0.1, 0.0),
    "error_log_rate": (0.1, 0.25),
    "oom_kills": (0.1, 0.0),
    "replicas_ready": (0.04, 0.0),
}
FLOORS_BY_UNIT: dict[str, tuple[float, float]] = {
    "ratio": (0.02, 0.05),
    "s": (0.003, 0.12),
    "1/s": (0.3, 0.12),
    "bytes": (2e6, 0.04),
    "cores": (0.02, 0.15),
    "count": (0.5, 0.10),
    "log": (0.12, 0.0),
}
"""(absolute, relative to the median): the smallest scale believed, in the signal's unit; "log" is
that of a logarithm of seconds."""

DEFAULT_FLOOR = (1e-9, 0.10)


@dataclass(frozen=True)
class Reference:
    """A healthy baseline: median, robust scale, the band of ordinary values, sample count."""

    centre: float
    scale: float
    low: float
    high: float
    n: int


class References(NamedTuple):
    """`Reference` of many series, one a row."""

    centre: Floats
    scale: Floats
    low: Floats
    high: Floats
    n: int

    def one(self, row: int) -> Reference:
        return Reference(
            centre=float(self.centre[row]),
            scale=float(self.scale[row]),
            low=float(self.low[row]),
            high=float(self.high[row]),
            n=self.n,
        )


def references(values: Floats, floors: Sequence[tuple[float, float]]) -> References:
    """Of every row of `values` (series, samples; one sample at least), with a floor for each."""
    n = values.shape[1]
    ordered = np.sort(values, axis=1)
    centre = medians(ordered)
    spread = 1.4826 * medians(np.sort(np.abs(ordered - centre[:, None]), axis=1))
    absolute, relative = np.array(floors).T
    scale = np.maximum(np.maximum(spread, absolute), relative * np.abs(centre))
    q10, q90 = ordered[:, (n - 1) // 10], ordered[:, n - 1 - (n - 1) // 10]
    tail = np.maximum(q90 - centre, centre - q10) / 1.2816
    scale = np.maximum(scale, np.minimum(tail, 3.0 * scale))
    scale = scale * (1.0 + 2.0 / n)  # few samples know their own scale badly
    low, high = np.minimum(q10, centre - 2 * scale), np.maximum(q90, centre + 2 * scale)
    return References(centre, scale, low, high, n)


def floors_of(signal: str, unit: str) -> tuple[float, float]:
    """(absolute, relative to the median): the smallest scale believed of the signal."""
    return FLOORS_BY_SIGNAL.get(signal) or FLOORS_BY_UNIT.get(unit, DEFAULT_FLOOR)


def medians(ordered: Floats) -> Floats:
    """The median of each row of ordered values."""
    half, odd = divmod(ordered.shape[1], 2)
    middle: Floats = ordered[:, half]
    return middle if odd else (ordered[:, half - 1] + middle) / 2.0
