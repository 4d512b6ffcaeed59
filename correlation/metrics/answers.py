"""From a Prometheus answer to series of the catalogue's services."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from correlation.backends.prometheus import QueryAnswer
from correlation.backends.samples import Vector
from correlation.metrics.profiles import ProfileError, ProfileQuery, load
from correlation.metrics.promql_templates import metrics_of
from correlation.sources import FoundAs, Scope
from correlation.telemetry import Series

NOBODY = frozenset({"", "unknown"})
"""Label values by which proxies and libraries say that they do not know."""

_ADDED = frozenset({"1/s", "count", "bytes", "cores"})


@dataclass(frozen=True)
class Found:
    """`nameless` is how many series named no service and were left out."""

    series: tuple[Series, ...]
    nameless: int = 0
    notes: tuple[str, ...] = ()


def read(
    answer: QueryAnswer, row: ProfileQuery, scope: Scope, slug: str, service: str = ""
) -> Found:
    """The answer as series of services, named as the catalogue names them.

    With `service`, a series without the service label is that service's. Series of a service
    whose catalogue entry says otherwise (another profile, a query of its own) are left out.
    Two names of one service are added up where the unit allows, else the worse counts.
    """
    nameless = 0
    by_name: dict[tuple[str, str | None], list[Series]] = {}
    for vector in answer.series:
        named = _service(vector, row, scope, service)
        if not named:
            nameless += 1
            continue
        peer = _peer(vector, row, scope)
        if (row.peer_label and not peer) or not _wanted(row, scope, named, service):
            continue
        by_name.setdefault((named, peer), []).append(
            Series(
                service=named,
                signal=row.signal,
                times=vector.times,
                values=vector.values,
                direction=row.direction,
                unit=row.unit,
                peer=peer,
                source=slug,
                query=row.query,
            )
        )
    notes = []
    if nameless:
        metrics = ", ".join(sorted(metrics_of(row.query))[:2])
        notes.append(f"{row.signal}: what {metrics} say without naming a service was left out")
    return Found(tuple(map(_joined, by_name.values())), nameless, tuple(notes))


def _service(vector: Vector, row: ProfileQuery, scope: Scope, service: str) -> str:
    label = vector.labels.get(row.service_label, "")
    if service:
        return service if not label or _known_as(label, scope) == service else ""
    return "" if label.lower() in NOBODY else _known_as(label, scope)


def _peer(vector: Vector, row: ProfileQuery, scope: Scope) -> str | None:
    """Whom the edge leads to; None for no edge, and for a bare address nobody claims."""
    label = vector.labels.get(row.peer_label, "") if row.peer_label else ""
    if label.lower() in NOBODY:
        return None
    name = _known_as(label, scope)
    return None if name == label and _is_address(label) else name


def _known_as(label: str, scope: Scope) -> str:
    name = scope.service_named(label, "prometheus")
    return name if name != label else scope.service_named(label, "kubernetes")


def _wanted(row: ProfileQuery, scope: Scope, name: str, service: str) -> bool:
    found = scope.found_as.get(name, FoundAs())
    if service:
        return True
    if row.signal in found.queries:
        return False
    if not found.profile or found.profile == row.profile:
        return True
    return not _gives(found.profile, row.signal)


def _gives(profile: str, signal: str) -> bool:
    try:
        return signal in load(profile).signals
    except ProfileError:  # of a service far off, or it would have been refused before asking
        return False


def _joined(same: Sequence[Series]) -> Series:
    """One series of several that are the same service's, at every moment any of them has."""
    if len(same) == 1:
        return same[0]
    times = np.unique(np.concatenate([one.times for one in same]))
    values = np.full((len(same), times.size), np.nan)
    for i, one in enumerate(same):
        values[i, np.searchsorted(times, one.times)] = one.values
    if same[0].unit in _ADDED:
        joined = np.nansum(values, axis=0)
    elif same[0].direction == "down":
        joined = np.nanmin(values, axis=0)
    else:
        joined = np.nanmax(values, axis=0)
    return replace(same[0], times=times, values=joined)


def _is_address(text: str) -> bool:
    if text == "localhost":
        return True
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
