from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlation.calibration import CAP, FEATURES, Calibration, describe, parse, shipped

FITTED = Calibration(
    version="test",
    intercept=0.0,
    coefficients={"strength": 1.0, "margin": 0.0, "agreement": 0.0},
    abstain_below=0.5,
    ranges={"strength": (-1.0, 2.0), "margin": (0.0, 1.0), "agreement": (0.0, 4.0)},
    base_rate=0.6,
)


def seen(strength: float) -> dict[str, float]:
    return {"strength": strength, "margin": 0.5, "agreement": 1.0}


def test_shipped_artefact_says_what_it_was_fitted_on_and_how_it_did() -> None:
    artefact = shipped()

    assert (artefact.n > 0, "fitted on" in artefact.note) == (True, True)
    assert set(artefact.ranges) == set(FEATURES)
    assert artefact.figures["unseen_system"]["n"] > 0


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5), st.integers(0, 4))
def test_probability_is_bounded(scores: list[float], agreement: int) -> None:
    probability = shipped().probability(describe(sorted(scores, reverse=True), agreement, 1.0))

    assert 0.0 <= probability <= CAP


@given(st.floats(-1.0, 2.0), st.floats(-1.0, 2.0))
def test_probability_grows_with_a_feature_inside_its_range(a: float, b: float) -> None:
    low, high = sorted((a, b))

    assert FITTED.probability(seen(low)) <= FITTED.probability(seen(high))


@given(st.floats(2.0, 50.0))
def test_probability_is_never_sharper_for_features_beyond_the_fitted_range(strength: float) -> None:
    at_the_border, beyond = FITTED.probability(seen(2.0)), FITTED.probability(seen(strength))

    assert FITTED.base_rate <= beyond <= at_the_border


def test_probability_far_outside_is_close_to_the_base_rate() -> None:
    assert FITTED.probability(seen(12.0)) == pytest.approx(FITTED.base_rate, abs=0.01)


def test_probability_below_the_range_is_that_of_its_border() -> None:
    assert FITTED.probability(seen(-9.0)) == FITTED.probability(seen(-1.0))


def test_parse_reads_an_artefact_of_before_there_were_ranges() -> None:
    told = {
        "version": "x", "intercept": 0.0, "abstain_below": 0.4,
        "coefficients": dict.fromkeys(FEATURES, 1.0),
    }  # fmt: skip

    assert parse(told).probability(seen(1.0)) == pytest.approx(0.924, abs=0.001)


@pytest.mark.parametrize(
    ("change", "error"),
    [({"coefficients": {}}, KeyError), ({"ranges": {"strength": [2.0, 1.0]}}, ValueError)],
)
def test_parse_refuses_a_broken_artefact(change: dict[str, object], error: type[Exception]) -> None:
    told = {
        "version": "x", "intercept": 0.0, "abstain_below": 0.4,
        "coefficients": dict.fromkeys(FEATURES, 1.0),
    }  # fmt: skip

    with pytest.raises(error):
        parse(told | change)
