"""manage.py replay_delivery ID... | --since TIME | --rejected [--dry-run]"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from incidents.intake import replay
from incidents.models import Delivery


class Command(BaseCommand):
    help = (
        "Takes kept deliveries once more, oldest first: those named, those since a time, or those "
        "that were rejected or failed. What later deliveries have said stays true."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", type=UUID, metavar="ID")
        parser.add_argument("--since", metavar="TIME", help="RFC 3339, such as 2026-01-01T03:00Z")
        parser.add_argument("--rejected", action="store_true", help="rejected and failed ones only")
        parser.add_argument("--dry-run", action="store_true", help="say what would be taken")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = _chosen(options["ids"], options["since"], options["rejected"])
        counts: dict[str, int] = {}
        for pk in list(chosen.order_by("received_at", "id").values_list("pk", flat=True)):
            what = "would be taken" if options["dry_run"] else self._replay(pk)
            counts[what] = counts.get(what, 0) + 1
        told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
        self.stdout.write(told or "No delivery matches.")

    def _replay(self, pk: UUID) -> str:
        try:
            taken = replay.replay(pk)
        except replay.InHand:
            return "waiting already"
        except ValueError as error:
            self.stderr.write(f"{pk}: {error}")
            return "unreadable"
        if taken.state == Delivery.State.REJECTED:
            self.stderr.write(f"{pk}: {taken.error}")
            return "rejected again"
        return "taken"


def _chosen(ids: list[UUID], since: str | None, rejected: bool) -> QuerySet[Delivery]:
    """Raises CommandError when nothing is named, an id is unknown or the time is none."""
    if not (ids or since or rejected):
        raise CommandError("Name deliveries, or use --since or --rejected.")
    found = Delivery.objects.all()
    if ids:
        found = found.filter(pk__in=ids)
        missing = sorted(set(map(str, ids)) - set(map(str, found.values_list("pk", flat=True))))
        if missing:
            raise CommandError(f"There is no delivery {', '.join(missing)}.")
    if since:
        try:
            at = parse_datetime(since)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            raise CommandError(f"--since {since}: is not an RFC 3339 time.")
        found = found.filter(received_at__gte=at)
    if rejected:
        found = found.filter(state__in=(Delivery.State.REJECTED, Delivery.State.FAILED))
    return found
