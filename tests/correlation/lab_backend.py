"""The lab's stand-ins behind the test's own HTTP server, for whole analyses."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.conf import LazySettings
from django.utils import timezone

from correlation.data_sources import follow_environment
from correlation.models import Analysis
from incidents import demo
from incidents.models import Incident, Service
from lab import loki_api, prometheus_api
from lab.simulation import Recording, run
from tests.correlation.conftest import Answer, Backend

FAULT_SECONDS = 60.0


@cache
def recording(fault: str) -> Recording:
    """Twenty minutes of the lab that end now with a minute of `fault`."""
    return run(7, 1200.0, fault, FAULT_SECONDS, timezone.now().timestamp())


def serve(backend: Backend, settings: LazySettings, fault: str) -> datetime:
    """Point the product at the lab's telemetry; the moment the fault began."""
    recorded = recording(fault)

    def respond(path: str, params: dict[str, list[str]]) -> Answer:
        if path.startswith("/loki"):
            return loki_api.respond(recorded.logs, "GET", path, params)
        return prometheus_api.respond(recorded.tsdb, "GET", path, params)

    backend.respond = respond
    settings.SCRAPE_INTERVAL_SECONDS = 5.0
    point(settings, PROMETHEUS_URL=backend.url, LOKI_URL=backend.url)
    assert recorded.fault_at is not None
    return datetime.fromtimestamp(recorded.fault_at, UTC)


def point(settings: Any, **urls: str) -> None:
    """Set the addresses and seed the data sources from them, as a start does."""
    for name, url in urls.items():
        setattr(settings, name, url)
    follow_environment()


def shop_incident(slug: str, started_at: datetime | None, **columns: Any) -> Incident:
    """An incident on a service of the shop, its analysis waiting."""
    from incidents import lifecycle

    demo.seed()
    service = Service.objects.get(slug=slug)
    return lifecycle.open_incident(
        title=f"{slug} fails",
        severity="critical",
        services=[service],
        started_at=started_at,
        allow_duplicate=True,
        **columns,
    ).incident


def newest(incident: Incident) -> Analysis:
    return incident.analyses.order_by("-queued_at").first() or Analysis()
