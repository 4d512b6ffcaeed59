"""How often the baseline did the same: what a job does every ten minutes is no incident. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from correlation.metrics.changepoint import Onset, last_calm, runs_as_high
from correlation.telemetry import Floats

RECURS = 0.7
"""A run of the baseline this high, of the one found, is of its kind."""

DUE = 4.0
"""Runs expected in a window in which one is due by the clock."""

DUE_WITHIN = 0.1
"""How far from its time a run that is due may begin, in periods; a sample and a half at least."""

SHORTEST_PERIOD, SHORTEST_OF_TWO = 6.0, 20.0
"""Samples between two runs at least: closer together, by chance the next is often when due. Two
runs are one distance, which has nothing to equal but that of the run in question."""


def recurrences(
    times: Floats, deviations: Floats, onsets: Sequence[Onset], steps: Floats, points: int
) -> list[float]:
    """How many runs as high as each onset's the baseline leads to expect in the window.

    `times` (epoch seconds) and `deviations` (in baseline scales, positive is bad) are those of
    the baseline, a row for each onset; `steps` are seconds a sample, `points` the window's. By
    rate, but for the first run, which was an earlier fault; DUE of them where runs at equal
    distances lead up to the onset.
    """
    scores = np.array([RECURS * onset.score for onset in onsets])
    late = np.array([onset.start == 0 for onset in onsets])  # seen late, not seen twice
    rows, firsts = runs_as_high(deviations, scores, ~late)
    ends = np.cumsum(np.bincount(rows, minlength=scores.size))
    began = last_calm(deviations)
    expected = []
    for row, onset in enumerate(onsets):
        starts = firsts[ends[row - 1] if row else 0 : ends[row]]
        often = max(starts.size - 1, 0) * points / deviations.shape[1]
        if starts.size > 1:
            early = late[row] and began[row] < times.shape[1]
            at = float(times[row, began[row]]) if early else onset.at
            if is_due(times[row, starts], at, float(steps[row])):
                often = max(often, DUE)
        expected.append(float(often))
    return expected


def is_due(starts: Floats, at: float, step_seconds: float) -> bool:
    """Whether runs that began at `starts` (two at least, ascending) lead to expect one at `at`."""
    gaps = np.diff(starts)
    period = float(np.sort(gaps)[gaps.size // 2])
    within = max(DUE_WITHIN * period, 1.5 * step_seconds)
    shortest = SHORTEST_PERIOD if gaps.size > 1 else SHORTEST_OF_TWO
    if period < shortest * step_seconds or float(np.abs(gaps - period).max()) > within:
        return False
    since = at - float(starts[-1])
    periods = round(since / period)
    return periods >= 1 and abs(since - periods * period) <= within
