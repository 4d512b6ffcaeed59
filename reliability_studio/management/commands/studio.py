"""manage.py studio: the whole product in one process."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from reliability_studio import embedded
from reliability_studio.preflight import CannotStart

# --demo means these, wherever the environment does not say otherwise
DEMO_ENVIRONMENT = {
    "STUDIO_DEMO": "1",
    "SCRAPE_INTERVAL_SECONDS": "5",
    "RESOLVE_HOLD_DOWN_SECONDS": "45",
    "REOPEN_WINDOW_SECONDS": "60",
    "ARCHIVE_AFTER_SECONDS": "1800",
    "RECONCILE_SECONDS": "15",
    "RECONCILE_SETTLE_SECONDS": "60",
    "RECONCILE_ABSENT_SECONDS": "30",
    "RECONCILE_LOST_AFTER_SECONDS": "60",
}


class Command(BaseCommand):
    help = "Web, live pages, workers and schedule in one process, until Ctrl-C."
    requires_system_checks: list[str] = []  # run by preflight, one line a problem

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="seed a shop and run its lab")
        parser.add_argument("--no-lab", action="store_true", help="the demo without the lab")
        parser.add_argument("--reset", action="store_true", help="forget the state first")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=settings.STUDIO_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        missing = {k: v for k, v in DEMO_ENVIRONMENT.items() if not os.environ.get(k)}
        if options["demo"] and missing:
            # settings are read once, at the start: start again with the demo's
            again = [sys.executable, *sys.orig_argv[1:]]
            os.execve(sys.executable, again, os.environ | missing)  # noqa: S606
        try:
            embedded.run(
                host=options["host"],
                port=options["port"],
                with_demo=options["demo"],
                with_lab=options["demo"] and not options["no_lab"],
                reset=options["reset"],
                say=lambda line: print(line, flush=True),
            )
        except CannotStart as refusal:
            for problem in refusal.problems:
                print(problem, file=sys.stderr)
            sys.exit(1)
        embedded.leave()
