"""manage.py backfill_slos: the history of SLOs, from what Prometheus remembers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from correlation.data_sources.catalogue import source_of
from correlation.management.span import moment
from correlation.models import DataSource
from incidents.backfill.progress import Progress
from slos.definition import Wrong
from slos.evaluating import history, rebuilding
from slos.evaluating.evaluation import NO_SOURCE, sources_of
from slos.models import SLO


class Command(BaseCommand):
    help = (
        "Rebuild the history of SLOs by range queries. What is there is kept and not asked again, "
        "so that it can be broken off and run again. Exit 0: done; 1: a source did not answer for "
        "some; 2: asked wrongly."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", metavar="SLO", help="default: all that are enabled")
        parser.add_argument("--from", dest="start", type=moment, metavar="TIME", required=True)
        parser.add_argument("--to", dest="end", type=moment, metavar="TIME", help="default: now")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        start, end = options["start"], min(options["end"] or now, now)
        if start >= end:
            raise CommandError("--from must be before --to and before now.", returncode=2)
        slos = self._chosen(options["names"])
        span = (start.timestamp(), end.timestamp())
        failed = self._fill(slos, *span)
        made = 0
        for slo in slos:
            try:
                made += rebuilding.rebuild(slo, *span)
            except Wrong as wrong:
                failed.append(f"{slo.name}: {wrong}")
        self.stdout.write(f"Snapshots made: {made}.")
        if failed:
            raise CommandError("\n".join(failed), returncode=1)

    def _chosen(self, names: list[str]) -> list[SLO]:
        slos = list(SLO.objects.filter(enabled=True).select_related("service", "data_source"))
        if not names:
            return slos
        unknown = sorted(set(names) - {slo.name for slo in slos})
        if unknown:
            raise CommandError(f"No enabled SLO is named {', '.join(unknown)}.", returncode=2)
        return [slo for slo in slos if slo.name in names]

    def _fill(self, slos: list[SLO], start: float, end: float) -> list[str]:
        """Store the rows, source by source; what went wrong, a line each."""
        by_source = sources_of(slos)
        found = DataSource.objects.in_bulk([slug for slug in by_source if slug], field_name="slug")
        total = len(history.pieces(start, end)) * len(by_source)
        bar = Progress(self.stderr, total, "pieces")  # type: ignore[arg-type]
        failed: list[str] = []
        rows = 0
        for slug, members in by_source.items():
            if slug is None:
                failed += [f"{slo.name}: {NO_SOURCE}" for slo in members]
                continue
            indicators = {}
            for slo in members:
                try:
                    indicators[slo.pk] = slo.definition().indicator
                except Wrong as wrong:
                    failed.append(f"{slo.name}: {wrong}")
            try:
                rows += history.fill(
                    source_of(found[slug]), indicators, start, end, lambda stored: bar.step()
                )
            except history.Unanswered as error:
                failed.append(f"The data source {slug}: {error}")
        self.stdout.write(f"Five-minute rows stored: {rows}.")
        return failed
