"""What happened after the seal: it stands on rows of its own, outside the record.

Apps name where theirs are (`register`); the incident page and the report show them under "after
sealing". The digest does not cover them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from incidents.models import Incident
from timeline.models import TimelineAnchor

logger = logging.getLogger("studio.timeline")


@dataclass(frozen=True)
class AfterSealing:
    """One thing that happened; `url` is a path of this site, empty when it has no page."""

    at: datetime
    title: str
    detail: str = ""
    url: str = ""


Rows = Callable[[Incident, datetime], Iterable[AfterSealing]]
"""(incident, when it was sealed) -> what came later; what came earlier is dropped here."""

_providers: dict[str, Rows] = {}


def register(name: str, rows: Rows) -> None:
    _providers[name] = rows


def unregister(name: str) -> None:
    _providers.pop(name, None)


def after_sealing(incident: Incident, as_of: datetime | None = None) -> list[AfterSealing]:
    """Oldest first; empty while the timeline is open (or was, at `as_of`).

    A provider that raises costs its own rows only, which are named as missing.
    """
    anchor = TimelineAnchor.objects.filter(pk=incident.pk, sealed_at__isnull=False).first()
    if anchor is None or anchor.sealed_at is None:
        return []
    since = anchor.sealed_at
    found: list[AfterSealing] = []
    for name in sorted(_providers):
        try:
            found.extend(_providers[name](incident, since))
        except Exception:
            # any bug of any app's rows: the others are still needed
            logger.exception("what %s knows of %s could not be read", name, incident.reference)
            found.append(AfterSealing(since, f"What {name} knows could not be read"))
    kept = [row for row in found if row.at >= since and (as_of is None or row.at <= as_of)]
    return sorted(kept, key=lambda row: (row.at, row.title))
