"""Ranks cases, scores them against their labels, and puts the figures in JSON and text."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from correlation.evaluation.baselines import BASELINES
from correlation.evaluation.case_files import Case, Label, label_of, read_case
from correlation.evaluation.cases import Conditions, telemetry_of
from correlation.evaluation.healthy_windows import before_start, of_baseline
from correlation.evaluation.scoring import Outcome, baseline_figures, figures, worst_rank
from correlation.ranking import rank
from correlation.telemetry import Telemetry

HORIZONS = (30.0, 60.0, 120.0, 300.0)
_COLUMNS = ("n", "ac1", "ac3", "ac5", "avg5", "ece", "brier", "coverage", "seconds_per_case")


def evaluate(
    directories: Sequence[Path],
    conditions: Conditions,
    healthy: bool = False,
    horizons: Sequence[float] = HORIZONS,
    told: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """The whole report of the cases in `directories`; raises BadCase.

    `horizons` are reported beside the one asked for; `told` hears of each case as it is done.
    """
    outcomes: list[Outcome] = []
    sooner: dict[float, list[Outcome]] = {seconds: [] for seconds in horizons}
    ranks: dict[str, list[tuple[str, int]]] = {name: [] for name in BASELINES}
    quiet: set[str] = set()
    for directory in directories:
        case = read_case(directory)
        telemetry = telemetry_of(case, conditions)
        answer = answered(case.name, telemetry)
        early = {
            seconds: answered(
                case.name, telemetry_of(case, replace(conditions, horizon_seconds=seconds))
            )
            for seconds in horizons
        }
        compared = {name: method(telemetry, case.name) for name, method in BASELINES.items()}
        label = label_of(directory)  # read only now: the ranking is done
        outcomes.append(labelled(answer, label))
        for seconds, found in early.items():
            sooner[seconds].append(labelled(found, label))
        if label.service is not None:
            for name, ranking in compared.items():
                ranks[name].append((label.system, worst_rank(ranking, label.service)))
        if healthy:
            outcomes += _healthy(case, conditions, label.system, quiet)
        told(_line(outcomes, case.name))
    return {
        "overall": figures(outcomes),
        "by_fault_type": _grouped(outcomes, lambda one: one.fault_type),
        "by_system": _grouped(outcomes, lambda one: one.system),
        "by_horizon": {f"{seconds:g}": figures(found) for seconds, found in sooner.items()},
        "baselines": {name: baseline_figures(found) for name, found in ranks.items()},
        "cases": [_case(one) for one in outcomes],
    }


def answered(name: str, telemetry: Telemetry) -> Outcome:
    """The engine's answer to one case, not yet compared with anything."""
    began = time.process_time()
    ranking = rank(telemetry)
    seconds = time.process_time() - began
    causes = ranking.causes
    return Outcome(
        case=name,
        system="",
        fault_type="",
        truth=None,
        ranked=tuple((cause.service, cause.confidence) for cause in causes),
        confidence=causes[0].confidence if causes else 0.0,
        status="inconclusive" if ranking.inconclusive else "done",
        seconds=seconds,
        change=(causes[0].change or "none") if causes else "none",
    )


def labelled(answer: Outcome, label: Label) -> Outcome:
    """The answer beside the truth."""
    return replace(
        answer,
        system=label.system,
        fault_type=label.fault_type,
        truth=label.service,
        true_change=label.change,
        innocent=label.innocent,
    )


def _healthy(case: Case, conditions: Conditions, system: str, done: set[str]) -> Iterable[Outcome]:
    windows = [
        (f"{case.name} before {n}", telemetry)
        for n, telemetry in enumerate(before_start(case, conditions))
    ]
    if case.healthy_name and case.healthy_name not in done:
        done.add(case.healthy_name)
        windows += [
            (f"{case.directory.parent.name}/{Path(case.healthy_name).name} healthy {n}", telemetry)
            for n, telemetry in enumerate(of_baseline(case, conditions))
        ]
    for name, telemetry in windows:
        yield replace(answered(name, telemetry), system=system, fault_type="healthy")


def _grouped(outcomes: Sequence[Outcome], key: Callable[[Outcome], str]) -> dict[str, Any]:
    names = sorted({key(one) for one in outcomes if one.truth is not None})
    return {name: figures([one for one in outcomes if key(one) == name]) for name in names}


def _case(one: Outcome) -> dict[str, Any]:
    found = {
        "case": one.case,
        "truth": one.truth,
        "ranked": [name for name, _ in one.ranked],
        "confidence": one.confidence,
        "status": one.status,
    }
    if one.true_change is not None:
        found |= {"change": one.change, "true_change": one.true_change}
    return found


def _line(outcomes: Sequence[Outcome], case: str) -> str:
    one = next(one for one in reversed(outcomes) if one.case == case)
    at = one.rank if one.rank <= len(one.ranked) else "-"
    first = ", ".join(f"{name} {score:.2f}" for name, score in one.ranked[:3]) or "nothing"
    return f"{at:>2} {one.case} {one.fault_type} {one.truth}: {first} ({one.status})"


def as_text(report: dict[str, Any]) -> str:
    """The figures as tables for a terminal."""
    rows = [("all", report["overall"])]
    rows += [(f"  {name}", found) for name, found in report["by_system"].items()]
    rows += [(f"  {name}", found) for name, found in report["by_fault_type"].items()]
    rows += [(f"  at {name} s", found) for name, found in report["by_horizon"].items()]
    rows += [(f"  beside: {name}", found) for name, found in report["baselines"].items()]
    width = max(len(name) for name, _ in rows) + 2
    lines = [" " * width + "".join(f"{name:>9}" for name in (*_COLUMNS[:-1], "s/case"))]
    for name, found in rows:
        cells = "".join(f"{_cell(found.get(column)):>9}" for column in _COLUMNS)
        lines.append(f"{name:<{width}}{cells}")
    overall = report["overall"]
    lines.append("")
    for name, label in (
        ("ece_low", "ECE, 5 % of resamples"),
        ("ece_high", "ECE, 95 % of resamples"),
        ("base_rate_brier", "Brier of always saying the base rate"),
        ("sure_right", "right of those said with .9 or more"),
        ("healthy_silent", "healthy windows without an answer"),
        ("change_accuracy", "right change, or rightly none"),
        ("innocent_blamed", "an innocent change blamed"),
    ):
        lines.append(f"{label}: {_cell(overall[name])}")
    return "\n".join(lines)


def _cell(value: float | int | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}"
