"""Which backends an analysis asks, and how: rows of the catalogue to values the clients take."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings

from correlation.models import DataSource
from correlation.sources import Scope, Source

RATE_WINDOW_SCRAPES = 4
"""A rate needs two samples; four scrapes survive a missed one."""

ENVIRONMENT = {
    DataSource.Kind.PROMETHEUS: "PROMETHEUS_URL",
    DataSource.Kind.LOKI: "LOKI_URL",
    DataSource.Kind.TEMPO: "TEMPO_URL",
    DataSource.Kind.KUBERNETES: "KUBECONFIG",
}
"""The setting that seeds a row of each kind; the row's slug is the kind."""


def follow_environment() -> None:
    """Bring the rows of origin `environment` in line with the settings; users' rows stay."""
    for kind, variable in ENVIRONMENT.items():
        value = getattr(settings, variable)
        column = "kubeconfig" if kind == DataSource.Kind.KUBERNETES else "url"
        ours = DataSource.objects.filter(slug=kind, origin=DataSource.Origin.ENVIRONMENT)
        if not value:
            ours.update(enabled=False)
        elif not ours.update(enabled=True, **{column: value}):
            DataSource.objects.get_or_create(
                slug=str(kind),
                defaults={"kind": kind, "origin": DataSource.Origin.ENVIRONMENT, column: value},
            )


def sources_for(scope: Scope) -> list[Source]:
    """The backends to ask about the scope's services."""
    rows = DataSource.objects.filter(enabled=True, environment=scope.environment)
    return [source_of(row) for row in rows]


def source_of(row: DataSource) -> Source:
    """What the clients need to know of a row; secrets are read now, from where it names them."""
    headers = {}
    if row.tenant:
        headers["X-Scope-OrgID"] = row.tenant
    if row.auth_variable and (secret := os.environ.get(row.auth_variable)):
        headers["Authorization"] = secret
    return Source(
        slug=row.slug,
        kind=row.kind,
        url=row.url.rstrip("/"),
        headers=headers,
        timeout_seconds=row.timeout_seconds,
        verify=(row.ca_file or True) if row.verify_tls else False,
        kubeconfig=row.kubeconfig,
        context=row.context,
        options=_options(row.kind, row.options),
    )


def _options(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """The source's options; Prometheus' windows follow the scrape interval unless given."""
    if kind != DataSource.Kind.PROMETHEUS:
        return given
    scrape = float(given.get("scrape_interval_seconds", settings.SCRAPE_INTERVAL_SECONDS))
    return {
        "step_seconds": scrape,
        "window_seconds": scrape * RATE_WINDOW_SCRAPES,
        **given,
    }
