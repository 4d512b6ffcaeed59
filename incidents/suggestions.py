"""What apps further right suggest for an incident's texts; they register it."""

from __future__ import annotations

from collections.abc import Callable

from incidents.models import Incident

_root_cause: list[Callable[[Incident], str]] = []


def suggest_root_cause(text: Callable[[Incident], str]) -> None:
    """`text(incident)` is "" where it knows none; the first that knows one is asked."""
    if text not in _root_cause:
        _root_cause.append(text)


def suggested_root_cause(incident: Incident) -> str:
    return next((found for text in _root_cause if (found := text(incident))), "")
