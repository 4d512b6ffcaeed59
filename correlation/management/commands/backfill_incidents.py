"""manage.py backfill_incidents: incidents of the past, from what monitoring remembers."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import audit, origin
from correlation import history_sources, queue
from correlation.history_sources import AskedWrongly, History, Unanswered
from correlation.management.span import moment
from incidents import broadcast
from incidents.backfill import importing
from incidents.backfill.importing import Outcome, Plan
from incidents.backfill.progress import Progress
from incidents.intake.alerts import source_of
from incidents.models import AlertSource, Incident

WORDS = {
    "made": "made",
    "known": "there already",
    "covered": "left alone, an incident covers them in part or whole",
    "unsettled": "left for a later run, not over yet or not for long enough",
}

TELL_SECONDS = 60.0
"""How long open pages may take to be told of the last ones."""


class Command(BaseCommand):
    help = (
        "Make resolved incidents of alerts that fired in the past. Running it again makes nothing "
        "twice. Exit 0: done; 1: a source did not answer or entries were refused; 2: asked wrongly."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        history = parser.add_mutually_exclusive_group(required=True)
        history.add_argument(
            "--prometheus",
            nargs="?",
            const="prometheus",
            metavar="SLUG",
            help="the ALERTS series of this data source (default: prometheus)",
        )
        history.add_argument(
            "--alertmanager", action="store_true", help="what the source's Alertmanagers hold now"
        )
        history.add_argument("--file", type=Path, metavar="PATH", help="a .json or .csv file")
        parser.add_argument("--from", dest="start", type=moment, metavar="TIME")
        parser.add_argument("--to", dest="end", type=moment, metavar="TIME", help="default: now")
        parser.add_argument("--step", type=float, default=60.0, metavar="SECONDS")
        parser.add_argument(
            "--label",
            action="append",
            default=[],
            type=_label,
            metavar="NAME=VALUE",
            help="a label that Prometheus adds when it sends alerts; may be repeated",
        )
        parser.add_argument("--source", default="alertmanager", metavar="SLUG")
        parser.add_argument("--dry-run", action="store_true", help="say what would be made")
        parser.add_argument("--analyse", action="store_true", help="queue an analysis of each")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            history = self._read(options)
        except AskedWrongly as error:
            raise CommandError(str(error), returncode=2) from error
        except Unanswered as error:
            raise CommandError(f"{error}. Nothing was imported.", returncode=1) from error
        for refused in history.refused:
            self.stderr.write(f"Refused: {refused}")
        source = (
            importing.source_named(options["source"])
            if options["dry_run"]
            else source_of(options["source"], AlertSource.Kind.ALERTMANAGER)
        )
        planned = importing.plan(history.firings, source)
        with origin.acting(None):  # thousands of incidents are one deed of whoever imports them
            counts = self._carry_out(planned, source, history, options)
        if not options["dry_run"]:
            broadcast.drain(TELL_SECONDS)  # an interpreter that ends sends nothing any more
            audit.record("incidents.imported", source, None, dict(counts))
        self.stdout.write(_summary(planned, counts, dry_run=options["dry_run"]))
        if history.refused:
            raise CommandError(f"Entries refused: {len(history.refused)}.", returncode=1)

    def _read(self, options: dict[str, Any]) -> History:
        now = timezone.now()
        if options["prometheus"] is None:
            if options["start"] or options["end"]:
                raise AskedWrongly("--from and --to go with --prometheus.")
            if options["file"]:
                return history_sources.of_file(options["file"], now)
            return history_sources.of_alertmanagers(options["source"], now)
        start, end = options["start"], min(options["end"] or now, now)
        if start is None or start >= end:
            raise AskedWrongly("--prometheus needs --from, a time before --to and before now.")
        if not 1.0 <= options["step"] <= 3600.0:
            raise AskedWrongly("--step must be between 1 and 3600 seconds.")
        return history_sources.of_prometheus(
            options["prometheus"],
            start,
            end,
            options["step"],
            dict(options["label"]),
            lambda warning: self.stderr.write(f"May be partial: {warning}"),
            self._progress,
        )

    def _progress(self, total: int, unit: str) -> Progress:
        return Progress(self.stderr, total, unit)  # type: ignore[arg-type]

    def _carry_out(
        self, planned: Plan, source: AlertSource, history: History, options: dict[str, Any]
    ) -> Counter[str]:
        bar = self._progress(len(planned.episodes), "incidents")
        counts: Counter[str] = Counter()
        outcomes = importing.carry_out(
            planned,
            source,
            until=history.until,
            take_open=history.is_now,
            dry_run=options["dry_run"],
            made=_analyse if options["analyse"] else None,
        )
        for outcome in outcomes:
            counts[outcome.what] += 1
            if outcome.what != "known":
                self.stdout.write(_line(outcome, dry_run=options["dry_run"]))
            bar.step()
        return counts


def _analyse(incident: Incident) -> None:
    queue.request(incident_id=incident.pk, reason="backfill")


def _line(outcome: Outcome, *, dry_run: bool) -> str:
    episode = outcome.episode
    end = f"{episode.ended_at:%Y-%m-%dT%H:%M:%SZ}" if episode.ended_at else "now"
    first = episode.items[0]
    what = "would be made" if dry_run and outcome.what == "made" else outcome.what
    about = f" ({outcome.incident.reference})" if outcome.incident else ""
    return (
        f"{episode.started_at:%Y-%m-%dT%H:%M:%SZ} to {end}  {first.firing.name}"
        f"{f' on {first.found.named}' if first.found.named else ''}, "
        f"{len(episode.items)} firings: {what}{about}"
    )


def _summary(planned: Plan, counts: Counter[str], *, dry_run: bool) -> str:
    words = {**WORDS, "made": "would be made"} if dry_run else WORDS
    lines = [f"{planned.firings} firings, {len(planned.episodes)} incidents:"]
    lines += [f"  {counts[what]} {said}" for what, said in words.items() if counts[what]]
    if planned.beats:
        lines.append(f"  {planned.beats} firings of heartbeats make none")
    if planned.waiting:
        lines.append(f"  {planned.waiting} firings were fewer than their rule asks for")
    return "\n".join(lines)


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value
