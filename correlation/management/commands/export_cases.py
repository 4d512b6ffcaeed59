"""manage.py export_cases: confirmed causes as labelled cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from correlation.management.since import moment
from correlation.memory.feedback_cases import export


class Command(BaseCommand):
    help = (
        "Write a labelled case below DIR for every incident whose cause responders confirmed and "
        "whose telemetry is still kept, for evaluate_rca and calibrate. Cases hold log lines and "
        "names of your systems."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR")
        parser.add_argument(
            "--since", type=moment, metavar="TIME", help="only incidents that started since then"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        root: Path = options["directory"]
        if root.exists() and not root.is_dir():
            raise CommandError(f"{root} is not a directory.", returncode=2)
        written = left = 0
        for one in export(root, options["since"]):
            notes = "; ".join(one.notes)
            if one.directory is None:
                left += 1
                self.stdout.write(f"{one.incident.reference}: not written, {notes}")
                continue
            written += 1
            lost = f", without {notes}" if notes else ""
            self.stdout.write(f"{one.incident.reference}: {one.directory}{lost}")
        self.stdout.write(f"{written} cases written, {left} not")
