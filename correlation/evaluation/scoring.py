"""How right rankings were: AC@k, Avg@5, calibration, changes. Pure, and the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from correlation.evaluation.reliability import calibration_figures

WORST = 10**6
"""The rank of a service that was not ranked at all."""


@dataclass(frozen=True)
class Outcome:
    """One case after ranking: `ranked` are (service, score) best first.

    `healthy` cases have no truth. `change` is the one blamed, "none" without; `true_change` is
    None where the case does not ask.
    """

    case: str
    system: str
    fault_type: str
    truth: str | None
    ranked: tuple[tuple[str, float], ...]
    confidence: float
    status: str
    seconds: float = 0.0
    change: str = "none"
    true_change: str | None = None
    innocent: frozenset[str] = frozenset()

    @property
    def rank(self) -> int:
        return worst_rank(self.ranked, self.truth or "")


def worst_rank(ranked: Sequence[tuple[str, float]], truth: str) -> int:
    """Where the truth stands, from 1, behind everything with its score; WORST when absent."""
    score = next((score for name, score in ranked if name == truth), None)
    if score is None:
        return WORST
    names = {name for name, other in ranked if other >= score or name == truth}
    return len(names)


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The `overall` object of the report; null where there is nothing to say it of."""
    cases = [one for one in outcomes if one.truth is not None]
    healthy = [one for one in outcomes if one.truth is None]
    found: dict[str, Any] = {"n": len(cases)}
    for k in (1, 3, 5):
        found[f"ac{k}"] = _share([one.rank <= k for one in cases])
    found["avg5"] = _share([one.rank <= k for one in cases for k in range(1, 6)])
    found |= calibration_figures(
        [one.confidence for one in cases], [one.rank == 1 for one in cases]
    )
    found["coverage"] = _share([one.status == "done" for one in cases])
    found["healthy_silent"] = _share([one.status != "done" for one in healthy])
    asked = [one for one in cases if one.true_change is not None]
    found["change_accuracy"] = _share([one.change == one.true_change for one in asked])
    found["innocent_blamed"] = _share([blames_innocent(one) for one in asked])
    found["seconds_per_case"] = _mean([one.seconds for one in cases])
    return found


def blames_innocent(one: Outcome) -> bool:
    """Whether the answer names a change, and not the one that did it."""
    return one.change not in ("none", one.true_change)


def baseline_figures(ranks: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """`ranking_figures` of (system, rank) pairs, and the same under by_system."""
    systems = sorted({system for system, _ in ranks})
    return {
        **ranking_figures([rank for _, rank in ranks]),
        "by_system": {
            name: ranking_figures([rank for system, rank in ranks if system == name])
            for name in systems
        },
    }


def ranking_figures(ranks: Sequence[int]) -> dict[str, Any]:
    """n, AC@1/3/5 and Avg@5 of bare ranks, for the methods compared with."""
    found: dict[str, Any] = {"n": len(ranks)}
    for k in (1, 3, 5):
        found[f"ac{k}"] = _share([rank <= k for rank in ranks])
    found["avg5"] = _share([rank <= k for rank in ranks for k in range(1, 6)])
    return found


def _share(hits: Sequence[bool]) -> float | None:
    return _mean([float(hit) for hit in hits])


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None
