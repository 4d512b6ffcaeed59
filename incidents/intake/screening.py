"""Which firings go on to a grouping rule, and what is to be said about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from incidents.models import AlertOccurrence


@dataclass(frozen=True)
class Screened:
    """A firing that was looked at: `passes` says whether it may open or join an incident.

    `why` says in words why it does not, or what is to be known about it when it does.
    """

    occurrence: AlertOccurrence
    passes: bool = True
    why: str = ""

    @property
    def delivery_id(self) -> UUID | None:
        return self.occurrence.delivery_id


def screen(occurrences: Sequence[AlertOccurrence]) -> list[Screened]:
    """Each firing with what was found about it; `alert.source` is loaded."""
    return [Screened(occurrence) for occurrence in occurrences]


def passed(occurrences: Sequence[AlertOccurrence]) -> list[Screened]:
    return [screened for screened in screen(occurrences) if screened.passes]
