"""From samples to the artefact: fitted on all, judged on what each fit had not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from correlation.calibration import CAP, FEATURES
from correlation.evaluation.answers import ALL, SIMULATED, SIMULATED_SHARE, Answer, samples_of
from correlation.evaluation.answers import HEALTHY_SHARE as HEALTHY
from correlation.evaluation.fitting import Sample, calibrated, held_out
from correlation.evaluation.reliability import Bin, bins, calibration_figures

SILENT = 0.96
"""Share of healthy windows, unseen system by system, that the abstention threshold must keep
silent: a little more than the .95 it is held to."""

LOWEST_THRESHOLD = 0.6
"""Above `ranking.UNCORROBORATED`: what the metrics have not confirmed is no answer."""


@dataclass(frozen=True)
class Judged:
    """An answer and the chance it was given by a fit without its group; 0 names nobody."""

    system: str
    condition: str
    healthy: bool
    right: bool
    said: float


@dataclass(frozen=True)
class Recalibration:
    """The artefact, and what its figures are of."""

    document: dict[str, Any]
    by_system: list[Judged]
    by_service: list[Judged]

    @property
    def bins(self) -> list[Bin]:
        """The reliability of whole cases of unseen systems."""
        shown = _cases(self.by_system, lambda one: one.condition == ALL)
        return bins([one.said for one in shown], [one.right for one in shown])


def recalibrated(answers: Sequence[Answer], date: str) -> Recalibration:
    """A calibration of `answers` as of `date` (YYYY-MM-DD); raises ValueError without any.

    Systems left out one at a time choose the abstention threshold and give the headline figures.
    """
    samples = samples_of(answers)
    if not any(not one.healthy for one in samples):
        raise ValueError("no ranking of a labelled case names anybody")
    if len({one.system for one in samples}) < 2:
        raise ValueError(
            "cases of two systems or more are needed: each is judged by the others' fit"
        )
    silent = [one for one in answers if one["named"] is None]
    by_system = _judged(samples, [one.system for one in samples], silent)
    by_service = _judged(samples, [one.service for one in samples], silent)
    threshold = _threshold(by_system)
    fitted = calibrated(samples)
    body: dict[str, Any] = {
        "note": "fitted on labelled incidents of public data sets and on simulated ones; "
        "see docs/accuracy.md",
        "datasets": _datasets(answers),
        "weights": {"simulated": SIMULATED_SHARE, "healthy": HEALTHY},
        "n": fitted.n,
        "base_rate": round(fitted.base_rate, 6),
        "intercept": round(fitted.intercept, 6),
        "coefficients": {name: round(fitted.coefficients[name], 6) for name in FEATURES},
        "ranges": {name: [round(end, 6) for end in fitted.ranges[name]] for name in FEATURES},
        "cap": CAP,
        "abstain_below": threshold,
        "cross_validated": {
            "unseen_system": _figures(by_system, threshold),
            "unseen_service": _figures(by_service, threshold),
        },
    }
    digest = blake2b(repr(sorted(body.items())).encode(), digest_size=4).hexdigest()
    return Recalibration(
        {"version": f"{date}-{digest}", "date": date, **body}, by_system, by_service
    )


def _judged(
    samples: Sequence[Sample], groups: Sequence[str], silent: Sequence[Answer]
) -> list[Judged]:
    said = held_out(samples, groups)
    found = [
        Judged(one.system, one.condition, one.healthy, one.right, chance)
        for one, chance in zip(samples, said, strict=True)
    ]
    return found + [
        Judged(one["system"], one["condition"], one["service"] is None, False, 0.0)
        for one in silent
    ]


def _threshold(judged: Sequence[Judged]) -> float:
    """The lowest confidence, in hundredths, that keeps SILENT of the healthy windows silent.

    Recorded and simulated windows each: many of one kind would hide the other.
    """
    kinds = [
        sorted(one.said for one in judged if one.healthy and (one.system == SIMULATED) == simulated)
        for simulated in (False, True)
    ]
    hundredths = round(LOWEST_THRESHOLD * 100)
    while hundredths < round(CAP * 100) and any(
        sum(said < hundredths / 100.0 for said in kind) < SILENT * len(kind) for kind in kinds
    ):
        hundredths += 1
    return hundredths / 100.0


def _cases(judged: Sequence[Judged], wanted: Callable[[Judged], bool]) -> list[Judged]:
    return [one for one in judged if not one.healthy and one.system != SIMULATED and wanted(one)]


def _figures(judged: Sequence[Judged], threshold: float) -> dict[str, Any]:
    conditions = sorted({one.condition for one in judged if one.system != SIMULATED})
    systems = sorted({one.system for one in judged})
    found: dict[str, Any] = _row(_cases(judged, lambda one: one.condition == ALL), threshold)
    found["by_condition"] = {
        name: _row(_cases(judged, lambda one, name=name: one.condition == name), threshold)  # type: ignore[misc]
        for name in conditions
    }
    found["by_system"] = {
        name: _row(
            [
                one
                for one in judged
                if one.system == name and one.condition == ALL and not one.healthy
            ],
            threshold,
        )
        for name in systems
    }
    for name in systems:
        quiet = [one for one in judged if one.healthy and one.system == name]
        found["by_system"][name]["healthy_windows"] = len(quiet)
        found["by_system"][name]["healthy_silent"] = _silent(quiet, threshold)
    found["healthy_silent"] = _silent(
        [one for one in judged if one.healthy and one.system != SIMULATED], threshold
    )
    return found


def _silent(judged: Sequence[Judged], threshold: float) -> float | None:
    if not judged:
        return None
    return round(sum(one.said < threshold for one in judged) / len(judged), 4)


def _row(judged: Sequence[Judged], threshold: float) -> dict[str, Any]:
    said, right = [one.said for one in judged], [one.right for one in judged]
    return {
        "n": len(judged),
        "right": round(sum(right) / len(right), 4) if right else None,
        **calibration_figures(said, right),
        "coverage": round(sum(p >= threshold for p in said) / len(said), 4) if said else None,
    }


def _datasets(answers: Sequence[Answer]) -> dict[str, Any]:
    """How much of each data set: cases, rankings of them, and healthy windows."""
    rankings = Counter(one["system"] for one in answers if one["service"] is not None)
    windows = Counter(one["system"] for one in answers if one["service"] is None)
    cases = Counter(
        system
        for system, _ in {
            (one["system"], one["case"]) for one in answers if one["service"] is not None
        }
    )
    return {
        name: {"cases": cases[name], "rankings": rankings[name], "healthy_windows": windows[name]}
        for name in sorted({*rankings, *windows})
    }
