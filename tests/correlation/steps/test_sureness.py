"""How sure, how large."""

from __future__ import annotations

import numpy as np
import pytest

from correlation.magnitude import hill
from correlation.steps.sureness import most_of_each, squared_hill, sure


def test_the_more_is_tested_the_less_sure_is_a_change() -> None:
    few, many = sure(np.array([3.0, -3.0]), 10), sure(np.array([3.0, -3.0]), 1_000)

    assert few[0] == few[1] > 0.8
    assert many[0] == many[1] < 0.3


def test_hill_is_the_one_of_single_numbers() -> None:
    sizes = np.array([0.0, 0.3, 1.6, 40.0])

    assert squared_hill(sizes, 1.6).tolist() == pytest.approx(
        [hill(size, 1.6, 2.0) for size in sizes.tolist()]
    )


def test_group_without_any_has_none() -> None:
    found = most_of_each(np.array([2, 0, 2]), np.array([0.1, 0.2, 0.3]), 3)

    assert found.tolist() == [0.2, 0.0, 0.3]
