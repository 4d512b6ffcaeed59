"""The lab's faults as its stand-in for Tempo shows them, through gather and rank."""

from __future__ import annotations

import pytest

from correlation.gather import gather
from correlation.ranking import rank
from correlation.sources import Scope, Source
from lab import loki_api, prometheus_api, tempo_api
from tests.correlation.conftest import Answer, Backend
from tests.correlation.lab_backend import recording

PATIENCE_SECONDS = 60.0
"""The stand-in shares its process, and the machine, with whatever else is tested."""

FAULTS = {
    "pool-exhaustion": ("payment-processing", "connection_pool_exhaustion", "trace_errors"),
    "slow-database": ("postgres", "slow_dependency", "trace_slow"),
    "error-deploy": ("checkout", "code_error", "trace_errors"),
}


def tempo(backend: Backend) -> Source:
    return Source("tempo", "tempo", f"{backend.url}/tempo", timeout_seconds=PATIENCE_SECONDS)


def serve(backend: Backend, fault: str) -> Scope:
    """The lab's three stores behind one address, and what an analysis of the fault looks at."""
    recorded = recording(fault)

    def respond(path: str, params: dict[str, list[str]]) -> Answer:
        if path.startswith("/tempo/"):
            rest = path.removeprefix("/tempo")
            return tempo_api.respond(recorded.simulation.traces, "GET", rest, params)
        if path.startswith("/loki/"):
            return loki_api.respond(recorded.logs, "GET", path, params)
        return prometheus_api.respond(recorded.tsdb, "GET", path, params)

    backend.respond = respond
    assert recorded.fault_at is not None
    return Scope(
        target=None,
        started_at=recorded.fault_at + 20.0,
        as_of=recorded.end_at,
        lead_seconds=180.0,
        baseline_seconds=900.0,
        roles={"postgres": "database", "redis": "cache", "queue": "queue"},
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_traces_alone_name_the_culprit(backend: Backend, fault: str) -> None:
    scope = serve(backend, fault)
    service, _, signal = FAULTS[fault]

    telemetry, statuses = gather(scope, [tempo(backend)], PATIENCE_SECONDS)

    ranking = rank(telemetry)
    assert statuses[0].status == "ok"
    assert ranking.causes[0].service == service
    strongest = ranking.evidence[0]
    assert (strongest.type, strongest.service, strongest.signal) == ("trace", service, signal)
    assert ranking.causes[0].supporting[0] == strongest.key


@pytest.mark.parametrize("fault", FAULTS)
def test_traces_support_what_metrics_and_logs_say(backend: Backend, fault: str) -> None:
    scope = serve(backend, fault)
    service, kind, signal = FAULTS[fault]
    options = {"step_seconds": 5, "window_seconds": 30}
    sources = [
        Source("loki", "loki", backend.url),
        Source("prometheus", "prometheus", backend.url, options=options),
        tempo(backend),
    ]

    ranking = rank(gather(scope, sources, PATIENCE_SECONDS)[0])

    first = ranking.causes[0]
    cited = {item.signal for item in ranking.evidence if item.key in first.supporting}
    assert (first.service, first.kind) == (service, kind)
    assert signal in cited


def test_traces_of_a_deploy_tell_its_version(backend: Backend) -> None:
    scope = serve(backend, "error-deploy")

    telemetry, _ = gather(scope, [tempo(backend)], PATIENCE_SECONDS)

    apart = rank(telemetry).evidence[0].details["apart"]
    assert [one["attribute"] for one in apart] == ["service.version"]


def test_traces_show_who_calls_whom(backend: Backend) -> None:
    scope = serve(backend, "pool-exhaustion")

    telemetry, _ = gather(scope, [tempo(backend)], PATIENCE_SECONDS)

    seen = {("frontend", "checkout"), ("checkout", "payment-processing"),
            ("payment-processing", "postgres")}  # fmt: skip
    assert seen <= set(telemetry.edges)
