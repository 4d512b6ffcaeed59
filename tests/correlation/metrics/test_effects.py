from __future__ import annotations

import numpy as np
import pytest

from correlation.metrics.effects import Effect, measure, measure_each
from correlation.metrics.reference import floors_of, references
from correlation.telemetry import Direction, Series

STEP = 5.0


def make_series(
    before: list[float], after: list[float], signal: str = "error_ratio", unit: str = "ratio",
    direction: Direction = "up",
) -> Series:  # fmt: skip
    """`before` ends just ahead of 0 s, `after` starts there."""
    times = STEP * np.arange(-len(before), len(after))
    return Series("shop", signal, times, np.array(before + after, dtype=float), direction, unit)


def measured(series: Series) -> Effect | None:
    end = float(series.times[-1])
    return measure(series, (float(series.times[0]), -STEP), (0.0, end), end)


def test_a_baseline_that_never_moved_is_not_infinite_evidence() -> None:
    reference = references(np.zeros((1, 100)), [floors_of("error_ratio", "ratio")]).one(0)

    assert (reference.centre, round(reference.scale, 5)) == (0.0, 0.00816)


def test_an_earlier_fault_inside_the_baseline_does_not_hide_this_one() -> None:
    earlier = [0.0] * 80 + [0.6] * 20

    effect = measured(make_series(earlier, [0.0, 0.5, 0.5]))

    assert effect is not None
    assert (effect.onset.at, effect.z > 15.0) == (STEP, True)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_window_of_few_points_still_tells(count: int) -> None:
    effect = measured(make_series([0.002] * 60, [0.4] * count))

    assert effect is not None
    assert (effect.onset.at, effect.value, effect.n_window) == (0.0, 0.4, count)


def test_the_newest_points_count_while_a_fault_is_young() -> None:
    effect = measured(make_series([0.0] * 60, [0.0] * 30 + [0.1, 0.2, 0.3, 0.4]))

    assert effect is not None
    assert (effect.onset.at, round(effect.value, 9)) == (150.0, 0.35)


@pytest.mark.parametrize(
    ("direction", "after", "sign"),
    [("down", [0.3] * 5, -1), ("both", [0.3] * 5, -1), ("both", [3.0] * 5, 1)],
)
def test_direction_decides_what_is_bad(direction: Direction, after: list[float], sign: int) -> None:
    effect = measured(make_series([1.0] * 60, after, "x", "ratio", direction))

    assert effect is not None
    assert effect.sign == sign


@pytest.mark.parametrize(
    ("before", "after"), [([1.0] * 60, [0.2] * 5), ([], [0.5] * 5), ([0.0] * 9, [0.0] * 9)]
)
def test_nothing_is_measured_without_baseline_or_bad_movement(
    before: list[float], after: list[float]
) -> None:
    assert measured(make_series(before, after)) is None


def test_points_that_are_not_numbers_are_passed_over() -> None:
    effect = measured(make_series([0.0, float("nan")] * 30, [float("nan"), 0.5, float("inf")]))

    assert effect is not None
    assert (effect.value, effect.reference.n) == (0.5, 30)


def test_what_the_baseline_does_as_well_recurs() -> None:
    spiky = ([0.0] * 9 + [0.6]) * 6

    rare = measured(make_series([0.0] * 60, [0.0, 0.5, 0.0, 0.0, 0.0, 0.0]))
    usual = measured(make_series(spiky, [0.0, 0.5, 0.0, 0.0, 0.0, 0.0]))

    assert rare is not None
    assert usual is not None
    assert (rare.recurrence, usual.recurrence) == (0.0, 0.5)


def test_a_slow_minute_among_durations_that_vary_by_factors_is_no_outlier() -> None:
    varied = [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.3, 0.4, 0.1] * 6

    slow = measured(make_series(varied, [0.1, 0.9, 0.1], "latency_p95", "s"))
    far = measured(make_series([0.1] * 60, [0.1, 0.9, 0.1], "latency_p95", "s"))

    assert slow is not None
    assert far is not None
    assert slow.z < 8.0 < far.z


def test_series_measured_together_give_what_each_gives_alone() -> None:
    rng = np.random.default_rng(11)
    directions: tuple[Direction, ...] = ("up", "down", "both")
    series = [
        make_series(
            rng.lognormal(0.0, 0.4, int(rng.choice([7, 40, 41]))).tolist(),
            rng.lognormal(0.4, 0.6, int(rng.choice([1, 9]))).tolist(),
            *((("latency_p95", "s"), ("cpu", "cores"), ("error_ratio", "ratio"))[n % 3]),
            directions[n % 2 or n % 3],
        )
        for n in range(60)
    ]
    series[7].values[3] = np.nan
    sides = (-1000.0, -STEP), (0.0, 100.0), 100.0

    together = measure_each(series, *sides)

    assert together == [measure(one, *sides) for one in series]
    assert sum(effect is None for effect in together) not in (0, len(series))
