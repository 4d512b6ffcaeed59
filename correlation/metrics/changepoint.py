"""When a signal left its baseline: onset by change point, with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from correlation.telemetry import Floats

DRIFT = 2.0
"""Baseline scales a point must exceed to count as anomalous (CUSUM reference value)."""

CLIP = 8.0
"""Largest credit one point may give: a single spike must not outweigh a lasting shift."""

AMBIGUITY = 3.0
"""Starts whose score is within this of the best are equally plausible."""


@dataclass(frozen=True)
class Onset:
    """Points `start:stop` are the anomalous run; `at` its first time in epoch seconds.

    `uncertainty_seconds` covers the gap to the previous sample and every start that scores
    nearly as well. `score` is the CUSUM height, in baseline scales.
    """

    start: int
    stop: int
    at: float
    uncertainty_seconds: float
    score: float


def find_onset(times: Floats, deviations: Floats, step_seconds: float) -> Onset | None:
    """The highest-scoring run of deviating points, or None when no point deviates.

    `deviations` are signed distances from the baseline in baseline scales, positive is bad;
    same length as `times` (ascending). Page's CUSUM in its offline form: the segment with
    the largest sum of (clipped deviation - DRIFT). Works from one point up.
    """
    if times.size == 0:
        return None
    gain = np.minimum(np.maximum(deviations, -CLIP), CLIP) - DRIFT
    height = np.concatenate(([0.0], np.cumsum(gain)))
    lowest = np.minimum.accumulate(height[:-1])
    rise = height[1:] - lowest
    stop = int(np.argmax(rise)) + 1
    score = float(rise[stop - 1])
    if score <= 0.0:
        return None
    starts = height[:stop]
    start = stop - 1 - int(np.argmin(starts[::-1]))  # the latest of equal minima
    near = np.flatnonzero(starts <= starts[start] + min(AMBIGUITY, score / 2.0))
    spread = float(max(times[start] - times[near[0]], times[near[-1]] - times[start]))
    gap = float(times[start] - times[start - 1]) if start else step_seconds
    return Onset(start, stop, float(times[start]), max(gap, spread, 0.0), score)


def runs_as_high(deviations: Floats, score: float) -> int:
    """How many separate runs of points beyond DRIFT reach `score`, counted as `find_onset` does."""
    gain = np.minimum(deviations, CLIP) - DRIFT
    beyond = gain > 0.0
    if not beyond.any():
        return 0
    first = beyond.copy()
    first[1:] &= ~beyond[:-1]
    heights = np.bincount((np.cumsum(first) - 1)[beyond], weights=gain[beyond])
    return int((heights >= score).sum())


def without_last_run(deviations: Floats) -> Floats:
    """`deviations` up to the run beyond DRIFT that lasts to their end, if one does."""
    calm = np.flatnonzero(deviations <= DRIFT)
    return deviations[: int(calm[-1]) + 1] if calm.size else deviations[:0]
