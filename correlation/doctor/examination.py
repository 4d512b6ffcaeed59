"""What the product can and cannot see, source by source and service by service."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from correlation.data_sources.breaker import health_of
from correlation.data_sources.catalogue import source_of
from correlation.doctor.looking import WINDOW_SECONDS, Look, look, recent
from correlation.doctor.views import View, view
from correlation.found_as import found_as
from correlation.models import DataSource
from correlation.sources import KIND_NAMES, FoundAs
from incidents.models import Service

State = str
"""As in SourceStatus: ok, partial, no_data, unavailable, not_configured."""


class UnknownService(ValueError):
    """A service that the catalogue of the environment does not have; the message names it."""


@dataclass(frozen=True)
class SourceReport:
    """How one data source is. `usable` is what the analysis could ask; `detail` says why not.

    `facts` are of its kind: label names, namespaces, rights, what it would not tell.
    """

    slug: str
    kind: str
    label: str
    state: State
    detail: str
    required: bool
    reachable: bool
    version: str
    latency_seconds: float | None
    breaker: str
    queries: int
    seconds: float
    facts: dict[str, Any]
    advice: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        return self.state not in ("unavailable", "not_configured")

    def as_json(self) -> dict[str, Any]:
        return {
            "slug": self.slug,
            "kind": self.kind,
            "label": self.label,
            "state": self.state,
            "usable": self.usable,
            "detail": self.detail,
            "required": self.required,
            "reachable": self.reachable,
            "version": self.version,
            "latency_seconds": self.latency_seconds,
            "breaker": self.breaker,
            "queries": self.queries,
            "seconds": self.seconds,
            **self.facts,
            "advice": list(self.advice),
        }


@dataclass(frozen=True)
class ServiceReport:
    slug: str
    name: str
    role: str
    views: tuple[View, ...]


@dataclass(frozen=True)
class Examination:
    """`at` is the moment looked at, in epoch seconds; the time before it is WINDOW_SECONDS."""

    environment: str
    at: float
    sources: tuple[SourceReport, ...]
    services: tuple[ServiceReport, ...]
    advice: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether every source that is configured and required can be used."""
        return all(
            one.usable or not one.required or one.state == "not_configured" for one in self.sources
        )

    def as_json(self) -> dict[str, Any]:
        """The document of `check_telemetry --json`; no NaN in it."""
        return {
            "environment": self.environment,
            "at": datetime.fromtimestamp(self.at, UTC).isoformat().replace("+00:00", "Z"),
            "window_seconds": WINDOW_SECONDS,
            "usable": self.usable,
            "sources": [one.as_json() for one in self.sources],
            "services": [
                {
                    "slug": one.slug,
                    "name": one.name,
                    "role": one.role,
                    "sources": [found.as_json() for found in one.views],
                }
                for one in self.services
            ],
            "advice": list(self.advice),
        }


def examine(
    environment: str,
    now: float,
    deadline_seconds: float,
    services: Sequence[str] = (),
    sources: Collection[str] | None = None,
) -> Examination:
    """Ask the environment's data sources and report, within the deadline, on `services` (slugs).

    All services when none is named; `sources` (slugs) limits who is asked. The whole catalogue
    is always asked for, so that the answers are those of an analysis. Circuit breakers are told
    and not heeded. Raises UnknownService.
    """
    catalogue = {row.slug: row for row in Service.objects.filter(environment=environment)}
    if unknown := [slug for slug in services if slug not in catalogue]:
        known = ", ".join(sorted(catalogue)) or "none yet: try discover_services"
        raise UnknownService(
            f"no service {', '.join(unknown)} in the environment {environment}; there are: {known}"
        )
    found = found_as(catalogue.values())
    scope = recent(
        now, environment, catalogue, found, {row.slug: row.role for row in catalogue.values()}
    )
    rows = _rows(environment, found)
    if sources is not None:
        rows = [row for row in rows if row.slug in sources]
    health = {row.slug: health_of(row) for row in rows}
    looks = look(scope, [source_of(row) for row in rows], deadline_seconds)
    reports = [
        _report(row, health[row.slug].state, one) for row, one in zip(rows, looks, strict=True)
    ]
    if sources is None:
        reports += [_absent(kind) for kind in KIND_NAMES if kind not in {r.kind for r in rows}]
    about = _asked_about(rows, found)
    return Examination(
        environment,
        now,
        tuple(reports),
        tuple(
            ServiceReport(
                slug,
                catalogue[slug].name,
                catalogue[slug].role,
                tuple(view(one, slug, scope) for one in looks if slug in about[one.source.slug]),
            )
            for slug in (dict.fromkeys(services) or sorted(catalogue))
        ),
        _advice(environment, catalogue, rows),
    )


