"""Shares of requests that do a thing, before a moment and since."""

from __future__ import annotations

import math

import numpy as np
import pytest

from correlation.steps.habits import Habit, Practice, Shift, shifts
from correlation.steps.numbering import Members

ONSET = 1_000.0


def make_members(*groups: set[int]) -> Members:
    pairs = [(group, trace) for group, traces in enumerate(groups) for trace in sorted(traces)]
    places = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return Members(places[:, 0], places[:, 1])


def make_shift(starts: list[float], ran: list[set[int]], did: list[set[int]]) -> Shift:
    """One habit, paying in the shop: the traces that `did` it of those that `ran` each stratum."""
    strata = np.arange(len(ran))
    practice = Practice(
        [("shop", "pay")], 0 * strata, strata, make_members(*ran), make_members(*did)
    )
    (found,) = shifts(practice, np.array(starts), [ONSET])
    return found


def compared(before: int, since: int, of: int = 20, recent: int | None = None) -> Shift:
    """One operation, a request a second: `before` of the `of` ahead of ONSET did it, then `since`.

    `recent`: there were `of` more an hour earlier, of which `before` did it; of those just ahead
    of ONSET, `recent` did.
    """
    starts = [ONSET - of + n for n in range(2 * of)]
    did = set(range(before)) | {of + n for n in range(since)}
    if recent is not None:
        starts = [start - 3_600.0 for start in starts[:of]] + starts
        did = set(range(before)) | {of + n for n in range(recent)}
        did |= {2 * of + n for n in range(since)}
    return make_shift(starts, [set(range(len(starts)))], [did])


@pytest.mark.parametrize(("before", "since", "sign"), [(20, 0, -1), (0, 20, 1), (18, 3, -1)])
def test_habit_that_changed_is_sure(before: int, since: int, sign: int) -> None:
    found = compared(before, since)

    assert found.habit(0).z * sign > 3.5


def test_habit_counts_both_sides() -> None:
    found = compared(15, 5)

    assert found.habit(0) == Habit("shop", "pay", found.habit(0).z, 15, 20, 5, 20)
    assert found.odds().round(6).tolist() == [round(2.0 * math.log(5.5 / 15.5), 6)]


def test_habit_of_all_or_of_none_is_no_test() -> None:
    assert compared(20, 20).which.tolist() == []
    assert compared(0, 0).which.tolist() == []


def test_habit_with_few_requests_on_one_side_is_not_compared() -> None:
    assert compared(3, 0, of=3).which.tolist() == []


def test_difference_from_another_time_is_doubted_when_it_was_there_just_before() -> None:
    old, new = compared(20, 2, recent=2), compared(20, 2, recent=20)

    assert abs(old.habit(0).z) < 1.0
    assert new.habit(0).z < -5.0


def test_another_mix_of_requests_is_no_change() -> None:
    starts = [ONSET - 20 + n for n in range(40)]
    often, seldom = set(range(16)) | set(range(20, 24)), set(range(16, 20)) | set(range(24, 40))

    found = make_shift(starts, [often, seldom], [often - {3, 21}, {16, 30}]).habit(0)

    assert abs(found.z) < 1.5
    assert found == Habit("shop", "pay", found.z, 16, 20, 4, 20)


def test_every_moment_is_compared_by_itself() -> None:
    starts = np.array([ONSET - 20 + n for n in range(40)])
    did = make_members(set(range(15)) | set(range(30, 40)))
    practice = Practice(
        [("shop", "pay")], np.array([0]), np.array([0]), make_members(set(range(40))), did
    )

    found = shifts(practice, starts, [ONSET - 15.0, ONSET, ONSET + 10.0])

    assert [(one.n0.tolist(), one.of0.tolist()) for one in found] == [
        ([5.0], [5.0]),
        ([15.0], [20.0]),
        ([15.0], [30.0]),
    ]
    assert [(one.n1.tolist(), one.of1.tolist()) for one in found] == [
        ([20.0], [35.0]),
        ([10.0], [20.0]),
        ([10.0], [10.0]),
    ]


def test_without_habits_nothing_is_compared() -> None:
    nothing = np.array([], dtype=np.int64)
    practice = Practice([], nothing, nothing, make_members(), make_members())

    (found,) = shifts(practice, np.array([]), [ONSET])

    assert found.which.tolist() == []
