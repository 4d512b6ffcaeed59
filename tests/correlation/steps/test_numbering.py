"""Names and moments as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from correlation.steps.numbering import (
    NOBODY,
    Members,
    found_in,
    in_order,
    looked_up,
    numbered,
    numbers,
)


def test_names_are_numbered_as_they_sort() -> None:
    known = numbered(["till", "cart", "till", "shop"])

    assert list(known.items()) == [("cart", 0), ("shop", 1), ("till", 2)]
    assert numbers(["till", "store", "cart"], known).tolist() == [2, NOBODY, 0]


@pytest.mark.parametrize("turned", [False, True])
def test_moments_that_are_one_are_told_apart_by_what_they_are(turned: bool) -> None:
    given = [(2.0, "e"), (1.0, "c"), (1.0, "a"), (3.0, "f"), (1.0, "b"), (2.0, "d")]
    given = given[::-1] if turned else given

    order = in_order(np.array([at for at, _ in given]), lambda at: given[at][1])

    assert [given[at][1] for at in order.tolist()] == ["a", "b", "c", "d", "e", "f"]


def test_no_moments_have_no_order() -> None:
    assert in_order(np.array([]), lambda at: at).tolist() == []


def test_what_is_not_there_is_found_nowhere() -> None:
    places = found_in(np.array([2, 5, 9]), np.array([5, 4, 10, 2]))

    assert places.tolist() == [1, NOBODY, NOBODY, 0]
    assert looked_up(np.array([20, 50, 90]), places).tolist() == [50, NOBODY, NOBODY, 20]
    assert found_in(np.array([], dtype=np.int64), np.array([1])).tolist() == [NOBODY]


def test_members_are_each_once_by_group_and_trace() -> None:
    found = Members.of(np.array([1, 0, 1, 1, 0]), np.array([3, 2, 0, 3, 1]), 4)

    assert found.groups.tolist() == [0, 0, 1, 1]
    assert found.traces.tolist() == [1, 2, 0, 3]
