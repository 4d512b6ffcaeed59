"""Raw counters given where a rate is meant are judged by their rate. Pure.

A counter only rises, but for resets to about zero; what happens shows in how fast it does. A rate
that wanders does not rise from sample to sample through a whole baseline.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from correlation.telemetry import Series

RATE_UNITS = frozenset({"1/s", "cores"})
"""Units a second of time: a counter of requests, lines or CPU seconds has them as its rate's."""

FEWEST = 20
"""Samples from which on a series may be told to be a counter."""

RISING = 0.5
"""Share of the steps at least that rise: a rate that never changed is no counter."""

RESETS, RESET_TO = 0.05, 0.1
"""Share of the steps at most that fall, and to which share of the value before at most."""


def as_rate(series: Series) -> Series:
    """The increase a second of a counter, from its second sample on; any other series as it is.

    After a reset the increase is the new value, as Prometheus counts it.
    """
    if series.unit not in RATE_UNITS or series.values.size < FEWEST:
        return series
    finite = np.isfinite(series.values)
    times, values = series.times[finite], series.values[finite]
    steps = np.diff(values)
    falls = steps < 0.0
    rising = int((steps > 0.0).sum())
    if values.size < FEWEST or rising < RISING * steps.size or falls.sum() > RESETS * steps.size:
        return series
    if (values[1:][falls] > RESET_TO * values[:-1][falls]).any():
        return series
    increase = np.where(falls, values[1:], steps)
    return replace(series, times=times[1:], values=increase / np.maximum(np.diff(times), 1e-3))