def _rows(environment: str, found: dict[str, FoundAs]) -> list[DataSource]:
    """The environment's enabled rows, and those of others that its services name."""
    named = {slug for one in found.values() for slug in one.sources}
    rows = DataSource.objects.filter(Q(environment=environment) | Q(slug__in=named), enabled=True)
    return list(rows.select_related("health"))


def _asked_about(
    rows: Sequence[DataSource], found: dict[str, FoundAs]
) -> dict[str, frozenset[str]]:
    """The services an analysis would ask each source about, by the source's slug."""
    kinds = {row.slug: row.kind for row in rows}
    return {
        row.slug: frozenset(
            service
            for service, one in found.items()
            if row.slug in one.sources
            or (row.by_default and all(kinds.get(slug) != row.kind for slug in one.sources))
        )
        for row in rows
    }


def _report(row: DataSource, breaker: str, found: Look) -> SourceReport:
    return SourceReport(
        slug=row.slug,
        kind=row.kind,
        label=found.source.label,
        state=found.status.status,
        detail=found.status.detail,
        required=row.required,
        reachable=found.probe.reachable,
        version=found.probe.version,
        latency_seconds=found.probe.latency_seconds,
        breaker=breaker,
        queries=found.status.queries,
        seconds=found.status.seconds,
        facts=_facts(found),
        advice=_source_advice(found),
    )


def _facts(found: Look) -> dict[str, Any]:
    """Of its kind; `not_told` is what it refused beside the analysis' own questions."""
    taken = found.inventory
    refused = () if found.probe.reachable or not found.status.queries else (found.probe.error,)
    facts: dict[str, Any] = {"not_told": [one for one in (*taken.problems, *refused) if one]}
    if found.source.kind == "loki":
        facts |= {
            "service_labels": list(taken.log_labels),
            "level_labels": list(taken.level_labels),
        }
    if found.source.kind == "kubernetes":
        facts |= {
            "namespaces": list(taken.namespaces),
            "rights": [vars(one) for one in taken.rights],
        }
    return facts


def _source_advice(found: Look) -> tuple[str, ...]:
    refused = [one for one in found.inventory.rights if one.allowed is False]
    return tuple(
        f"these credentials may not list {one.resource} "
        + (f"in namespace {one.namespace}" if one.namespace else "in the whole cluster")
        for one in refused
    )


def _absent(kind: str) -> SourceReport:
    return SourceReport(
        slug=kind,
        kind=kind,
        label=KIND_NAMES[kind],
        state="not_configured",
        detail="no address is set",
        required=False,
        reachable=False,
        version="",
        latency_seconds=None,
        breaker="",
        queries=0,
        seconds=0.0,
        facts={"not_told": []},
    )


def _advice(
    environment: str, catalogue: dict[str, Service], rows: Sequence[DataSource]
) -> tuple[str, ...]:
    said = []
    if not rows:
        said.append(
            "no data source is configured: set PROMETHEUS_URL, LOKI_URL, TEMPO_URL or KUBECONFIG, "
            "or add data sources"
        )
    elif not catalogue:
        said.append(
            f"the catalogue has no service in the environment {environment}: "
            "`manage.py discover_services` proposes some"
        )
    return tuple(said)
