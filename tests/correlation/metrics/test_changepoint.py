from __future__ import annotations

import numpy as np
import pytest

from correlation.metrics.changepoint import Onset, find_onsets, runs_as_high
from correlation.telemetry import Floats


def find_onset(times: Floats, deviations: Floats, step_seconds: float) -> Onset | None:
    found = find_onsets(times[None, :], deviations[None, :], np.array([step_seconds]))
    return found[0][1] if found else None


@pytest.mark.parametrize(
    ("deviations", "start", "stop"),
    [
        ([0, 0, 0, 8, 8, 8], 3, 6),
        ([8], 0, 1),
        ([0, 9], 1, 2),
        ([0, 5, 0, 0, 0, 6, 6, 6], 5, 8),
        ([0, 6, 6, 6, 0, 0, 0, 0], 1, 4),
    ],
)
def test_find_onset_names_the_anomalous_run(deviations: list[float], start: int, stop: int) -> None:
    times = 100.0 + 5.0 * np.arange(len(deviations))

    onset = find_onset(times, np.array(deviations, dtype=float), 5.0)

    assert onset is not None
    assert (onset.start, onset.stop, onset.at) == (start, stop, 100.0 + 5.0 * start)


@pytest.mark.parametrize("deviations", [[], [0.0], [1.0, -1.0, 1.9], [-9.0, -9.0]])
def test_find_onset_is_none_when_nothing_deviates(deviations: list[float]) -> None:
    times = np.arange(len(deviations), dtype=float)

    assert find_onset(times, np.array(deviations), 5.0) is None


def test_uncertainty_covers_the_gap_before_the_onset() -> None:
    times = np.array([0.0, 5.0, 65.0, 70.0])

    onset = find_onset(times, np.array([0.0, 0.0, 8.0, 8.0]), 5.0)

    assert onset is not None
    assert onset.uncertainty_seconds == 60.0


def test_a_slow_ramp_is_less_certain_than_a_jump() -> None:
    times = 5.0 * np.arange(12)
    ramp, jump = np.linspace(0.0, 6.0, 12), np.array([0.0] * 6 + [8.0] * 6)

    slow, sharp = find_onset(times, ramp, 5.0), find_onset(times, jump, 5.0)

    assert slow is not None
    assert sharp is not None
    assert (sharp.uncertainty_seconds, slow.uncertainty_seconds > 5.0) == (5.0, True)


@pytest.mark.parametrize(
    ("deviations", "score", "count"),
    [
        ([0, 0, 0], 1.0, 0),
        ([8, 0, 8, 8, 0, 3], 1.0, 3),
        ([8, 0, 8, 8, 0, 3], 6.0, 2),
        ([8, 0, 8, 8, 0, 3], 7.0, 1),
        ([900], 6.1, 0),
    ],
)
def test_runs_as_high_counts_separate_runs(
    deviations: list[float], score: float, count: int
) -> None:
    rows, _ = runs_as_high(np.array([deviations], dtype=float), np.array([score]), np.array([True]))

    assert rows.size == count


@pytest.mark.parametrize(
    ("deviations", "starts"),
    [([0, 8, 0], [1]), ([8, 0, 8, 8], [0]), ([8, 8], []), ([0, 1, 2], []), ([8, 0, 9], [0])],
)
def test_the_run_that_lasts_to_the_end_is_taken_off(
    deviations: list[int], starts: list[int]
) -> None:
    given = np.array([deviations], dtype=float)

    _, points = runs_as_high(given, np.array([1.0]), np.array([False]))

    assert points.tolist() == starts


def test_many_series_at_once_give_what_each_gives_alone() -> None:
    rng = np.random.default_rng(5)
    times = 1000.0 + np.cumsum(rng.uniform(1.0, 9.0, (40, 30)), axis=1)
    deviations = rng.normal(0.0, 2.0, (40, 30))
    scores, late = rng.uniform(0.0, 4.0, 40), rng.uniform(size=40) < 0.5

    together = find_onsets(times, deviations, np.arange(40.0))
    rows, points = runs_as_high(deviations, scores, late)

    alone = [find_onset(times[row], deviations[row], float(row)) for row in range(40)]
    assert together == [(row, onset) for row, onset in enumerate(alone) if onset is not None]
    assert [points[rows == row].tolist() for row in range(40)] == [
        runs_as_high(deviations[[row]], scores[[row]], late[[row]])[1].tolist() for row in range(40)
    ]
