"""manage.py replay_analysis: does the same telemetry still give the same answer?"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from correlation.management.since import moment
from correlation.memory.replay import Replay, replay
from correlation.memory.snapshots import NotReplayable
from correlation.models import Analysis
from incidents.models import Incident

EQUAL, DIFFERS, NOT_REPLAYABLE = 0, 1, 2
MOST_DIFFERENCES = 40


class Command(BaseCommand):
    help = (
        "Rank again what an analysis ranked, with the rules and the calibration of then, and "
        "compare the answers byte for byte. Exit status 0: all equal, 1: one differs, 2: none "
        "differs and one is not replayable."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "ids", nargs="*", metavar="ID", help="an analysis, or an incident for its latest run"
        )
        parser.add_argument(
            "--all-since", type=moment, metavar="TIME", help="every finished run since then"
        )
        parser.add_argument("--diff", action="store_true", help="name what differs")
        parser.add_argument(
            "--with-current",
            action="store_true",
            help="use today's rules and calibration instead of those of then",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["ids"] and options["all_since"] is None:
            raise CommandError(
                "Name an analysis or an incident, or give --all-since.", returncode=2
            )
        seen = {EQUAL: 0, DIFFERS: 0, NOT_REPLAYABLE: 0}
        for analysis in _asked_for(options["ids"], options["all_since"]):
            name = f"{analysis.incident.reference} {analysis.pk}"
            try:
                found = replay(analysis, with_current=options["with_current"])
            except NotReplayable as reason:
                seen[NOT_REPLAYABLE] += 1
                self.stdout.write(f"{name}: not replayable. {reason}")
                continue
            seen[EQUAL if found.equal else DIFFERS] += 1
            for line in _told(name, found, options["diff"]):
                self.stdout.write(line)
        self.stdout.write(
            f"{seen[EQUAL]} equal, {seen[DIFFERS]} differ, {seen[NOT_REPLAYABLE]} not replayable"
        )
        worst = next((code for code in (DIFFERS, NOT_REPLAYABLE) if seen[code]), EQUAL)
        if worst:
            raise SystemExit(worst)


def _asked_for(ids: list[str], since: datetime | None) -> Iterable[Analysis]:
    runs = Analysis.objects.select_related("incident")
    for text in ids:
        try:
            yield runs.get(pk=uuid.UUID(text))
            continue
        except (ValueError, Analysis.DoesNotExist):
            pass  # not an analysis: an incident by its id or number
        try:
            incident = Incident.objects.by_reference(text)
        except Incident.DoesNotExist as error:
            raise CommandError(f"No analysis or incident {text[:60]!r}.", returncode=2) from error
        latest = runs.stood().filter(incident=incident).order_by("-finished_at", "-id").first()
        if latest is None:
            raise CommandError(f"{incident.reference} has no finished analysis.", returncode=2)
        yield latest
    if since is not None:
        yield from runs.finished().filter(finished_at__gte=since).order_by("finished_at").iterator()


def _told(name: str, found: Replay, with_differences: bool) -> Iterable[str]:
    if found.equal:
        yield f"{name}: equal, {found.digest[:12]}"
    else:
        yield f"{name}: differs, {found.digest_then[:12]} then, {found.digest[:12]} now"
    for line in found.changed:
        yield f"  changed since: {line}"
    if with_differences:
        for path, then, now in found.differences[:MOST_DIFFERENCES]:
            yield f"  {path}: {_short(then)} -> {_short(now)}"
        if len(found.differences) > MOST_DIFFERENCES:
            yield f"  and {len(found.differences) - MOST_DIFFERENCES} more"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
