"""manage.py calibrate: fits how sure the ranking may be, and says how well that holds."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from correlation.evaluation.accuracy_page import calibration_section, with_section
from correlation.evaluation.answers import answers_of
from correlation.evaluation.case_files import find_cases
from correlation.evaluation.recalibration import Recalibration, recalibrated
from correlation.evaluation.recordings import BadCase
from correlation.evaluation.reliability import diagram

ARTEFACT = Path("correlation/calibration.json")
PAGE, IMAGE = Path("docs/accuracy.md"), Path("docs/reliability.svg")


class Command(BaseCommand):
    help = (
        "Rank every labelled incident below CASES, fit the confidence on how often the first "
        "service was right, and write the artefact. Its figures are of systems and of culprit "
        "services that the fit had not seen. Of the cases only names and counts are kept."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directories", nargs="+", type=Path, metavar="CASES")
        parser.add_argument(
            "--answers", action="append", default=[], type=Path, metavar="FILE",
            help="add rankings weighed elsewhere: tests.correlation.simulated_answers writes some",
        )  # fmt: skip
        parser.add_argument("--out", type=Path, metavar="FILE", help=f"default: {ARTEFACT}")
        parser.add_argument(
            "--docs", action="store_true", help=f"write table and diagram into {PAGE.parent}/ too"
        )
        parser.add_argument("--keep", type=Path, metavar="FILE", help="write the rankings there")
        parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        for directory in options["directories"]:
            if not directory.is_dir():
                raise CommandError(f"{directory} is not a directory.", returncode=2)
        try:
            answers = answers_of(find_cases(options["directories"]), options["jobs"])
            for file in options["answers"]:
                answers += json.loads(file.read_text(encoding="utf-8"))
            if options["keep"]:
                options["keep"].write_text(json.dumps(answers) + "\n", encoding="utf-8")
            found = recalibrated(answers, datetime.now(UTC).date().isoformat())
        except (BadCase, OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        out = options["out"] or settings.BASE_DIR / ARTEFACT
        out.write_text(json.dumps(found.document, indent=2) + "\n", encoding="utf-8")
        self.stdout.write(calibration_section(found.document, found.bins, IMAGE.name))
        if options["docs"]:
            _write_docs(found)
        self.stdout.write(f"{out} written after {time.monotonic() - began:.0f} s.")


def _write_docs(found: Recalibration) -> None:
    page = settings.BASE_DIR / PAGE
    section = calibration_section(found.document, found.bins, IMAGE.name)
    text = with_section(page.read_text(encoding="utf-8"), "calibration", section)
    page.write_text(text, encoding="utf-8")
    image = diagram(found.bins, "Reliability: what was said, and what share was right")
    (settings.BASE_DIR / IMAGE).write_text(image, encoding="utf-8")
