"""Query profiles: which PromQL gives which signal, as data.

Shipped in backends/profiles/*.yaml; a user's own stand in the folder QUERY_PROFILES_DIR, where
a file of a shipped name takes its place. A profile is checked when it is loaded: fields,
signals, units, placeholders, and that every query parses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from correlation.metrics.promql_templates import (
    PEER,
    PLACEHOLDERS,
    SERVICE,
    Candidate,
    TemplateError,
    check,
    expanded,
    metrics_of,
    rendered,
    values_of,
)
from correlation.telemetry import SIGNAL_UNITS, Direction

DEFAULT_PROFILE = "http_requests_total"

ORDER = (
    "http_requests_total",
    "otel_http",
    "otel_http_ms",
    "spring",
    "grpc",
    "otel_rpc",
    "istio",
    "client_defaults",
    "ingress_nginx",
    "kube_state",
    "service_graph",
)
"""Whose answer about a signal of a service counts when several give it: a service's own
instruments before a proxy's view, both before what is derived from traces. Others come first."""

_FIELDS = ("signal", "unit", "direction", "query")
_KEYS = {
    "name", "description", "detect", "define", "queries",
    "service_label", "peer_label", "service_from", "caller_from", "peer_from",
}  # fmt: skip


class ProfileError(ValueError):
    """A profile that cannot be used; the message names the profile, the signal and why."""


@dataclass(frozen=True)
class ProfileQuery:
    """One query: ask `query`, read the service and peer from these labels.

    `metrics` are the names it reads; `peer_label` is None unless the signal is an edge's.
    """

    signal: str
    query: str
    unit: str
    direction: Direction
    service_label: str
    peer_label: str | None
    profile: str = ""
    metrics: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Profile:
    """A named set of query templates; `templates` are ProfileQuery with placeholders in.

    `detect` are metrics any one of which says that the convention is in use.
    """

    name: str
    description: str
    templates: tuple[ProfileQuery, ...]
    detect: frozenset[str] = frozenset()

    @property
    def signals(self) -> frozenset[str]:
        return frozenset(row.signal for row in self.templates)

    def queries(self, window_seconds: float, matchers: str = "") -> list[ProfileQuery]:
        """The queries to send, rates taken over `window_seconds` (at least one second)."""
        if window_seconds < 1:
            raise ProfileError(f"{self.name}: the rate window must be at least 1 s")
        values = values_of(window_seconds, matchers)
        return [replace(row, query=rendered(row.query, values)) for row in self.templates]


def load(name: str = DEFAULT_PROFILE) -> Profile:
    """A profile by name. Raises ProfileError if there is none or it is broken."""
    path = _files().get(name)
    if path is None:
        raise ProfileError(f"no query profile is called {name!r}; there are: {', '.join(names())}")
    return _load(path, name)


@cache
def _load(path: Any, name: str) -> Profile:
    return parse(path.read_text(encoding="utf-8"), name)


def names() -> tuple[str, ...]:
    """The names of all profiles, in the order in which their answers count."""
    known = _files()
    return (*sorted(set(known) - set(ORDER)), *(name for name in ORDER if name in known))


def own_folder() -> Path | None:
    """Where the user's own profiles are, if anywhere."""
    folder = settings.QUERY_PROFILES_DIR
    return Path(folder) if folder else None


def _files() -> dict[str, Any]:
    found = [*(resources.files("correlation.backends") / "profiles").iterdir()]
    folder = own_folder()
    if folder is not None and folder.is_dir():
        found += sorted(folder.iterdir())
    return {path.name.removesuffix(".yaml"): path for path in found if path.name.endswith(".yaml")}


