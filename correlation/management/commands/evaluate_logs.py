"""How well log fingerprints group labelled logs, beside drain3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from correlation.evaluation.labelled_logs import evaluate, find_logs, has_drain3


class Command(BaseCommand):
    help = (
        "Template the labelled logs below each DIR (X.log and X.log_structured.csv, plain or "
        "gzipped) and print grouping accuracy (GA), F1 of grouping (FGA), precision and recall "
        "of new templates (the second half against the first) and lines per CPU second."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directories", nargs="+", type=Path, metavar="DIR")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")

    def handle(self, *args: Any, **options: Any) -> None:
        for directory in options["directories"]:
            if not directory.is_dir():
                raise CommandError(f"{directory} is not a directory.")
        try:
            logs = find_logs(options["directories"])
        except ValueError as error:
            raise CommandError(f"{error}.") from error
        if not logs:
            raise CommandError("No labelled log (*.log_structured.csv) in these directories.")
        told = evaluate(logs)
        self.stdout.write("\n".join(_table(told)))
        if not has_drain3():
            self.stdout.write("drain3 is not installed: no comparison (see requirements-dev.txt).")
        if options["json"]:
            options["json"].write_text(json.dumps(told, indent=2, sort_keys=True) + "\n")


def _table(told: dict[str, Any]) -> list[str]:
    head = f"{'':27}{'GA':>6}{'FGA':>7}{'groups':>10}{'new P':>7}{'new R':>7}{'lines/s':>10}"
    rows = [head]
    rows += [_row(system, one) for system, one in told["by_system"].items()]
    rows.append(_row("overall, raw lines", told["overall"]))
    rows += [_row(name, one["overall"]) for name, one in told["baselines"].items()]
    if told["speed_ratio"] is not None:
        rows.append(f"{told['speed_ratio']:.1f} times the speed of drain3 with equal masks")
    return rows


def _row(name: str, one: dict[str, Any]) -> str:
    groups = f"{one['groups_found']}/{one['groups_true']}"
    return (
        f"{name:27}{one['ga']:6.3f}{one['fga']:7.3f}{groups:>10}{_share(one['new_precision'])}"
        f"{_share(one['new_recall'])}{one['lines_per_second']:10,.0f}"
    )


def _share(value: float | None) -> str:
    return f"{'-':>7}" if value is None else f"{value:7.3f}"
