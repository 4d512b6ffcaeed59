from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlation.calibration import (
    CAP,
    describe,
    expected_calibration_error,
    fit,
    parse,
    shipped,
)


def test_shipped_artefact_says_what_it_was_fitted_on() -> None:
    artefact = shipped()

    assert (artefact.n > 0, "fitted on" in artefact.note) == (True, True)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5), st.floats(0.0, 1.0))
def test_probability_is_bounded(scores: list[float], coverage: float) -> None:
    probability = shipped().probability(describe(sorted(scores, reverse=True), coverage))

    assert 0.0 <= probability <= CAP


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_probability_is_monotone_in_strength(a: float, b: float, second: float, c: float) -> None:
    low, high = sorted((a, b))
    runner_up = min(second, low)

    less = shipped().probability(describe([low, runner_up], c))
    more = shipped().probability(describe([high, runner_up], c))

    assert less <= more + 1e-12


def test_fit_recovers_a_known_logistic() -> None:
    rng = np.random.default_rng(3)
    rows = [
        {"strength": float(s), "margin": float(m), "coverage": 1.0}
        for s, m in zip(rng.normal(0, 2, 4000), rng.uniform(0, 1, 4000), strict=True)
    ]
    chance = [1 / (1 + np.exp(-(-1.0 + 1.2 * r["strength"] + 2.0 * r["margin"]))) for r in rows]
    right = [bool(rng.uniform() < p) for p in chance]

    intercept, found = fit(rows, right, ridge=1e-3)

    assert (found["strength"], found["margin"]) == pytest.approx((1.2, 2.0), abs=0.25)
    assert intercept + found["coverage"] == pytest.approx(-1.0, abs=0.25)


def test_fit_never_rewards_weakness() -> None:
    rows = [{"strength": float(s), "margin": 0.5, "coverage": 1.0} for s in range(-4, 5)]

    _, found = fit(rows, [s < 0 for s in range(-4, 5)])

    assert found["strength"] == 0.0


def test_expected_calibration_error_measures_the_gap() -> None:
    assert expected_calibration_error([0.9] * 10, [True] * 9 + [False]) == pytest.approx(0.16)
    assert expected_calibration_error([0.9] * 10, [False] * 10, bins=1) == pytest.approx(0.9)


def test_parse_refuses_an_artefact_without_a_coefficient() -> None:
    with pytest.raises(KeyError):
        parse({"version": "x", "intercept": 0, "coefficients": {}, "abstain_below": 0.4})
