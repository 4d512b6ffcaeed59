"""The lab's stand-ins behind the test's own HTTP server, for whole analyses."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import LazySettings
from django.utils import timezone

from correlation import shared_answers
from correlation.data_sources.catalogue import follow_environment
from correlation.logs import labels as log_labels
from correlation.metrics import profile_detection
from correlation.models import Analysis, DataSource
from incidents import demo
from incidents.models import Incident, Service
from lab import kubernetes_api, loki_api, prometheus_api, tempo_api
from lab.simulation import Recording, run
from tests.correlation.cluster_server import kubeconfig
from tests.correlation.conftest import Answer, Backend

FAULT_SECONDS = 60.0
FRESH_SECONDS = 45.0  # tests that ran before must not make what is served stale

_made: dict[str | None, tuple[float, Recording]] = {}


def recording(fault: str | None) -> Recording:
    """Twenty minutes of the lab with a minute of `fault` at the end, as last served."""
    return _made[fault][1] if fault in _made else _fresh(fault)


def _fresh(fault: str | None) -> Recording:
    """The recording, made again unless it ended just now."""
    now = timezone.now().timestamp()
    if fault not in _made or _made[fault][0] < now - FRESH_SECONDS:
        _made[fault] = now, run(7, 1200.0, fault, FAULT_SECONDS, now)
    return _made[fault][1]


def serve(backend: Backend, settings: LazySettings, fault: str) -> datetime:
    """Point the product at the lab's four stand-ins; the moment the fault began."""
    recorded = _fresh(fault)
    serve_recording(backend, settings, recorded)
    assert recorded.fault_at is not None
    return datetime.fromtimestamp(recorded.fault_at, UTC)


def serve_healthy(backend: Backend, settings: LazySettings) -> None:
    """Likewise, and nothing is wrong there."""
    serve_recording(backend, settings, _fresh(None))


def serve_recording(backend: Backend, settings: LazySettings, recorded: Recording) -> None:
    """Point the product at stand-ins that answer from this recording."""
    backend.respond = partial(respond, recorded)
    kubeconfig_path = Path(settings.STUDIO_DIR) / f"kubeconfig-{backend.url.rpartition(':')[2]}"
    kubeconfig_path.write_text(kubeconfig(f"{backend.url}/kubernetes"))
    settings.SCRAPE_INTERVAL_SECONDS = 5.0
    point(
        settings,
        PROMETHEUS_URL=f"{backend.url}/prometheus",
        LOKI_URL=f"{backend.url}/loki",
        TEMPO_URL=f"{backend.url}/tempo",
        KUBECONFIG=str(kubeconfig_path),
    )
    # the stand-ins share this process, and the machine may be busy
    DataSource.objects.update(timeout_seconds=30.0)
    settings.CORRELATION_DEADLINE_SECONDS = 90.0
    settings.CORRELATION_LEASE_SECONDS = 180.0


def respond(recorded: Recording, path: str, params: dict[str, list[str]]) -> Answer:
    """The answer of the stand-in whose prefix the path has."""
    kind, _, rest = path.lstrip("/").partition("/")
    rest = f"/{rest}"
    if kind == "loki":
        return loki_api.respond(recorded.logs, "GET", rest, params)
    if kind == "tempo":
        return tempo_api.respond(recorded.simulation.traces, "GET", rest, params)
    if kind == "kubernetes":
        method = "POST" if rest == kubernetes_api.ACCESS_REVIEWS else "GET"
        return kubernetes_api.respond(recorded.simulation.cluster, method, rest, params)
    return prometheus_api.respond(recorded.tsdb, "GET", rest, params)


def point(settings: Any, **urls: str) -> None:
    """Set the addresses and seed the data sources from them, as a start does."""
    for name, url in urls.items():
        setattr(settings, name, url)
    follow_environment()
    for kept in (shared_answers, profile_detection, log_labels):  # what earlier tests found out
        kept.forget()


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
