"""What a confidence means, and what keeps it from being higher, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from correlation.calibration import Calibration
from correlation.explaining.reasoning import Sureness
from correlation.telemetry import Cause

CLOSE = 0.15
"""A lead in score this small leaves the runner-up a fair chance."""


def sureness(
    artefact: Calibration,
    features: Mapping[str, float],
    causes: Sequence[Cause],
    corroborated: bool,
) -> Sureness | None:
    """What the confidence that `artefact` gave the first cause means; None without causes.

    `features` are the calibration's, margin and coverage 0..1.
    """
    if not causes:
        return None
    runner_up = causes[1].service if len(causes) > 1 else ""
    return {
        "odds": odds_in_words(causes[0].confidence),
        "held_back": held_back(features, runner_up, corroborated),
        "calibration": artefact.version,
        "cases": artefact.n,
    }


def shared_out(top: float, scores: list[float]) -> list[float]:
    """Runners-up share what the first leaves, by score, with room for a cause not listed."""
    rest = 1.0 - top
    total = sum(scores[1:]) + 0.5
    shared = [min(0.99 * top, rest * score / total) for score in scores[1:]]
    return [round(value, 4) for value in ([top, *shared] if scores else [])]


def odds_in_words(confidence: float) -> str:
    """0.93 -> "9 of 10": how many of such answers are right; "fewer than 1 of 20" below 0.05."""
    if confidence < 0.05:
        return "fewer than 1 of 20"
    for least, odds in ((0.985, "99 of 100"), (0.965, "49 of 50"), (0.94, "19 of 20")):
        if confidence >= least:
            return odds
    return f"{min(max(round(confidence * 10), 1), 9)} of 10"


def held_back(features: Mapping[str, float], runner_up: str, corroborated: bool) -> list[str]:
    """Why the first cause is not surer, in the order in which it matters; [] for no reason."""
    said = []
    if runner_up and features["margin"] < CLOSE:
        said.append(f"{runner_up} is close behind")
    if not corroborated:
        said.append("the metrics have not confirmed it yet")
    if features["coverage"] < 0.6:
        said.append("much of the evidence could not be had")
    elif features["coverage"] < 0.99:
        said.append("part of the evidence could not be had")
    return said