def parse(text: str, name: str) -> Profile:
    """A profile from YAML text. Raises ProfileError naming what is wrong with it."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ProfileError(f"{name}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not isinstance(document.get("queries"), list):
        raise ProfileError(f"{name}: a profile is a mapping with a list of queries")
    if unknown := sorted(set(map(str, document)) - _KEYS):
        raise ProfileError(f"{name}: unknown field {', '.join(unknown)}")
    rows = tuple(_query(name, document, row) for row in document["queries"])
    twice = {row.signal for row in rows if [other.signal for other in rows].count(row.signal) > 1}
    if twice:
        raise ProfileError(f"{name}: {', '.join(sorted(twice))} is given twice")
    detect = document.get("detect", [])
    if not isinstance(detect, list) or not all(isinstance(one, str) for one in detect):
        raise ProfileError(f"{name}: detect must be a list of metric names")
    found = frozenset(detect) or frozenset(metric for row in rows for metric in row.metrics)
    return Profile(name, str(document.get("description", "")), rows, found)


def _query(profile: str, document: Mapping[str, Any], row: Any) -> ProfileQuery:
    if not isinstance(row, dict):
        raise ProfileError(f"{profile}: a query is a mapping with {', '.join(_FIELDS)}")
    where = f"{profile}: {row.get('signal', 'a query')}"
    for field in _FIELDS:
        if not isinstance(row.get(field), str):
            raise ProfileError(f"{where}: {field} is missing or not text")
    if unknown := sorted(set(row) - set(_FIELDS)):
        raise ProfileError(f"{where}: unknown field {', '.join(map(str, unknown))}")
    if row["signal"] not in SIGNAL_UNITS:
        raise ProfileError(f"{where}: not a known signal")
    unit, direction = SIGNAL_UNITS[row["signal"]]
    if row["unit"] != unit:
        raise ProfileError(f"{where}: unit must be {unit}: convert it in the query")
    if row["direction"] != direction:
        raise ProfileError(f"{where}: direction must be {direction}")
    services = _candidates(f"{profile}: service_from", document.get("service_from", []))
    peers = _candidates(f"{profile}: peer_from", document.get("peer_from", []))
    callers = _candidates(f"{profile}: caller_from", document.get("caller_from", []))
    try:
        query = expanded(_defined(document, row["query"]), services, callers or services, peers)
        check(query, PLACEHOLDERS)
    except TemplateError as error:
        raise ProfileError(f"{where}: {error}") from None
    edge = row["signal"].startswith("client_")
    return ProfileQuery(
        signal=row["signal"],
        query=" ".join(query.split()),
        unit=unit,
        direction=direction,
        service_label=str(document.get("service_label", SERVICE if services else "service")),
        peer_label=str(document.get("peer_label", PEER if peers else "peer")) if edge else None,
        profile=profile,
        metrics=metrics_of(rendered(query, values_of(60.0))),
    )


def _defined(document: Mapping[str, Any], query: str) -> str:
    """The query with the profile's own abbreviations (`define`) written out."""
    definitions = document.get("define", {})
    if not isinstance(definitions, dict) or not all(
        isinstance(name, str) and isinstance(text, str) for name, text in definitions.items()
    ):
        raise TemplateError("define must give texts by name")
    for name in sorted(definitions, key=len, reverse=True):
        query = query.replace(f"${{{name}}}", definitions[name])
    return query


def _candidates(where: str, given: Any) -> tuple[Candidate, ...]:
    """Rows of service_from and peer_from: a label, or {label or labels, match}."""
    if not isinstance(given, list):
        raise ProfileError(f"{where}: must be a list")
    found = []
    for one in given:
        row = {"label": one} if isinstance(one, str) else one
        if not isinstance(row, dict) or set(row) - {"label", "labels", "match"}:
            raise ProfileError(f"{where}: give a label, or label or labels and match")
        labels = row.get("labels", [row.get("label")])
        if not isinstance(labels, list) or not all(_is_label(label) for label in labels):
            raise ProfileError(f"{where}: {labels} are not label names")
        found.append(Candidate(tuple(labels), str(row.get("match", "(.+)"))))
    return tuple(found)


def _is_label(name: Any) -> bool:
    return isinstance(name, str) and bool(name) and name.isidentifier() and name.isascii()
