"""Earlier moments the incident page can be looked at from; apps that know of one register it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from django.http import Http404

from incidents.models import Incident

Finder = Callable[[Incident, str], datetime | None]
"""(incident, value of the address's parameter) -> the moment, None when there is no such thing."""

_finders: dict[str, Finder] = {}


def register(parameter: str, finder: Finder) -> None:
    _finders[parameter] = finder


def asked_for(incident: Incident, query: Mapping[str, str]) -> datetime | None:
    """The moment the page is asked to be drawn as of; None for now, Http404 for an unknown one."""
    for parameter, finder in _finders.items():
        if value := query.get(parameter):
            moment = finder(incident, value)
            if moment is None:
                raise Http404(f"{incident.reference} has no {parameter} {value[:60]}")
            return moment
    return None
