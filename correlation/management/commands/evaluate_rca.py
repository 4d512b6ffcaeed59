"""manage.py evaluate_rca: how often the ranking is right about labelled incidents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from correlation.evaluation.case_files import BadCase, find_cases
from correlation.evaluation.cases import SOURCES, Conditions
from correlation.evaluation.report import HORIZONS, as_text, evaluate


class Command(BaseCommand):
    help = (
        "Rank every labelled incident below DIR and print how often the culprit came first, how "
        "well the confidence holds, and the same of simpler methods. Labels are read after ranking."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directories", nargs="+", type=Path, metavar="DIR")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
        parser.add_argument(
            "--horizon", type=float, metavar="SECONDS", help="after the start; default: all"
        )
        parser.add_argument(
            "--healthy", action="store_true", help="add windows in which nothing is wrong"
        )
        parser.add_argument("--without", action="append", default=[], choices=SOURCES)
        parser.add_argument("--drop-edges", type=float, default=0.0, metavar="SHARE")
        parser.add_argument(
            "--late", type=float, default=0.0, metavar="SECONDS", help="notice it this much later"
        )
        parser.add_argument("--only", action="store_true", help="no further horizons")
        parser.add_argument("--cases", action="store_true", help="print each case as it is done")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0.0 <= options["drop_edges"] <= 1.0:
            raise CommandError("--drop-edges must be between 0 and 1.", returncode=2)
        for directory in options["directories"]:
            if not directory.is_dir():
                raise CommandError(f"{directory} is not a directory.", returncode=2)
        found = find_cases(options["directories"])
        if not found:
            raise CommandError("There is no incident.json below these directories.", returncode=2)
        conditions = Conditions(
            horizon_seconds=options["horizon"],
            without=frozenset(options["without"]),
            drop_edges=options["drop_edges"],
            late_seconds=options["late"],
        )
        try:
            report = evaluate(
                found,
                conditions,
                healthy=options["healthy"],
                horizons=() if options["only"] else HORIZONS,
                told=self.stdout.write if options["cases"] else lambda line: None,
            )
        except BadCase as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            options["json"].write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        self.stdout.write(as_text(report))
