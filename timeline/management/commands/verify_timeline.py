"""Are timelines what was written? Exit 0: yes; 1: at least one is not; 2: could not be checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from incidents.models import Incident
from timeline.verify import Verification, verify


class Command(BaseCommand):
    help = "Check timelines against their hash chains and anchors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("references", nargs="*", metavar="REFERENCE", help="id, or INC-142")
        parser.add_argument("--all", action="store_true", help="every incident")

    def handle(self, *args: Any, references: list[str], all: bool, **options: Any) -> None:
        if bool(references) == all:
            raise CommandError("Name incidents, or give --all.", returncode=2)
        try:
            self._check(self._chosen(references))
        except (DatabaseError, OSError) as error:
            raise CommandError(f"Could not be checked: {error}", returncode=2) from error

    def _check(self, incidents: Iterable[Incident]) -> None:
        checked = broken = 0
        for incident in incidents:
            result = verify(incident)
            checked += 1
            broken += not result.ok
            for line in _lines(result):
                self.stdout.write(line)
        if broken:
            raise CommandError(f"{broken} of {checked} timelines are not what was written.")

    def _chosen(self, references: list[str]) -> Iterable[Incident]:
        if not references:
            return Incident.objects.order_by("number").iterator()
        return [_named(reference) for reference in dict.fromkeys(references)]


def _named(reference: str) -> Incident:
    try:
        return Incident.objects.by_reference(reference)
    except Incident.DoesNotExist as error:
        raise CommandError(f"There is no incident {reference!r}.", returncode=2) from error


def _lines(result: Verification) -> Iterable[str]:
    """What is wrong with it, or that nothing is."""
    if result.ok:
        state = f"sealed, root digest {result.head}" if result.sealed_at else "open"
        yield f"{result.reference}: {result.length} events, {state}, intact"
    for chain in (result, *result.absorbed):
        if chain.reason:
            within = "" if chain is result else f"{result.reference}, which absorbed "
            where = "" if chain.bad_seq is None else f"event {chain.bad_seq}: "
            yield f"{within}{chain.reference}: {where}{chain.reason}"
