"""Query profiles: which PromQL gives which signal, as data (backends/profiles/*.yaml).

A profile is checked when it is loaded: fields, signals, placeholders, and that every query
parses. Placeholders are written `$window` (string.Template; `$$` is a literal dollar sign),
because PromQL is full of braces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Template
from typing import Any, cast, get_args

import promql_parser
import yaml

from correlation.telemetry import SIGNALS, Direction

DEFAULT_PROFILE = "http_requests_total"
LONG_WINDOW_SECONDS = 60.0

_FIELDS = ("signal", "unit", "direction", "query")
_PLACEHOLDERS = ("long_window", "window")


class ProfileError(ValueError):
    """A profile that cannot be used; the message names the profile, the signal and why."""


@dataclass(frozen=True)
class ProfileQuery:
    """One rendered query: ask `query`, read the service and peer from these labels."""

    signal: str
    query: str
    unit: str
    direction: Direction
    service_label: str
    peer_label: str | None


@dataclass(frozen=True)
class Profile:
    """A named set of query templates; `templates` are ProfileQuery with placeholders in."""

    name: str
    description: str
    templates: tuple[ProfileQuery, ...]

    def queries(self, window_seconds: float) -> list[ProfileQuery]:
        """The queries to send, rates taken over `window_seconds` (at least one second)."""
        if window_seconds < 1:
            raise ProfileError(f"{self.name}: the rate window must be at least 1 s")
        values = {
            "window": duration(window_seconds),
            "long_window": duration(max(window_seconds, LONG_WINDOW_SECONDS)),
        }
        return [
            ProfileQuery(**{**vars(row), "query": Template(row.query).substitute(values)})
            for row in self.templates
        ]


def duration(seconds: float) -> str:
    """A PromQL duration: "30s", or milliseconds where seconds are not whole."""
    return f"{round(seconds)}s" if float(seconds).is_integer() else f"{round(seconds * 1000)}ms"


@cache
def load(name: str = DEFAULT_PROFILE) -> Profile:
    """A shipped profile by name. Raises ProfileError if there is none or it is broken."""
    if name not in names():
        raise ProfileError(f"no query profile is called {name!r}; there are: {', '.join(names())}")
    text = (_folder() / f"{name}.yaml").read_text(encoding="utf-8")
    return parse(text, name)


def names() -> tuple[str, ...]:
    """The names of the profiles shipped."""
    files = (entry.name for entry in _folder().iterdir())
    return tuple(sorted(file.removesuffix(".yaml") for file in files if file.endswith(".yaml")))


def parse(text: str, name: str) -> Profile:
    """A profile from YAML text. Raises ProfileError naming what is wrong with it."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ProfileError(f"{name}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not isinstance(document.get("queries"), list):
        raise ProfileError(f"{name}: a profile is a mapping with a list of queries")
    rows = tuple(_query(name, document, row) for row in document["queries"])
    twice = {row.signal for row in rows if [other.signal for other in rows].count(row.signal) > 1}
    if twice:
        raise ProfileError(f"{name}: {', '.join(sorted(twice))} is given twice")
    profile = Profile(name, str(document.get("description", "")), rows)
    for row in profile.queries(LONG_WINDOW_SECONDS):
        try:
            promql_parser.parse(row.query)
        except ValueError as error:
            raise ProfileError(f"{name}: {row.signal}: does not parse: {error}") from None
    return profile


def _query(profile: str, document: Mapping[str, Any], row: Any) -> ProfileQuery:
    if not isinstance(row, dict):
        raise ProfileError(f"{profile}: a query is a mapping with {', '.join(_FIELDS)}")
    where = f"{profile}: {row.get('signal', 'a query')}"
    for field in _FIELDS:
        if not isinstance(row.get(field), str):
            raise ProfileError(f"{where}: {field} is missing or not text")
    if unknown := sorted(set(row) - set(_FIELDS)):
        raise ProfileError(f"{where}: unknown field {', '.join(map(str, unknown))}")
    if row["signal"] not in SIGNALS:
        raise ProfileError(f"{where}: not a known signal")
    if row["direction"] not in get_args(Direction):
        raise ProfileError(f"{where}: direction must be one of {', '.join(get_args(Direction))}")
    template = Template(row["query"])
    if not template.is_valid():
        raise ProfileError(f"{where}: a lone $ in the query; write $$ for a dollar sign")
    if unknown := sorted(set(template.get_identifiers()) - set(_PLACEHOLDERS)):
        raise ProfileError(f"{where}: unknown placeholder ${', $'.join(unknown)}")
    edge = row["signal"].startswith("client_")
    return ProfileQuery(
        signal=row["signal"],
        query=row["query"],
        unit=row["unit"],
        direction=cast(Direction, row["direction"]),
        service_label=str(document.get("service_label", "service")),
        peer_label=str(document.get("peer_label", "peer")) if edge else None,
    )


def _folder() -> Any:
    return resources.files("correlation.backends") / "profiles"
