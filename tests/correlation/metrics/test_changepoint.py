from __future__ import annotations

import numpy as np
import pytest

from correlation.metrics.changepoint import find_onset, runs_as_high, without_last_run


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
    assert runs_as_high(np.array(deviations, dtype=float), score) == count


@pytest.mark.parametrize(
    ("deviations", "kept"),
    [([0, 8, 0], 3), ([8, 0, 8, 8], 2), ([8, 8], 0), ([], 0), ([0, 1, 2], 3)],
)
def test_the_run_that_lasts_to_the_end_is_taken_off(deviations: list[int], kept: int) -> None:
    assert without_last_run(np.array(deviations, dtype=float)).size == kept
