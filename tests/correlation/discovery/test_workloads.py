"""The recorded cluster through discovery and the doctor's inventory: workloads, pods, rights."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from correlation.discovery.workloads import workloads
from correlation.doctor.inventory import RIGHTS, take
from correlation.doctor.looking import recent
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from tests.correlation.cluster_server import (
    Answer,
    ClusterServer,
    Params,
    cluster_server,
    forbidden,
    kubeconfig,
    listing,
    recorded,
    source,
)

APPS = "/apis/apps/v1"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@pytest.fixture
def server() -> Iterator[ClusterServer]:
    with cluster_server() as running:
        yield running


def test_recorded_workloads_are_named_by_their_pods_labels(
    server: ClusterServer, tmp_path: Path
) -> None:
    server.serve(
        {
            f"{APPS}/deployments": recorded("deployments"),
            f"{APPS}/statefulsets": recorded("statefulsets"),
        }
    )

    found, problems = workloads(source(tmp_path, kubeconfig(server.url)), (), Deadline(20.0))

    assert problems == ()
    assert {(one.kind, one.service) for one in found} >= {
        ("Deployment", "payment-processing"),
        ("StatefulSet", "postgres"),
    }
    postgres = next(one for one in found if one.service == "postgres")
    assert "postgres" in postgres.images[0]
    assert server.asked == [f"{APPS}/deployments", f"{APPS}/statefulsets", f"{APPS}/daemonsets"]


def test_cluster_that_forbids_the_whole_is_read_in_its_own_namespace(
    server: ClusterServer, tmp_path: Path
) -> None:
    def respond(path: str, params: Params) -> Answer:
        return listing() if "/namespaces/shop/" in path else forbidden(path.rpartition("/")[2])

    server.respond = respond

    found, problems = workloads(source(tmp_path, kubeconfig(server.url)), (), Deadline(20.0))

    assert found == ()
    assert problems == (
        "forbidden: ann may not list deployments in the whole cluster; only namespace shop was "
        "read: name others in KUBERNETES_NAMESPACES",
    )


def test_forbidden_namespace_that_was_asked_for_is_an_error(
    server: ClusterServer, tmp_path: Path
) -> None:
    server.respond = lambda path, params: forbidden("deployments", "bank")

    with pytest.raises(BackendError) as caught:
        workloads(source(tmp_path, kubeconfig(server.url)), ("bank",), Deadline(20.0))

    assert caught.value.detail == "forbidden: ann may not list deployments in namespace bank"


@pytest.mark.parametrize(("answer", "allowed"), [("allowed", True), ("denied", False)])
def test_inventory_counts_recorded_pods_and_asks_for_every_right(
    server: ClusterServer, tmp_path: Path, answer: str, allowed: bool
) -> None:
    server.serve(
        {
            "/api/v1/pods": recorded("pods_by_label"),
            REVIEWS: recorded(f"selfsubjectaccessreview_{answer}"),
        }
    )

    found = take(
        source(tmp_path, kubeconfig(server.url)), recent(time.time(), "production"), Deadline(20.0)
    )

    assert {pod.service for pod in found.pods} == {"payment-processing"}
    assert (len(found.pods), found.problems) == (3, ())
    assert [right.resource for right in found.rights] == [resource for resource, _, _ in RIGHTS]
    assert {right.allowed for right in found.rights} == {allowed}
