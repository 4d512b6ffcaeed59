from __future__ import annotations

from xml.etree import ElementTree

import pytest

from correlation.evaluation.reliability import (
    bins,
    calibration_figures,
    diagram,
    expected_calibration_error,
)


def test_expected_calibration_error_measures_the_gap() -> None:
    assert expected_calibration_error([0.9] * 10, [True] * 9 + [False]) == pytest.approx(0.16)
    assert expected_calibration_error([0.9] * 10, [False] * 10, 1) == pytest.approx(0.9)


def test_bins_are_of_equal_mass_and_say_how_uncertain_their_share_is() -> None:
    said = [n / 20 for n in range(20)]

    found = bins(said, [n >= 10 for n in range(20)])

    assert [one.n for one in found] == [4] * 5
    assert [one.right for one in found] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert [one.low <= one.right <= one.high for one in found] == [True] * 5
    assert found[2].high - found[2].low == pytest.approx(0.64, abs=0.01)


def test_calibration_figures_count_the_sure_answers_apart() -> None:
    found = calibration_figures([0.95, 0.95, 0.5, 0.2], [True, False, True, False])

    assert (found["sure_n"], found["sure_right"]) == (2, 0.5)
    assert found["base_rate_brier"] == 0.25
    assert found["ece_low"] <= found["ece"] <= found["ece_high"]


def test_calibration_figures_of_nothing_are_null() -> None:
    found = calibration_figures([], [])

    assert (found["ece"], found["brier"], found["sure_n"], found["sure_right"]) == (
        None, None, 0, None,
    )  # fmt: skip


def test_diagram_is_well_formed_and_has_a_point_for_each_bin() -> None:
    drawing = diagram(bins([0.2, 0.4, 0.6, 0.8], [False, True, True, True], 2), "said < right")

    root = ElementTree.fromstring(drawing)
    points = root.findall("{http://www.w3.org/2000/svg}circle")
    assert [point[0].text for point in points] == [
        "said 0.30, right 0.50, n=2",
        "said 0.70, right 1.00, n=2",
    ]
    assert root[0].text == "said < right"
