"""manage.py check_telemetry: what the product can and cannot see of each service."""

from __future__ import annotations

import json
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from correlation.doctor import UnknownService, examine
from correlation.doctor.text import as_text
from correlation.management.at import add_at
from incidents.models.catalogue import PRODUCTION


class Command(BaseCommand):
    help = (
        "Ask every data source for the last 15 minutes and say, per source and service, what "
        "there is and what is missing. Exit 0: every required source is usable; 1: one is not; "
        "2: asked wrongly."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--service", action="append", default=[], metavar="SLUG", help="may be repeated"
        )
        parser.add_argument("--environment", default=PRODUCTION)
        add_at(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument(
            "--deadline",
            type=float,
            default=settings.CORRELATION_DEADLINE_SECONDS,
            metavar="SECONDS",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 < options["deadline"] <= 600:
            raise CommandError("--deadline must be between 0 and 600 seconds.", returncode=2)
        try:
            found = examine(
                options["environment"],
                options["at"] or time.time(),
                options["deadline"],
                options["service"],
            )
        except UnknownService as error:
            raise CommandError(str(error), returncode=2) from error
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json(), indent=2, allow_nan=False))
        else:
            self.stdout.write(as_text(found, options["at"]))
        if not found.usable:
            lost = ", ".join(
                one.slug for one in found.sources if one.required and one.state == "unavailable"
            )
            raise CommandError(f"Cannot be used: {lost}.", returncode=1)
