"""A firing that was looked at before any grouping rule."""

from __future__ import annotations

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
