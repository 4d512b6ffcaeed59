"""The accuracy tables of docs/accuracy.md: each source left out, each horizon, other methods.

    make accuracy CASES="DIR..."

Ranks every labelled incident under each of VARIANTS, but only where the variant takes something
from it that it has. With --baro PYTHON (of the environment of `make bench-baselines`) BARO's
figures are added; with --docs the tables are written into docs/accuracy.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from benchmarks.labelled.baselines import baro_figures
from correlation.evaluation.accuracy_page import share, with_section
from correlation.evaluation.case_files import Case, find_cases, label_of, read_case
from correlation.evaluation.cases import Conditions, telemetry_of
from correlation.evaluation.report import BASELINES, answered, labelled
from correlation.evaluation.scoring import (
    Outcome,
    baseline_figures,
    figures,
    worst_rank,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "accuracy.md"
EVERYTHING = "everything"
VARIANTS = {
    EVERYTHING: Conditions(),
    "noticed 60 s late": Conditions(late_seconds=60.0),
    "noticed 300 s late": Conditions(late_seconds=300.0),
    "a tenth of the edges dropped": Conditions(drop_edges=0.1),
    "no graph": Conditions(without=frozenset({"graph"})),
    "no request counts": Conditions(without=frozenset({"requests"})),
    "no metrics": Conditions(without=frozenset({"metrics"})),
    "no logs": Conditions(without=frozenset({"logs"})),
    "no traces": Conditions(without=frozenset({"traces"})),
    "no changes": Conditions(without=frozenset({"changes"})),
    "30 s after the start": Conditions(horizon_seconds=30.0),
    "60 s after the start": Conditions(horizon_seconds=60.0),
    "120 s after the start": Conditions(horizon_seconds=120.0),
    "300 s after the start": Conditions(horizon_seconds=300.0),
}

Ranked = tuple[dict[str, Outcome], dict[str, int]]
"""Outcomes by variant (those that differ from everything), and ranks by baseline."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directories", nargs="+", type=Path)
    parser.add_argument("--baro", type=Path, metavar="PYTHON")
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    directories = find_cases(asked.directories)
    with multiprocessing.Pool(asked.jobs) as pool:
        ranked = pool.map(_ranked, directories, chunksize=1)
    outcomes = {
        name: [found.get(name, found[EVERYTHING]) for found, _ in ranked] for name in VARIANTS
    }
    tested = {
        name: {o.system for found, _ in ranked if (o := found.get(name))} for name in VARIANTS
    }
    baselines = {
        name: baseline_figures(
            [
                (found[EVERYTHING].system, ranks[name])
                for found, ranks in ranked
                if found[EVERYTHING].truth is not None
            ]
        )
        for name in BASELINES
    }
    if asked.baro:
        baselines["BARO"] = baro_figures(directories, asked.baro)
    text = _tables(outcomes, tested, baselines)
    print(text)
    if asked.docs:
        PAGE.write_text(
            with_section(PAGE.read_text(encoding="utf-8"), "accuracy", text), encoding="utf-8"
        )


def _ranked(directory: Path) -> Ranked:
    case = read_case(directory)
    found, ranks = {}, {}
    for name, conditions in VARIANTS.items():
        if not _takes_something(case, conditions):
            continue
        telemetry = telemetry_of(case, conditions)
        found[name] = answered(case.name, telemetry)
        if name == EVERYTHING:
            rankings = {method: rank(telemetry, case.name) for method, rank in BASELINES.items()}
    label = label_of(directory)  # read only now: the ranking is done
    for method, ranking in rankings.items():
        ranks[method] = worst_rank(ranking, label.service or "")
    return {name: labelled(outcome, label) for name, outcome in found.items()}, ranks


def _takes_something(case: Case, conditions: Conditions) -> bool:
    both = (case.recorded, case.healthy)
    there = {
        "metrics": any(one.series for one in both),
        "requests": any(s.signal == "request_rate" for one in both for s in one.series),
        "logs": any(one.lines for one in both),
        "traces": any(one.spans for one in both),
        "graph": bool(case.edges),
        "changes": bool(case.changes),
    }
    if conditions.drop_edges:
        return there["graph"]
    return not conditions.without or any(there[name] for name in conditions.without)


def _tables(
    outcomes: dict[str, list[Outcome]], tested: dict[str, set[str]], baselines: dict[str, Any]
) -> str:
    whole = outcomes[EVERYTHING]
    systems = sorted({one.system for one in whole})
    counts = [sum(one.system == name for one in whole) for name in systems]
    heads = [f"{name} ({n})" for name, n in zip(systems, counts, strict=True)]
    lines = [
        "AC@1 / AC@3; blank where a system's cases have nothing to leave out.",
        "",
        f"| | all of these | {' | '.join(heads)} |",
        "|---" * (len(systems) + 2) + "|",
    ]
    for name, found in outcomes.items():
        cells = [
            _ac([one for one in found if one.system == system]) if system in tested[name] else ""
            for system in systems
        ]
        there = [one for one in found if one.system in tested[name]]
        lines.append(f"| {name} | {_ac(there) if there else ''} | {' | '.join(cells)} |")
    for name, one in baselines.items():
        cells = [_pair(one["by_system"].get(system)) for system in systems]
        lines.append(f"| *{name}* | {_pair(one)} | {' | '.join(cells)} |")
    lines += ["", "| fault | n | AC@1 | AC@3 | Avg@5 | answered |", "|---|---|---|---|---|---|"]
    lines += _by(whole, lambda one: f"{one.system}: {one.fault_type}")
    changes = figures([one for one in whole if one.true_change is not None])
    lines += [
        "",
        f"Changes, of {changes['n']} cases that ask: right one or rightly none "
        f"{share(changes['change_accuracy'])}, an innocent one blamed "
        f"{share(changes['innocent_blamed'])}. Median seconds a case: "
        f"{sorted(one.seconds for one in whole)[len(whole) // 2]:.2f}.",
    ]
    return "\n".join(lines) + "\n"


def _by(outcomes: list[Outcome], key: Callable[[Outcome], str]) -> list[str]:
    lines = []
    for name in sorted({key(one) for one in outcomes}):
        found = figures([one for one in outcomes if key(one) == name])
        cells = (found["ac1"], found["ac3"], found["avg5"], found["coverage"])
        lines.append(f"| {name} | {found['n']} | {' | '.join(share(cell) for cell in cells)} |")
    return lines


def _ac(outcomes: list[Outcome]) -> str:
    return _pair(figures(outcomes))


def _pair(found: dict[str, Any] | None) -> str:
    return f"{share(found['ac1'])} / {share(found['ac3'])}" if found else ""


if __name__ == "__main__":
    main()
