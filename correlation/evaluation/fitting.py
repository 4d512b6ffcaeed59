"""Fits the calibration: a ridge-penalised logistic with signs held, and its cross-validation. Pure.

Every sample is one ranking: its features and whether the service it put first was the culprit.
Samples of one case, of one culprit service or of one system are told apart by `groups`, so that
none is in the fit that judges it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from correlation.calibration import FEATURES, Calibration

RIDGE = 1.0
"""Penalty on coefficients of features scaled to spread 1, in samples."""


@dataclass(frozen=True)
class Sample:
    """One ranking; `weight` says how much it counts, `healthy` that nothing was wrong."""

    case: str
    system: str
    service: str
    features: Mapping[str, float]
    right: bool
    healthy: bool = False
    weight: float = 1.0
    condition: str = ""


def fit(
    rows: Sequence[Mapping[str, float]],
    right: Sequence[bool],
    ridge: float = RIDGE,
    weights: Sequence[float] | None = None,
) -> tuple[float, dict[str, float]]:
    """(intercept, coefficients) by Newton's method on the ridge-penalised log-likelihood.

    Coefficients are held at 0 or above: more of a feature never lowers p. Targets are smoothed as
    in Platt 1999, so separable cases give no infinite weights. `weights` say how much each row
    counts (1 by default).
    """
    counts = np.ones(len(rows)) if weights is None else np.array(weights, dtype=float)
    y = np.array(right, dtype=float)
    hits, misses = float(counts[y > 0.5].sum()), float(counts[y <= 0.5].sum())
    y = np.where(y > 0.5, (hits + 1) / (hits + 2), 1 / (misses + 2))
    matrix = np.array([[row[name] for name in FEATURES] for row in rows], dtype=float)
    centre, spread = matrix.mean(axis=0), np.maximum(matrix.std(axis=0), 1e-9)
    matrix = (matrix - centre) / spread
    free = [i for i in range(len(FEATURES)) if spread[i] > 1e-9]
    while True:
        beta = _newton(np.column_stack((np.ones(len(matrix)), matrix[:, free])), y, counts, ridge)
        negative = [i for i, weight in zip(free, beta[1:], strict=True) if weight < 0.0]
        if not negative:
            break
        free = [i for i in free if i not in negative]
    found = dict.fromkeys(FEATURES, 0.0)
    intercept = float(beta[0])
    for i, weight in zip(free, beta[1:], strict=True):
        found[FEATURES[i]] = float(weight / spread[i])
        intercept -= float(weight * centre[i] / spread[i])
    return intercept, found


def _newton(
    design: np.ndarray, y: np.ndarray, counts: np.ndarray, ridge: float
) -> np.ndarray:  # fmt: skip
    beta = np.zeros(design.shape[1])
    penalty = np.diag([1e-6] + [ridge] * (design.shape[1] - 1))
    for _ in range(100):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -40.0, 40.0)))
        gradient = design.T @ (counts * (p - y)) + penalty @ beta
        hessian = design.T @ (design * (counts * p * (1 - p))[:, None]) + penalty
        step = np.linalg.solve(hessian, gradient)
        beta = beta - step
        if float(np.max(np.abs(step))) < 1e-9:
            break
    return beta


def calibrated(samples: Sequence[Sample], version: str = "", abstain: float = 0.5) -> Calibration:
    """The calibration of these samples."""
    rows = [one.features for one in samples]
    weights = np.array([one.weight for one in samples])
    right = np.array([one.right for one in samples])
    intercept, coefficients = fit(rows, right.tolist(), weights=weights.tolist())
    ranges = {
        name: (min(row[name] for row in rows), max(row[name] for row in rows)) for name in FEATURES
    }
    return Calibration(
        version=version,
        intercept=intercept,
        coefficients=coefficients,
        abstain_below=abstain,
        ranges=ranges,
        base_rate=float((weights * right).sum() / weights.sum()),
        n=len(samples),
    )


def held_out(samples: Sequence[Sample], groups: Sequence[str]) -> list[float]:
    """What each sample is given by a calibration that has seen no sample of its group.

    A group is a culprit service or a system; samples with "" (healthy windows, by service) are
    never left out of a fit and are judged by that of all.
    """
    said = [0.0] * len(samples)
    for group in sorted(set(groups)):
        kept = [
            one for one, name in zip(samples, groups, strict=True) if not group or name != group
        ]
        fitted = calibrated(kept)
        for i, name in enumerate(groups):
            if name == group:
                said[i] = fitted.probability(samples[i].features)
    return said
