"""Are timelines what was written? Exit 0: yes; 1: at least one is not; 2: asked wrongly."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from incidents.models import Incident
from timeline.verify import verify


class Command(BaseCommand):
    help = "Check an incident's timeline, or all of them, against its hash chain and anchor."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", nargs="?", help="id or number: INC-142")
        parser.add_argument("--all", action="store_true", help="every incident")

    def handle(self, *args: Any, reference: str | None, all: bool, **options: Any) -> None:
        if (reference is None) != all:
            raise CommandError("Name one incident, or give --all.", returncode=2)
        checked = broken = 0
        for incident in self._chosen(reference):
            result = verify(incident)
            checked += 1
            if result.ok:
                state = "sealed" if result.sealed_at else "open"
                self.stdout.write(f"{incident.reference}: {result.length} events, {state}, intact")
                continue
            broken += 1
            for chain in (result, *result.absorbed):
                if chain.reason:
                    within = "" if chain is result else f"{incident.reference}, which absorbed "
                    self.stdout.write(
                        f"{within}{chain.reference}: event {chain.bad_seq}: {chain.reason}"
                    )
        if broken:
            raise CommandError(f"{broken} of {checked} timelines are not what was written.")

    def _chosen(self, reference: str | None) -> Any:
        if reference is None:
            return Incident.objects.order_by("number").iterator()
        try:
            return [Incident.objects.by_reference(reference)]
        except Incident.DoesNotExist as error:
            raise CommandError(f"There is no incident {reference!r}.", returncode=2) from error
