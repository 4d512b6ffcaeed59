"""Queries that people wrote themselves: for one service (catalogue), for all (data source)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from correlation.metrics.profiles import ProfileQuery
from correlation.metrics.promql_templates import (
    PLACEHOLDERS,
    TemplateError,
    check,
    metrics_of,
    rendered,
)
from correlation.sources import Scope, Source
from correlation.telemetry import SIGNAL_UNITS

MOST_OVERRIDES = 40
"""Queries of single services sent by one analysis at most, the affected service's first."""

SERVICE_PLACEHOLDERS = (*PLACEHOLDERS, "service")
OWN = "queries"
"""The `profile` of rows that are nobody's."""


@dataclass(frozen=True)
class Given:
    """One query for one service."""

    name: str
    service: str
    row: ProfileQuery


def overrides(scope: Scope, services: Iterable[str], values: Mapping[str, str]) -> list[Given]:
    """The queries of the catalogue for `services`, in order. Raises ValueError for a bad one."""
    found: list[Given] = []
    for service in services:
        names = "|".join(map(_quoted, scope.names_of(service, "prometheus")))
        for signal, query in sorted(scope.found_as[service].queries.items()):
            where = f"query {signal} of service {service}"
            check_override(signal, query, where)
            row = _row(signal, rendered(query, {**values, "service": names}), {})
            found.append(Given(f"{signal} ({service})", service, row))
    return found[:MOST_OVERRIDES]


def source_rows(source: Source, values: Mapping[str, str]) -> Iterator[ProfileQuery]:
    """The queries of the option `queries`, for all services. Raises ValueError for a bad one."""
    given = source.options.get("queries") or {}
    for where, problem in source_query_problems(given).items():
        raise ValueError(f"option {where}: {problem}")
    for signal, entry in given.items():
        yield _row(signal, rendered(entry["query"], values), entry)


def check_override(signal: str, query: Any, where: str) -> None:
    """Raises ValueError, beginning with `where`, for a signal or a query that cannot be used."""
    try:
        if signal not in SIGNAL_UNITS:
            raise TemplateError("not a known signal")
        if not isinstance(query, str):
            raise TemplateError("must be PromQL text")
        check(query, SERVICE_PLACEHOLDERS)
    except TemplateError as error:
        raise ValueError(f"{where}: {error}") from None


def source_query_problems(given: Any) -> dict[str, str]:
    """What is wrong with a data source's option `queries`, by path; empty when nothing is."""
    if not isinstance(given, dict):
        return {"queries": "must be an object: {signal: {query, service_label}}"}
    found = {}
    for signal, entry in given.items():
        path = f"queries.{signal}"
        if signal not in SIGNAL_UNITS:
            found[path] = "not a known signal"
        elif not isinstance(entry, dict) or not isinstance(entry.get("query"), str):
            found[path] = "give an object with query and service_label"
        else:
            found |= {f"{path}{at}": why for at, why in _entry_problems(signal, entry)}
    return found


def _entry_problems(signal: str, entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    unit, direction = SIGNAL_UNITS[signal]
    for name in sorted(set(entry) - {"query", "service_label", "peer_label", "unit", "direction"}):
        yield f".{name}", "is not known here"
    if entry.get("unit", unit) != unit:
        yield ".unit", f"must be {unit}: convert it in the query"
    if entry.get("direction", direction) != direction:
        yield ".direction", f"must be {direction}"
    for name in ("service_label", "peer_label"):
        if not isinstance(entry.get(name, "service"), str):
            yield f".{name}", "must be a label name"
    try:
        check(entry["query"])
    except TemplateError as error:
        yield ".query", str(error)


def _row(signal: str, query: str, entry: Mapping[str, Any]) -> ProfileQuery:
    unit, direction = SIGNAL_UNITS[signal]
    edge = signal.startswith("client_")
    return ProfileQuery(
        signal=signal,
        query=query,
        unit=unit,
        direction=direction,
        service_label=entry.get("service_label", "service"),
        peer_label=entry.get("peer_label", "peer") if edge else None,
        profile=OWN,
        metrics=metrics_of(query),
    )


def _quoted(text: str) -> str:
    """A literal for RE2 within double quotes: metacharacters escaped, then backslashes again."""
    literal = "".join("\\" + c if c in r"\.+*?()|[]{}^$" else c for c in text)
    return literal.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
