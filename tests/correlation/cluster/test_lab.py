"""Kubernetes as the lab tells it: gathered over a kubeconfig, ranked with nothing else known."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from correlation import shared_answers
from correlation.gather import SourceStatus, gather
from correlation.ranking import rank
from correlation.sources import Scope, Source
from correlation.telemetry import Telemetry
from lab import kubernetes_api, prometheus_api
from lab.simulation import Recording, run
from tests.correlation.cluster_server import (
    Answer,
    ClusterServer,
    Params,
    cluster_server,
    kubeconfig,
    source,
)

END = 1_795_305_900.0


@cache
def recording(fault: str | None) -> Recording:
    """Twenty minutes of the lab, the last one with the fault."""
    return run(7, 1200.0, fault, 60.0, END)


@pytest.fixture
def server() -> Iterator[ClusterServer]:
    shared_answers.forget()
    with cluster_server() as running:
        yield running


def serve(server: ClusterServer, recorded: Recording) -> None:
    def respond(path: str, params: Params) -> Answer:
        if path.startswith("/kubernetes"):
            inner = path.removeprefix("/kubernetes")
            return kubernetes_api.respond(recorded.simulation.cluster, "GET", inner, params)
        return prometheus_api.respond(recorded.tsdb, "GET", path, params)

    server.respond = respond


def look(
    server: ClusterServer,
    directory: Path,
    fault: str | None,
    target: str,
    *others: Source,
) -> tuple[Telemetry, SourceStatus]:
    recorded = recording(fault)
    serve(server, recorded)
    started = recorded.fault_at or END - 60
    scope = Scope(target, started, END, lead_seconds=60.0)
    cluster = source(directory, kubeconfig(f"{server.url}/kubernetes"))
    telemetry, statuses = gather(scope, [cluster, *others], 20.0)
    return telemetry, statuses[0]


def test_healthy_lab_is_running_and_costs_three_requests(
    server: ClusterServer, tmp_path: Path
) -> None:
    telemetry, status = look(server, tmp_path, None, "checkout")

    assert (status.status, status.detail, status.queries) == ("ok", "", 3)
    assert {state.reason for state in telemetry.workloads} == {"Running"}
    assert telemetry.changes == ()
    assert rank(telemetry).causes == ()


def test_crash_loop_of_the_lab_is_blamed_on_its_service(
    server: ClusterServer, tmp_path: Path
) -> None:
    telemetry, status = look(server, tmp_path, "crash-loop", "inventory")

    ranking = rank(telemetry)
    crashing = next(e for e in ranking.evidence if e.signal == "CrashLoopBackOff")
    assert (status.status, status.queries) == ("ok", 5)
    assert (ranking.causes[0].service, ranking.causes[0].kind) == ("inventory", "crash_loop")
    assert (crashing.service, crashing.source, crashing.type) == (
        "inventory", "kubernetes", "kubernetes",
    )  # fmt: skip
    assert crashing.onset_at is not None
    assert END - 61 <= crashing.onset_at <= END
    assert {"pod", "container", "exit_code", "node"} <= set(crashing.details)


def test_error_deploy_of_the_lab_is_a_rollout(server: ClusterServer, tmp_path: Path) -> None:
    prometheus = Source("prometheus", "prometheus", server.url, options={"step_seconds": 5})

    telemetry, _ = look(server, tmp_path, "error-deploy", "checkout", prometheus)

    (change,) = telemetry.changes
    cause = rank(telemetry).causes[0]
    assert (change.service, change.kind, change.source) == ("checkout", "deploy", "kubernetes")
    assert "-> v3.10.0 (revision" in change.title
    assert (cause.service, cause.kind, cause.change) == ("checkout", "bad_deploy", change.id)


def test_out_of_memory_kill_of_the_lab_is_told(server: ClusterServer, tmp_path: Path) -> None:
    recorded = run(7, 60.0, None, 0.0, END)
    cluster = recorded.simulation.cluster
    victim = cluster.workloads["cart"].pods[0]
    cluster.crash(victim, 137, "OOMKilled")
    serve(server, recorded)
    scope = Scope("cart", END - 30, END + 30, lead_seconds=60.0)

    telemetry, _ = gather(scope, [source(tmp_path, kubeconfig(f"{server.url}/kubernetes"))], 20.0)

    (killed,) = [state for state in telemetry.workloads if state.reason == "OOMKilled"]
    assert (killed.service, dict(killed.attributes)["pod"]) == ("cart", victim.name)
    assert dict(killed.attributes)["exit_code"] == "137"
    assert rank(telemetry).causes[0].kind == "oom_kill"


def test_rollback_of_the_lab_is_told_as_one(server: ClusterServer, tmp_path: Path) -> None:
    recorded = run(7, 60.0, None, 0.0, END)
    cluster = recorded.simulation.cluster
    workload = cluster.workloads["cart"]
    version = workload.releases[0].version
    for wanted in ("v99.0.0", version):
        cluster.roll_out(workload, wanted, f"cart {wanted}")
        cluster.loop.run_until(cluster.loop.now + 40.0)
    serve(server, recorded)
    scope = Scope("cart", END, END + 80)

    telemetry, _ = gather(scope, [source(tmp_path, kubeconfig(f"{server.url}/kubernetes"))], 20.0)

    (deploy, back) = sorted(telemetry.changes, key=lambda change: change.at)
    assert deploy.title.startswith(f"{version} -> v99.0.0 (revision ")
    assert back.title.startswith(f"rolled back: v99.0.0 -> {version} (revision ")
    assert (abs(deploy.at - END) < 10, abs(back.at - END - 40) < 10) == (True, True)
