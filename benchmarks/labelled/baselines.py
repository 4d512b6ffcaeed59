"""Our ranking beside random, n-sigma and RCAEval's BARO on labelled incidents, in one run.

    make bench-baselines CASES="DIR..."

BARO runs in an environment of its own (requirements-baro.txt) and gets the same
metrics over the same time, healthy recording included; it reads no logs, traces or graph.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import numpy as np

from correlation.evaluation.case_files import (
    find_cases,
    label_of,
    read_case,
)
from correlation.evaluation.cases import Conditions, telemetry_of
from correlation.evaluation.report import as_text, evaluate
from correlation.evaluation.scoring import WORST, baseline_figures
from correlation.telemetry import Telemetry


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directories", nargs="+", type=Path)
    parser.add_argument("--python", type=Path, required=True, help="of BARO's environment")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = find_cases(asked.directories)
    report = evaluate(found, Conditions(), horizons=())
    report["baselines"]["baro"] = baro_figures(found, asked.python)
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(as_text(report))
    print()
    methods = {"ours": report["by_system"]}
    methods |= {name: one["by_system"] for name, one in report["baselines"].items()}
    print(f"{'AC@1/AC@3':<12}" + "".join(f"{system:>20}" for system in report["by_system"]))
    for name, systems in methods.items():
        cells = "".join(f"{one['ac1']:>13.3f}/{one['ac3']:.3f} " for one in systems.values())
        print(f"{name:<12}{cells}")


def baro_figures(directories: list[Path], python: Path) -> dict[str, Any]:
    """Figures of BARO on these cases, run by the interpreter `python`; as `baseline_figures`."""
    ranks: list[tuple[str, int]] = []
    script = Path(__file__).with_name("baro_ranks.py")
    with subprocess.Popen(  # noqa: S603
        [str(python), str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        for directory in directories:
            case, label = read_case(directory), label_of(directory)
            if label.service is None:
                continue
            process.stdin.write(json.dumps(_table(case.name, telemetry_of(case))) + "\n")
            process.stdin.flush()
            ranked = json.loads(process.stdout.readline())["ranked"]
            at = ranked.index(label.service) + 1 if label.service in ranked else WORST
            ranks.append((label.system, at))
        process.stdin.close()
    return baseline_figures(ranks)


def _table(name: str, telemetry: Telemetry) -> dict[str, Any]:
    times = np.unique(np.concatenate([one.times for one in telemetry.series] or [np.zeros(0)]))
    columns = []
    for one in telemetry.series:
        values: list[float | None] = [None] * times.size
        for place, value in zip(np.searchsorted(times, one.times), one.values, strict=True):
            values[place] = float(value)
        columns.append((one.service, values))
    return {
        "case": name,
        "start": telemetry.started_at,
        "times": times.tolist(),
        "columns": columns,
    }


if __name__ == "__main__":
    main()
