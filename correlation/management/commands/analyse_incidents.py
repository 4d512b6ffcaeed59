"""manage.py analyse_incidents --since TIME [--until TIME] [--service SLUG] [--limit N]"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from correlation import queue
from correlation.management.span import moment
from correlation.models import Analysis
from incidents import broadcast
from incidents.models import Incident, Service

TELL_SECONDS = 60.0
"""How long open pages may take to be told of the last ones."""


class Command(BaseCommand):
    help = (
        "Queue an analysis of each incident that began within a time, newest first, and that has "
        "none that is finished or under way. Exit 0: done; 2: asked wrongly."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=moment, required=True, metavar="TIME")
        parser.add_argument("--until", type=moment, metavar="TIME", help="default: now")
        parser.add_argument("--service", metavar="SLUG", help="only those that affect it")
        parser.add_argument("--limit", type=int, metavar="N", help="at most so many")
        parser.add_argument("--again", action="store_true", help="also those analysed before")
        parser.add_argument("--dry-run", action="store_true", help="say which would be queued")

    def handle(self, *args: Any, **options: Any) -> None:
        since, until = options["since"], options["until"] or timezone.now()
        if since >= until:
            raise CommandError("--since must be before --until and before now.", returncode=2)
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit must be at least 1.", returncode=2)
        found = Incident.objects.filter(
            merged_into=None, started_at__gte=since, started_at__lt=until
        )
        if slug := options["service"]:
            if not Service.objects.filter(slug=slug).exists():
                raise CommandError(f"There is no service {slug}.", returncode=2)
            found = found.filter(affected__service__slug=slug)
        waiting = (Analysis.Status.QUEUED, Analysis.Status.RUNNING)
        finished = (Analysis.Status.DONE, Analysis.Status.INCONCLUSIVE)
        seen = waiting if options["again"] else (*waiting, *finished)
        analysed = Analysis.objects.filter(status__in=seen).values("incident")
        found = found.exclude(pk__in=analysed).distinct().order_by("-started_at", "-number")
        chosen = list(found[: options["limit"]])
        for incident in chosen:
            if not options["dry_run"]:
                queue.request(incident_id=incident.pk, reason="requested")
            self.stdout.write(f"{incident.reference} {incident.title}")
        broadcast.drain(TELL_SECONDS)  # an interpreter that ends sends nothing any more
        said = "would be queued" if options["dry_run"] else "queued"
        self.stdout.write(f"{len(chosen)} {said}.")
