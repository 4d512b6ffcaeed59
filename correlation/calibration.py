"""Root-cause confidence: a logistic over the ranking's features, coefficients in an artefact.

p(top service is right) = 1 / (1 + exp(-(b0 + sum of b_i x_i))), capped. The x are FEATURES:
strength is the top score's log-odds, margin its lead over the runner-up in score (0..1: a faint
lone suspect leads by little), agreement how many kinds of evidence (metrics, lines, traces,
cluster) speak against the first. `calibration.json` says what the coefficients were fitted on and
how well they did on cases they had not seen; `manage.py calibrate` makes it. Where a feature lies
outside what was fitted, it is taken at the border and the answer is drawn towards the base rate:
never sharper for being strange.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from correlation.telemetry import Evidence

FEATURES = ("strength", "margin", "agreement")
CAP = 0.99
CLEAR = 0.5
"""Evidence of at least this confidence counts where kinds of evidence are asked to agree."""

DRIFT_SHRINKS = 2.0
"""A feature outside its range by the whole of it leaves e**-2 of the lead over the base rate."""


@dataclass(frozen=True)
class Calibration:
    """`coefficients` and `ranges` (fitted lowest, highest) by feature name.

    Below `abstain_below` the answer is inconclusive. `base_rate` is how often the top service was
    right whatever its features; `figures` is the rest of the artefact, for those who show it.
    """

    version: str
    intercept: float
    coefficients: Mapping[str, float]
    abstain_below: float
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    base_rate: float = 0.5
    n: int = 0
    note: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)

    def probability(self, features: Mapping[str, float]) -> float:
        """Chance that the top-ranked service is the culprit, 0..CAP."""
        total, outside = self.intercept, 0.0
        for name in FEATURES:
            low, high = self.ranges.get(name, (-math.inf, math.inf))
            value = min(max(features[name], low), high)
            total += self.coefficients[name] * value
            if value != features[name]:
                outside = max(outside, abs(features[name] - value) / max(high - low, 1e-6))
        said = 1.0 / (1.0 + math.exp(-max(min(total, 40.0), -40.0)))
        if outside and said > self.base_rate:
            said = self.base_rate + (said - self.base_rate) * math.exp(-DRIFT_SHRINKS * outside)
        return min(CAP, said)


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
    return Calibration(
        version=str(document["version"]),
        intercept=float(document["intercept"]),
        coefficients={name: float(document["coefficients"][name]) for name in FEATURES},
        abstain_below=float(document["abstain_below"]),
        ranges={name: _range(pair) for name, pair in document.get("ranges", {}).items()},
        base_rate=float(document.get("base_rate", 0.5)),
        n=int(document.get("n", 0)),
        note=str(document.get("note", "")),
        figures=document.get("cross_validated", {}),
    )


def _range(pair: Sequence[float]) -> tuple[float, float]:
    low, high = (float(end) for end in pair)
    if not low <= high:
        raise ValueError(f"a range must be (lowest, highest), not {pair}")
    return low, high


def kinds_agreeing(service: str, evidence: Iterable[Evidence]) -> int:
    """How many kinds of evidence speak clearly of `service`; that it was changed is none."""
    return len(
        {
            item.type
            for item in evidence
            if item.confidence >= CLEAR
            and item.type != "change"
            and service in (item.service, item.peer)
        }
    )


def describe(scores: Sequence[float], agreement: int, coverage: float) -> dict[str, float]:
    """What is known of a ranking with these scores (0..1, best first): FEATURES, and coverage.

    `agreement` counts the kinds of evidence that speak against the first service, `coverage` is
    the share of the evidence that could be had.
    """
    top = min(max(scores[0], 1e-4), 1.0 - 1e-4) if scores else 1e-4
    second = scores[1] if len(scores) > 1 else 0.0
    return {
        "strength": max(-4.0, min(4.0, math.log(top / (1.0 - top)))),
        "margin": max(0.0, top - second) if scores else 0.0,
        "agreement": float(agreement),
        "coverage": coverage,
    }
