"""Root-cause confidence: a logistic over fused evidence, coefficients in a versioned artefact.

p(top service is right) = 1 / (1 + exp(-(b0 + b1 strength + b2 margin + b3 coverage))), capped.
strength is the top score's log-odds, margin its lead over the runner-up in score (0..1: a faint
lone suspect leads by little), coverage the share of metric, log and graph evidence that was to
be had, less where a callee is unobserved. `calibration.json` says what the
coefficients were fitted on and how well they did; `fit` makes it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

FEATURES = ("strength", "margin", "coverage")
CAP = 0.99


@dataclass(frozen=True)
class Calibration:
    """`coefficients` by feature name; below `abstain_below` the answer is inconclusive."""

    version: str
    intercept: float
    coefficients: Mapping[str, float]
    abstain_below: float
    note: str = ""
    n: int = 0

    def probability(self, features: Mapping[str, float]) -> float:
        """Chance that the top-ranked service is the culprit, 0..CAP."""
        total = self.intercept + sum(self.coefficients[name] * features[name] for name in FEATURES)
        return min(CAP, 1.0 / (1.0 + math.exp(-max(min(total, 40.0), -40.0))))


@lru_cache(maxsize=1)
def shipped() -> Calibration:
    """The artefact that comes with the product."""
    return parse(shipped_document())


def shipped_document() -> dict[str, Any]:
    """The JSON of the artefact that comes with the product; `parse` reads it."""
    text = files("correlation").joinpath("calibration.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def parse(document: Mapping[str, Any]) -> Calibration:
    """A calibration from its JSON; raises KeyError or ValueError on a broken one."""
    coefficients = {name: float(document["coefficients"][name]) for name in FEATURES}
    return Calibration(
        version=str(document["version"]),
        intercept=float(document["intercept"]),
        coefficients=coefficients,
        abstain_below=float(document["abstain_below"]),
        note=str(document.get("note", "")),
        n=int(document.get("n", 0)),
    )


def describe(scores: Sequence[float], coverage: float) -> dict[str, float]:
    """Features of a ranking from its scores (0..1, best first)."""
    top = min(max(scores[0], 1e-4), 1.0 - 1e-4) if scores else 1e-4
    second = scores[1] if len(scores) > 1 else 0.0
    return {
        "strength": max(-4.0, min(4.0, math.log(top / (1.0 - top)))),
        "margin": max(0.0, top - second) if scores else 0.0,
        "coverage": coverage,
    }


def fit(
    rows: Sequence[Mapping[str, float]],
    right: Sequence[bool],
    ridge: float = 1.0,
    weights: Sequence[float] | None = None,
) -> tuple[float, dict[str, float]]:
    """(intercept, coefficients) by Newton's method on the ridge-penalised log-likelihood.

    Coefficients are held at 0 or above: more strength, lead or coverage never lowers p. Targets
    are smoothed as in Platt 1999, so separable cases give no infinite weights. `weights` say how
    much each case counts (1 by default).
    """
    counts = np.ones(len(rows)) if weights is None else np.array(weights, dtype=float)
    y = np.array(right, dtype=float)
    hits, misses = float(y.sum()), float(y.size - y.sum())
    y = np.where(y > 0.5, (hits + 1) / (hits + 2), 1 / (misses + 2))
    matrix = np.array([[row[name] for name in FEATURES] for row in rows], dtype=float)
    free = list(range(len(FEATURES)))
    while True:
        design = np.column_stack((np.ones(len(matrix)), matrix[:, free]))
        beta = np.zeros(design.shape[1])
        penalty = np.diag([1e-6] + [ridge] * len(free))
        for _ in range(100):
            p = 1.0 / (1.0 + np.exp(-design @ beta))
            gradient = design.T @ (counts * (p - y)) + penalty @ beta
            hessian = design.T @ (design * (counts * p * (1 - p))[:, None]) + penalty
            step = np.linalg.solve(hessian, gradient)
            beta = beta - step
            if float(np.max(np.abs(step))) < 1e-9:
                break
        negative = [i for i, weight in zip(free, beta[1:], strict=True) if weight < 0.0]
        if not negative:
            break
        free = [i for i in free if i not in negative]
    found = dict.fromkeys(FEATURES, 0.0)
    for i, weight in zip(free, beta[1:], strict=True):
        found[FEATURES[i]] = float(weight)
    return float(beta[0]), found


def expected_calibration_error(
    probabilities: Sequence[float], right: Sequence[bool], bins: int = 5
) -> float:
    """Mean gap of said and seen over equal-mass bins, weighted by their size."""
    order = np.argsort(np.array(probabilities), kind="stable")
    said, seen = np.array(probabilities)[order], np.array(right, dtype=float)[order]
    gaps = [
        abs(float(part_said.mean()) - float(part_seen.mean())) * part_said.size
        for part_said, part_seen in zip(
            np.array_split(said, bins), np.array_split(seen, bins), strict=True
        )
        if part_said.size
    ]
    return sum(gaps) / max(len(said), 1)
