from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlation.magnitude import confidence_of, error_rise_confidence, magnitude, significance
from correlation.metrics.changepoint import Onset
from correlation.metrics.effects import Effect
from correlation.metrics.reference import Reference

UNITS = [
    ("latency_p95", "s"), ("request_rate", "1/s"), ("memory", "bytes"), ("cpu", "cores"),
    ("pool_waiting", "count"), ("pool_saturation", "ratio"), ("restarts", "count"), ("x", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ratio", "requests", "low", "high"),
    [
        (0.50, 600.0, 0.95, 0.99),  # a 50-point rise on real traffic
        (0.05, 3000.0, 0.55, 0.65),  # a 5-point rise
        (0.50, 6.0, 0.30, 0.60),  # 3 failures of 6 requests
        (0.005, 600.0, 0.0, 0.10),
        (0.50, 0.0, 0.0, 0.0),
    ],
)
def test_error_rise_confidence_follows_magnitude_and_traffic(
    ratio: float, requests: float, low: float, high: float
) -> None:
    assert low <= error_rise_confidence(0.0, ratio, requests) <= high


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1e5), st.floats(0.0, 1e5))
def test_error_rise_confidence_is_monotone(a: float, b: float, n: float, m: float) -> None:
    less, more = sorted((a, b))
    few, many = sorted((n, m))

    assert error_rise_confidence(0.0, less, many) <= error_rise_confidence(0.0, more, many) + 1e-12
    assert 0.0 <= error_rise_confidence(0.0, more, few) <= 1.0


@given(st.sampled_from(UNITS), st.floats(0.0, 1e6), st.floats(0.0, 1e6), st.floats(0.0, 1e6))
def test_magnitude_is_bounded_and_monotone_above_the_baseline(
    what: tuple[str, str], baseline: float, a: float, b: float
) -> None:
    signal, unit = what
    less, more = sorted((baseline + a, baseline + b))

    smaller, larger = (
        magnitude(signal, unit, baseline, less),
        magnitude(signal, unit, baseline, more),
    )

    assert 0.0 <= smaller <= larger + 1e-12 <= 1.0 + 1e-12


def test_significance_asks_more_of_more_series() -> None:
    assert [round(significance(4.0, n), 2) for n in (10, 100, 500)] == [0.85, 0.48, 0.26]
    assert round(significance(0.0, 10), 9) == 0.0


@pytest.mark.parametrize("requests", [None, 1000.0])
def test_noise_is_worth_nothing(requests: float | None) -> None:
    onset = Onset(0, 1, 0.0, 5.0, 1.0)
    effect = Effect(Reference(0.002, 0.008, 0.0, 0.018, 100), 0.02, 2.2, 1, onset, 5.0, 1)

    confidence = confidence_of(effect, "error_ratio", "ratio", 150, requests)

    assert confidence < 0.02
