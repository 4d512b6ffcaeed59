"""Which backends an analysis asks, and how: rows of the catalogue to values the clients take."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db.models import Q

from accounts import audit
from correlation.data_sources import breaker
from correlation.data_sources.probe import Probe, probe
from correlation.data_sources.problems import problem
from correlation.models import DataSource
from correlation.sources import Scope, Source
from incidents.outbound.deadline import Deadline
from incidents.outbound.fields import without_login
from incidents.outbound.secrets import SecretMissing, authorization

RATE_WINDOW_SCRAPES = 4
"""A rate needs two samples; four scrapes survive a missed one."""

CHECK_SECONDS = 10.0
"""For one look at a source that a person waits for."""

ENVIRONMENT = {
    DataSource.Kind.PROMETHEUS: "PROMETHEUS_URL",
    DataSource.Kind.LOKI: "LOKI_URL",
    DataSource.Kind.TEMPO: "TEMPO_URL",
    DataSource.Kind.KUBERNETES: "KUBECONFIG",
}
"""The setting that seeds a row of each kind; the row's slug is the kind."""


def follow_environment() -> None:
    """Bring the rows of origin `environment` in line with the settings; users' rows stay.

    What the environment does not say of such a row (whether it is enabled, its other options)
    is people's and stays too.
    """
    seeds = {seed.slug: seed for seed in environment_rows()}
    rows = {row.slug: row for row in DataSource.objects.filter(slug__in=ENVIRONMENT)}
    for kind in ENVIRONMENT:
        seed, row = seeds.get(kind), rows.get(kind)
        if row is None and seed is not None:
            columns = {name: getattr(seed, name) for name in _columns(kind)}
            DataSource.objects.get_or_create(
                slug=str(kind),
                defaults={"kind": kind, "origin": seed.origin, "options": seed.options, **columns},
            )
        elif row is not None and row.origin == DataSource.Origin.ENVIRONMENT:
            _bring_in_line(row, seed)


def environment_rows() -> list[DataSource]:
    """A row, not saved, for each kind that the settings configure."""
    found = []
    for kind, variable in ENVIRONMENT.items():
        address = getattr(settings, variable)
        kubernetes = kind == DataSource.Kind.KUBERNETES
        if not address and not (kubernetes and settings.KUBERNETES_IN_CLUSTER):
            continue
        row = DataSource(
            slug=str(kind),
            kind=kind,
            origin=DataSource.Origin.ENVIRONMENT,
            options=seeded_options(kind),
            **settings.DATA_SOURCE_FIELDS[kind],
        )
        row.grafana_url = without_login(row.grafana_url)
        if kubernetes:
            row.kubeconfig = address
        else:
            row.url = without_login(address)
        found.append(row)
    return found


SEEDED_OPTIONS = {
    DataSource.Kind.PROMETHEUS: {"profile": "PROMETHEUS_PROFILE"},
    DataSource.Kind.KUBERNETES: {"namespaces": "KUBERNETES_NAMESPACES"},
}
"""Options that settings give, by kind: option -> setting."""


def seeded_options(kind: str) -> dict[str, Any]:
    """The options that follow the environment, for its row of this kind."""
    named = SEEDED_OPTIONS.get(DataSource.Kind(kind), {})
    given = {option: getattr(settings, variable) for option, variable in named.items()}
    return {option: value for option, value in given.items() if value}


def kept_option_errors(row: DataSource, options: Any) -> list[str]:
    """Why a row of the environment may not have these options: what its variables say stays."""
    if row.origin != DataSource.Origin.ENVIRONMENT or not isinstance(options, dict):
        return []
    named = SEEDED_OPTIONS.get(DataSource.Kind(row.kind), {})
    return [
        f"{option} follows the environment ({named[option]}): leave it at {json.dumps(value)}."
        for option, value in seeded_options(row.kind).items()
        if options.get(option) != value
    ]


def sources_for(scope: Scope) -> list[Source]:
    """The backends to ask about the scope's services, whatever their circuit breakers say.

    For each kind: those that its services name, then those asked by default if a service
    names none. A named source that is disabled is not asked, and nothing takes its place.
    """
    return [source_of(row) for row in rows_for(scope)]


