"""The lab's four stand-ins behind one address, as data sources of the product."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from django.utils import timezone

from correlation import log_labels, profile_detection, shared_answers
from correlation.models import DataSource
from lab import kubernetes_api, loki_api, prometheus_api, tempo_api
from lab.simulation import Recording, run
from tests.correlation.cluster_server import kubeconfig
from tests.correlation.conftest import Answer, Backend
from tests.correlation.lab_backend import point

KINDS = ("prometheus", "loki", "tempo", "kubernetes")


@cache
def healthy() -> Recording:
    """Twenty minutes of the lab without a fault, up to now."""
    return run(7, 1200.0, None, 0.0, timezone.now().timestamp())


def respond(path: str, params: dict[str, list[str]]) -> Answer:
    recorded = healthy()
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


def serve_lab(server: Backend, settings: Any, folder: Path) -> None:
    """Point the product at all four. What earlier tests found out is forgotten."""
    for kept in (shared_answers, profile_detection, log_labels):
        kept.forget()
    healthy()  # before anybody waits for an answer
    server.respond = respond
    path = folder / "kubeconfig"
    path.write_text(kubeconfig(f"{server.url}/kubernetes"))
    settings.SCRAPE_INTERVAL_SECONDS = 5.0
    point(
        settings,
        PROMETHEUS_URL=f"{server.url}/prometheus",
        LOKI_URL=f"{server.url}/loki",
        TEMPO_URL=f"{server.url}/tempo",
        KUBECONFIG=str(path),
    )
    DataSource.objects.update(timeout_seconds=30.0)  # the stand-ins share this process
