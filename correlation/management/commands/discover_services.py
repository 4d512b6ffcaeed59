"""manage.py discover_services: services and dependencies the telemetry and the cluster show."""

from __future__ import annotations

import json
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from correlation.data_sources.catalogue import source_of
from correlation.discovery import apply, look, propose
from correlation.discovery.catalogue import known_calls, known_services
from correlation.discovery.text import as_text
from correlation.management.at import add_at
from correlation.models import DataSource
from incidents.models.catalogue import PRODUCTION


class Command(BaseCommand):
    help = (
        "Propose services and dependencies from Kubernetes, Tempo, Prometheus and Loki. "
        "Nothing is written without --apply. Exit 0: a source answered; 1: none did; "
        "2: asked wrongly."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--environment", default=PRODUCTION)
        parser.add_argument(
            "--namespace", action="append", default=[], help="of Kubernetes; may be repeated"
        )
        add_at(parser)
        parser.add_argument("--apply", action="store_true", help="write what is new")
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument(
            "--deadline",
            type=float,
            default=settings.CORRELATION_DEADLINE_SECONDS,
            metavar="SECONDS",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        environment, namespaces = options["environment"], options["namespace"]
        if not 0 < options["deadline"] <= 600:
            raise CommandError("--deadline must be between 0 and 600 seconds.", returncode=2)
        rows = DataSource.objects.filter(enabled=True, environment=environment)
        sources = [source_of(row) for row in rows]
        if not sources:
            raise CommandError(
                f"No data source is configured for the environment {environment}: set "
                "PROMETHEUS_URL, LOKI_URL, TEMPO_URL or KUBECONFIG, or add data sources.",
                returncode=2,
            )
        now = options["at"] or time.time()
        looked = look(sources, environment, now, options["deadline"], namespaces)
        found = propose(
            looked.seen, known_services(environment), known_calls(environment), namespaces
        )
        summary = apply(found, environment) if options["apply"] and looked.answered else None
        if options["json"]:
            self.stdout.write(json.dumps(_document(environment, looked, found, summary), indent=2))
        else:
            self.stdout.write(as_text(environment, looked, found, summary))
        if not looked.answered:
            raise CommandError("No data source answered: nothing can be proposed.", returncode=1)


def _document(environment: str, looked: Any, found: Any, summary: Any) -> dict[str, Any]:
    states = [
        {"source": label, "state": state, "detail": detail}
        for label, state, detail in looked.states
    ]
    written = None if summary is None else {**vars(summary), "refused": list(summary.refused)}
    return {
        "environment": environment,
        "sources": states,
        **found.as_json(),
        "applied": written,
    }