def admitted_sources(scope: Scope) -> list[Source]:
    """Likewise, with `closed_because` set where the circuit breaker says not now.

    The caller reports back through `breaker.record`.
    """
    rows = rows_for(scope)
    sources = {row.slug: source_of(row) for row in rows}
    closed = breaker.admit(row for row in rows if not sources[row.slug].closed_because)
    return [
        replace(source, closed_because=source.closed_because or closed.get(source.slug, ""))
        for source in sources.values()
    ]


def rows_for(scope: Scope) -> list[DataSource]:
    """The rows behind `sources_for`, with their health; one query."""
    services = scope.services or frozenset(scope.found_as)
    named_by = {
        service: frozenset(scope.found_as[service].sources)
        for service in services
        if service in scope.found_as
    }
    named = frozenset().union(*named_by.values())
    rows = DataSource.objects.filter(
        Q(slug__in=named) | Q(enabled=True, by_default=True, environment=scope.environment)
    ).select_related("health")
    kinds = {row.slug: row.kind for row in rows}
    by_default = {
        kind
        for kind in DataSource.Kind.values
        if not services
        or any(
            all(kinds.get(slug) != kind for slug in named_by.get(service, ()))
            for service in services
        )
    }
    asked = [
        row
        for row in rows
        if row.enabled
        and (
            row.slug in named
            or (row.by_default and row.environment == scope.environment and row.kind in by_default)
        )
    ]
    return sorted(asked, key=lambda row: (row.kind, row.slug not in named, row.slug))


def source_of(row: DataSource) -> Source:
    """What the clients need to know of a row; secrets are read now, from where it names them.

    `closed_because` says what is wrong with its set-up, such as a variable that is not set.
    """
    headers = {}
    if row.tenant:
        headers["X-Scope-OrgID"] = row.tenant
    closed_because = problem(row)
    try:
        if secret := authorization(f"data source {row.slug}", row.auth_variable, row.auth_file):
            headers["Authorization"] = secret
    except SecretMissing as missing:
        closed_because = closed_because or str(missing)
    try:
        options = _options(row.kind, row.options)
    except ValueError as error:
        options, closed_because = {}, closed_because or f"is set up wrongly: {error}"
    certificate = (row.client_certificate_file, row.client_key_file)
    return Source(
        slug=row.slug,
        kind=row.kind,
        url=row.url.rstrip("/"),
        headers=headers,
        timeout_seconds=row.timeout_seconds,
        verify=(row.ca_file or True) if row.verify_tls else False,
        client_certificate=certificate if all(certificate) else None,
        kubeconfig=row.kubeconfig,
        context=row.context,
        closed_because=closed_because,
        options=options,
    )


def check_now(row: DataSource) -> Probe:
    """Probe the source, whatever its breaker says, and write down in its health what came."""
    found = probe(source_of(row), Deadline(CHECK_SECONDS))
    breaker.record_probe(row.slug, found)
    audit.record("data_source.checked", row)
    return found


def _bring_in_line(row: DataSource, seed: DataSource | None) -> None:
    changed: dict[str, Any] = {}
    if seed is None:
        if row.enabled:
            changed = {"enabled": False, "unset": True}
    else:
        changed = {name: getattr(seed, name) for name in _columns(row.kind)}
        changed["options"] = {**row.options, **seed.options}
        if row.unset:
            changed |= {"enabled": True, "unset": False}
    changed = {name: value for name, value in changed.items() if getattr(row, name) != value}
    if changed:
        ours = DataSource.objects.filter(pk=row.pk, origin=DataSource.Origin.ENVIRONMENT)
        ours.update(**changed)


def _columns(kind: str) -> Iterable[str]:
    address = "kubeconfig" if kind == DataSource.Kind.KUBERNETES else "url"
    return (address, *settings.DATA_SOURCE_FIELDS[kind])


def _options(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """The source's options; Prometheus' windows follow the scrape interval unless given.

    Raises ValueError for options that are no object or an interval that is no number.
    """
    if not isinstance(given, dict):
        raise ValueError("options must be an object")
    if kind != DataSource.Kind.PROMETHEUS:
        return given
    asked = Source("", kind, "", options=given)
    scrape = asked.number("scrape_interval_seconds", settings.SCRAPE_INTERVAL_SECONDS)
    return {
        "step_seconds": scrape,
        "window_seconds": scrape * RATE_WINDOW_SCRAPES,
        **given,
    }
