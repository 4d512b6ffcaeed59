from __future__ import annotations

import pytest

from correlation.plots.scales import Scale, gaps, nice_ticks, runs, time_ticks, usable, value_range

START = 1_700_000_000.0


def test_usable_keeps_finite_samples_in_order() -> None:
    points = [[3.0, 1.0], [1.0, 2.0], [2.0, None], [4.0, float("nan")], [5.0]]

    assert usable(points) == [(1.0, 2.0), (3.0, 1.0)]


def test_runs_break_where_samples_are_missing() -> None:
    samples = [(0.0, 1.0), (15.0, 1.0), (30.0, 1.0), (300.0, 2.0), (315.0, 2.0)]

    assert [len(run) for run in runs(samples)] == [3, 2]


def test_gaps_lie_between_runs_and_behind_the_last() -> None:
    samples = [(0.0, 1.0), (15.0, 1.0), (30.0, 1.0), (300.0, 2.0), (315.0, 2.0)]

    assert gaps(samples, 320.0) == [(30.0, 300.0)]
    assert gaps(samples, 500.0) == [(30.0, 300.0), (315.0, 500.0)]


def test_nice_ticks_are_round_and_inside() -> None:
    assert nice_ticks(0.0, 3.8) == pytest.approx([0.0, 1.0, 2.0, 3.0])


def test_time_ticks_fall_on_whole_steps() -> None:
    ticks = time_ticks(START, START + 600)

    assert [tick % 300 for tick in ticks] == [0.0] * len(ticks)


@pytest.mark.parametrize("length", [20.0, 90.0, 600.0, 5400.0, 86_400.0])
def test_time_ticks_are_few_enough_for_a_phone(length: float) -> None:
    assert 1 <= len(time_ticks(START, START + length)) <= 5


def test_value_range_starts_at_zero_unless_that_flattens_the_curve() -> None:
    assert value_range([(0.0, 0.1), (1.0, 1.0)])[0] == 0.0
    assert value_range([(0.0, 0.98), (1.0, 1.0)])[0] == 0.98


def test_scale_keeps_what_lies_outside_at_the_edge() -> None:
    scale = Scale(0.0, 10.0, 0.0, 1.0, 100.0)

    assert (scale.x(5.0), scale.x(-3.0), scale.x(40.0)) == (50.0, 0.0, 100.0)
    assert (scale.y(0.25), scale.y(7.0)) == (75.0, 0.0)
