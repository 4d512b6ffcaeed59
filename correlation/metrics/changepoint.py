"""When signals left their baseline: onsets by change point, with their uncertainty.

Works on many series of one length at a time: row k of every array is one series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from correlation.telemetry import Floats

Rows = NDArray[np.intp]

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


def find_onsets(times: Floats, deviations: Floats, step_seconds: Floats) -> list[tuple[int, Onset]]:
    """(row, the highest-scoring run of deviating points) for every row where a point deviates.

    `deviations` are signed distances from the baseline in baseline scales, positive is bad;
    `times` (each row ascending) has the same shape, (series, points). `step_seconds` is one a
    series. Page's CUSUM in its offline form: the segment with the largest sum of (clipped
    deviation - DRIFT). Works from one point up.
    """
    rows: Rows = np.flatnonzero((deviations > DRIFT).any(axis=1))
    if not rows.size:
        return []
    times = times[rows]
    gain = np.minimum(np.maximum(deviations[rows], -CLIP), CLIP) - DRIFT
    height = np.concatenate((np.zeros((rows.size, 1)), np.cumsum(gain, axis=1)), axis=1)
    starts = height[:, :-1]
    rise = height[:, 1:] - np.minimum.accumulate(starts, axis=1)
    each = np.arange(rows.size)
    last = np.argmax(rise, axis=1)
    score = rise[each, last]
    places = np.arange(starts.shape[1])
    starts = np.where(places <= last[:, None], starts, np.inf)
    start = places[-1] - np.argmin(starts[:, ::-1], axis=1)  # the latest of equal minima
    level = starts[each, start] + np.minimum(AMBIGUITY, score / 2.0)
    near = starts <= level[:, None]
    first_near = np.argmax(near, axis=1)
    last_near = places[-1] - np.argmax(near[:, ::-1], axis=1)
    at = times[each, start]
    spread = np.maximum(at - times[each, first_near], times[each, last_near] - at)
    gap = np.where(start > 0, at - times[each, start - 1], step_seconds[rows])
    uncertainty = np.maximum(np.maximum(gap, spread), 0.0)
    columns = (rows, start, last + 1, at, uncertainty, score)
    return [
        (row, Onset(*told))
        for row, *told in zip(*(column.tolist() for column in columns), strict=True)
        if told[-1] > 0.0
    ]


def runs_as_high(
    deviations: Floats, scores: Floats, to_last: NDArray[np.bool_]
) -> tuple[Rows, Rows]:
    """(row, first point) of every separate run of points beyond DRIFT that reaches its row's score.

    Heights are those of `find_onsets`; rows ascend, and points in a row. Where not `to_last`, a
    run that lasts to the row's end is not among them: it is the one that was found, seen late.
    """
    gain = np.minimum(deviations, CLIP) - DRIFT
    beyond = gain > 0.0
    beyond &= (np.arange(beyond.shape[1]) < last_calm(deviations)[:, None]) | to_last[:, None]
    first = beyond.copy()
    first[:, 1:] &= ~beyond[:, :-1]
    heights = np.bincount((np.cumsum(first.ravel()) - 1)[beyond.ravel()], weights=gain[beyond])
    rows, points = np.nonzero(first)
    high = heights >= scores[rows]
    return rows[high], points[high]


def last_calm(deviations: Floats) -> Rows:
    """Where each row's last run begins that lasts to its end: after its last calm point."""
    calm = deviations[:, ::-1] <= DRIFT
    return np.where(calm.any(axis=1), deviations.shape[1] - np.argmax(calm, axis=1), 0)
