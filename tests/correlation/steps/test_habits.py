"""Shares of requests that do a thing, before a moment and since."""

from __future__ import annotations

import numpy as np
import pytest

from correlation.steps.habits import Habit, Habits

ONSET = 1_000.0


def make_habits(before: int, since: int, of: int = 20, recent: int | None = None) -> Habits:
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
    return Habits(
        np.array(starts), {"order": set(range(len(starts)))}, {("shop", "pay"): {"order": did}}
    )


@pytest.mark.parametrize(("before", "since", "sign"), [(20, 0, -1), (0, 20, 1), (18, 3, -1)])
def test_habit_that_changed_is_sure(before: int, since: int, sign: int) -> None:
    (found,) = make_habits(before, since).compared(ONSET)

    assert found.z * sign > 3.5


def test_habit_counts_both_sides() -> None:
    (found,) = make_habits(15, 5).compared(ONSET)

    assert (found.n0, found.of0, found.n1, found.of1) == (15, 20, 5, 20)
    assert found.ratio < 0


def test_habit_of_all_or_of_none_is_no_test() -> None:
    assert make_habits(20, 20).compared(ONSET) == []
    assert make_habits(0, 0).compared(ONSET) == []


def test_habit_with_few_requests_on_one_side_is_not_compared() -> None:
    assert make_habits(3, 0, of=3).compared(ONSET) == []


def test_difference_from_another_time_is_doubted_when_it_was_there_just_before() -> None:
    (old,) = make_habits(20, 2, recent=2).compared(ONSET)
    (new,) = make_habits(20, 2, recent=20).compared(ONSET)

    assert abs(old.z) < 1.0
    assert new.z < -5.0


def test_another_mix_of_requests_is_no_change() -> None:
    starts = np.array([ONSET - 20 + n for n in range(40)])
    often, seldom = set(range(16)) | set(range(20, 24)), set(range(16, 20)) | set(range(24, 40))

    (found,) = Habits(
        starts,
        {"buy": often, "look": seldom},
        {("shop", "pay"): {"buy": often - {3, 21}, "look": {16, 30}}},
    ).compared(ONSET)

    assert abs(found.z) < 1.5
    assert found == Habit("shop", "pay", found.z, 16, 20, 4, 20)
