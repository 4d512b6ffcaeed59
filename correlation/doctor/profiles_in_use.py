"""Which query profiles gave a service its metrics, and why those were asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from correlation.metrics import profiles
from correlation.metrics.queries import STEP_SECONDS, WINDOW_SECONDS, named_profiles
from correlation.sources import FoundAs, Scope, Source, grid, windows
from correlation.telemetry import Series

OWN_QUERIES = "queries of its own"


@dataclass(frozen=True)
class InUse:
    """`because` says why by profile, the one with most signals first; `signals` are all of
    theirs, with data or without."""

    because: Mapping[str, str]
    signals: frozenset[str]


def in_use(source: Source, scope: Scope, service: str, series: Iterable[Series]) -> InUse:
    """The profiles whose queries answered with these series of the service."""
    by_query = _profile_by_query(source, scope)
    count: dict[str, int] = {}
    for one in series:
        name = by_query.get(one.query, OWN_QUERIES)
        count[name] = count.get(name, 0) + 1
    selected = scope.found_as.get(service, FoundAs()).profile
    configured = {one.name for one in named_profiles(source)}
    because = {}
    for name in sorted(count, key=lambda name: (-count[name], name)):
        if name == OWN_QUERIES:
            because[name] = "given in the catalogue or the data source"
        elif name == selected:
            because[name] = "selected in the catalogue"
        elif name in configured:
            because[name] = "configured for the data source"
        else:
            because[name] = "detected: its metrics are there"
    known = [profiles.load(name).signals for name in because if name != OWN_QUERIES]
    return InUse(because, frozenset().union(*known))


def _profile_by_query(source: Source, scope: Scope) -> dict[str, str]:
    """Every profile's queries as an analysis would send them; the first to ask one has it."""
    asked = windows(scope)
    step = grid((asked.baseline[0], asked.window[1]), source.number("step_seconds", STEP_SECONDS))[
        2
    ]
    window_seconds = max(source.number("window_seconds", WINDOW_SECONDS), step)
    matchers = source.text("filter", "").strip().rstrip(",")
    found: dict[str, str] = {}
    for name in profiles.names():
        for row in profiles.load(name).queries(window_seconds, matchers):
            found.setdefault(row.query, name)
    return found
