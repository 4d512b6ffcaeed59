from __future__ import annotations

import numpy as np
import pytest

from correlation.calibration import FEATURES
from correlation.evaluation.fitting import Sample, calibrated, fit, held_out


def row(**features: float) -> dict[str, float]:
    return dict.fromkeys(FEATURES, 1.0) | features


def make_sample(n: int, right: bool, system: str = "a", strength: float = 0.0) -> Sample:
    return Sample(
        f"{system}/{n}", system, f"{system}/shop", row(strength=strength, margin=n % 7 / 7), right
    )


def test_fit_recovers_a_known_logistic() -> None:
    rng = np.random.default_rng(3)
    rows = [
        row(strength=float(s), margin=float(m))
        for s, m in zip(rng.normal(0, 2, 4000), rng.uniform(0, 1, 4000), strict=True)
    ]
    chance = [1 / (1 + np.exp(-(-1.0 + 1.2 * r["strength"] + 2.0 * r["margin"]))) for r in rows]
    right = [bool(rng.uniform() < p) for p in chance]

    intercept, found = fit(rows, right, ridge=1e-3)

    assert (found["strength"], found["margin"]) == pytest.approx((1.2, 2.0), abs=0.25)
    assert intercept + found["agreement"] == pytest.approx(-1.0, abs=0.25)


def test_fit_never_rewards_weakness() -> None:
    rows = [row(strength=float(s), margin=0.5) for s in range(-4, 5)]

    _, found = fit(rows, [s < 0 for s in range(-4, 5)])

    assert found["strength"] == 0.0


def test_fit_stays_finite_where_strength_parts_right_from_wrong() -> None:
    rows = [row(strength=float(s)) for s in range(-4, 5)]

    intercept, found = fit(rows, [s > 0 for s in range(-4, 5)])

    assert 0.0 < found["strength"] < 5.0
    assert abs(intercept) < 5.0


def test_calibrated_weighs_samples() -> None:
    samples = [make_sample(n, right=n < 50) for n in range(100)]
    heavier = [
        Sample(s.case, s.system, s.service, s.features, s.right, weight=3.0 if s.right else 1.0)
        for s in samples
    ]

    plain, weighted = calibrated(samples), calibrated(heavier)

    assert (plain.base_rate, weighted.base_rate) == (0.5, 0.75)


def test_held_out_judges_a_system_by_the_others_alone() -> None:
    """In one system the answer is always wrong: its own fit would know, the others' cannot."""
    samples = [make_sample(n, right=True, system="a") for n in range(50)]
    samples += [make_sample(n, right=False, system="b") for n in range(50)]

    said = held_out(samples, [one.system for one in samples])

    assert max(said[:50]) < 0.1
    assert min(said[50:]) > 0.9
