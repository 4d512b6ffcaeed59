"""What later apps know of an incident and a postmortem is drafted from.

`correlation` registers the cause and incidents that were alike; without it drafts leave both out.
"""

from __future__ import annotations

from collections.abc import Callable

from incidents.models import Incident
from timeline.postmortems.facts import Cause

CauseOf = Callable[[Incident], Cause | None]
SimilarTo = Callable[[Incident], list[tuple[str, str]]]

_causes: list[CauseOf] = []
_similar: list[SimilarTo] = []


def register(*, cause: CauseOf | None = None, similar: SimilarTo | None = None) -> None:
    if cause is not None:
        _causes.append(cause)
    if similar is not None:
        _similar.append(similar)


def cause_of(incident: Incident) -> Cause | None:
    """What the analysis says; None where there was none."""
    return next((found for one in _causes if (found := one(incident)) is not None), None)


def similar_to(incident: Incident) -> list[tuple[str, str]]:
    """(reference, title) of earlier incidents that looked alike, best first."""
    return [found for one in _similar for found in one(incident)]
