"""What is asked of a cluster and how often, over real sockets and recorded answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from correlation import shared_answers
from correlation.cluster.queries import namespaces_of
from correlation.gather import SourceStatus, gather
from correlation.sources import FoundAs, Scope, Source
from correlation.telemetry import Telemetry
from tests.correlation.cluster_server import (
    ClusterServer,
    answer,
    cluster_server,
    forbidden,
    items,
    kubeconfig,
    listing,
    recorded,
    source,
)

ONSET = 1_795_305_900.0
PODS = [*items("pods_page_1"), *items("pods_page_2"), *items("pods_page_3")]
HEALTHY = [pod for pod in PODS if "payment" not in pod["metadata"]["name"]]
NODES, AUTOSCALERS = "/api/v1/nodes", "/apis/autoscaling/v2/horizontalpodautoscalers"
SERVICES = frozenset({"frontend", "checkout", "payment-processing", "postgres"})


def lists(namespace: str = "") -> list[str]:
    """The three lists of a namespace, or of the whole cluster."""
    inside = f"/namespaces/{namespace}" if namespace else ""
    return [
        f"/api/v1{inside}/pods",
        f"/api/v1{inside}/events",
        f"/apis/apps/v1{inside}/replicasets",
    ]


def scope_in(*namespaces: str, **columns: Any) -> Scope:
    """The recorded incident; services live in the namespaces, in turn."""
    found = {
        service: FoundAs(namespace=namespaces[number % len(namespaces)])
        for number, service in enumerate(sorted(SERVICES))
        if namespaces
    }
    columns = {"target": "payment-processing", "services": SERVICES, "found_as": found} | columns
    return Scope(started_at=ONSET, as_of=ONSET + 600, **columns)


@pytest.fixture
def server() -> Iterator[ClusterServer]:
    shared_answers.forget()
    with cluster_server() as running:
        yield running


def ask(
    server: ClusterServer, directory: Path, scope: Scope, **options: Any
) -> tuple[Telemetry, SourceStatus]:
    cluster = source(directory, kubeconfig(server.url, namespace="mine"), options=options)
    telemetry, statuses = gather(scope, [cluster], 10.0)
    return telemetry, statuses[0]


def incident(server: ClusterServer, **others: Any) -> None:
    """Serve the recorded incident in the namespace prod."""
    pods, events, sets = lists("prod")
    server.serve(
        {
            pods: listing(*PODS),
            events: recorded("events_all"),
            sets: recorded("replicasets"),
            NODES: recorded("nodes"),
            **others,
        }
    )


def test_healthy_namespace_costs_three_requests(server: ClusterServer, tmp_path: Path) -> None:
    server.serve({lists("prod")[0]: listing(*HEALTHY)})

    telemetry, status = ask(server, tmp_path, scope_in("prod", target="checkout"))

    assert sorted(server.asked) == sorted(lists("prod"))
    assert (status.status, status.queries, status.detail) == ("ok", 3, "")
    assert {state.reason for state in telemetry.workloads} == {"Running"}


def test_pod_in_trouble_makes_nodes_and_autoscalers_worth_asking(
    server: ClusterServer, tmp_path: Path
) -> None:
    incident(server)

    telemetry, status = ask(server, tmp_path, scope_in("prod"))

    assert sorted(server.asked) == sorted([*lists("prod"), NODES, AUTOSCALERS])
    assert (status.status, status.queries) == ("ok", 5)
    assert {s.reason for s in telemetry.workloads if s.service == "payment-processing"} == {
        "CrashLoopBackOff", "OOMKilled", "OOMKilling", "Unhealthy", "BackOff", "Killing",
        "ScalingReplicaSet",
    }  # fmt: skip
    assert [(change.service, change.kind, change.title) for change in telemetry.changes] == [
        ("payment-processing", "deploy", "v2.4.0 -> v2.4.1 (revision 7)")
    ]
    assert {state.source for state in telemetry.workloads} == {"kubernetes"}


@pytest.mark.parametrize("count", [1, 3, 12])
def test_requests_are_three_a_namespace(count: int, server: ClusterServer, tmp_path: Path) -> None:
    names = [f"team-{number}" for number in range(count)]
    services = frozenset(f"service-{number}" for number in range(40))
    found = {
        service: FoundAs(namespace=names[number % count])
        for number, service in enumerate(sorted(services))
    }

    ask(server, tmp_path, scope_in(target=None, services=services, found_as=found))

    assert Counter(server.asked) == Counter(path for name in names for path in lists(name))


def test_without_namespaces_the_whole_cluster_is_read(
    server: ClusterServer, tmp_path: Path
) -> None:
    server.serve({lists()[0]: listing(*HEALTHY)})

    _, status = ask(server, tmp_path, scope_in(target="checkout"))

    assert sorted(server.asked) == sorted(lists())
    assert status.status == "ok"


def test_forbidden_cluster_falls_back_to_the_contexts_namespace(
    server: ClusterServer, tmp_path: Path
) -> None:
    server.serve(
        {path: recorded("pods_all_namespaces_403") for path in lists()}
        | {lists("mine")[0]: listing(*HEALTHY)}
    )

    _, status = ask(server, tmp_path, scope_in(target="checkout"))

    assert sorted(server.asked) == sorted([*lists(), *lists("mine")])
    assert (status.status, status.queries) == ("ok", 6)
    assert status.detail == (
        "these credentials may not read the whole cluster: only namespace mine was read; "
        "name others in the option namespaces or in the catalogue"
    )


@pytest.mark.parametrize("refused", [0, 1, 2], ids=["pods", "events", "replicasets"])
def test_refused_list_makes_the_answer_partial(
    refused: int, server: ClusterServer, tmp_path: Path
) -> None:
    resource = ("pods", "events", "replicasets")[refused]
    incident(server, **{lists("prod")[refused]: forbidden(resource, "prod")})

    telemetry, status = ask(server, tmp_path, scope_in("prod"))

    assert status.status == "partial"
    assert status.detail == f"forbidden: ann may not list {resource} in namespace prod"
    assert telemetry.workloads
    assert bool(telemetry.changes) == (resource != "replicasets")


def test_all_lists_refused_is_unavailable(server: ClusterServer, tmp_path: Path) -> None:
    server.respond = lambda path, params: recorded("forbidden_service_account_403")

    telemetry, status = ask(server, tmp_path, scope_in("prod"))

    assert (status.status, status.queries) == ("unavailable", 3)
    assert telemetry.missing[0] == (
        "Kubernetes data unavailable: forbidden: "
        "system:serviceaccount:monitoring:powerless may not list pods in namespace prod"
    )


def test_refused_everywhere_says_how_to_name_namespaces(
    server: ClusterServer, tmp_path: Path
) -> None:
    server.respond = lambda path, params: recorded("forbidden_service_account_403")

    _, status = ask(server, tmp_path, scope_in(""))

    assert status.detail.endswith(
        ": name namespaces in KUBERNETES_NAMESPACES, the option namespaces or the catalogue"
    )


def test_refused_nodes_are_a_note(server: ClusterServer, tmp_path: Path) -> None:
    incident(server, **{NODES: recorded("nodes_403")})

    _, status = ask(server, tmp_path, scope_in("prod"))

    assert status.status == "ok"
    assert status.detail == (
        "forbidden: system:serviceaccount:monitoring:studio may not list nodes in the whole cluster"
    )


def test_autoscalers_refused_for_the_cluster_are_asked_by_namespace(
    server: ClusterServer, tmp_path: Path
) -> None:
    inside = "/apis/autoscaling/v2/namespaces/prod/horizontalpodautoscalers"
    autoscaler = {
        "metadata": {"name": "payments", "namespace": "prod"},
        "spec": {
            "maxReplicas": 3,
            "minReplicas": 1,
            "scaleTargetRef": {"kind": "Deployment", "name": "payment-processing"},
        },
        "status": {"currentReplicas": 3, "lastScaleTime": "2026-11-22T00:06:00Z"},
    }
    incident(
        server,
        **{AUTOSCALERS: forbidden("horizontalpodautoscalers"), inside: listing(autoscaler)},
    )

    telemetry, status = ask(server, tmp_path, scope_in("prod"))

    assert inside in server.asked
    assert (status.status, status.detail, status.queries) == ("ok", "", 6)
    assert [(s.service, s.message) for s in telemetry.workloads if s.reason.startswith("Auto")] == [
        ("payment-processing", "3 of at most 3 replicas")
    ]


def test_analyses_together_share_the_lists(server: ClusterServer, tmp_path: Path) -> None:
    incident(server)
    first, _ = ask(server, tmp_path, scope_in("prod"))

    second, status = ask(server, tmp_path, scope_in("prod", target="checkout"))

    assert len(server.asked) == 5
    assert (status.status, status.queries) == ("ok", 0)
    assert second.workloads == first.workloads


def test_truncated_list_is_partial(server: ClusterServer, tmp_path: Path) -> None:
    event = {"metadata": {"name": "e"}, "involvedObject": {}, "type": "Normal"}
    incident(server, **{lists("prod")[1]: listing(*[event] * 10_001)})

    _, status = ask(server, tmp_path, scope_in("prod"))

    assert (status.status, status.detail) == ("partial", "only the first 10000 events were read")


def test_target_without_pods_is_noted(server: ClusterServer, tmp_path: Path) -> None:
    server.serve({lists("prod")[0]: listing(*HEALTHY)})

    _, status = ask(server, tmp_path, scope_in("prod"))

    assert status.detail == (
        "no pods of payment-processing were found: its namespace and label selector can be "
        "given in the catalogue"
    )


def test_list_that_is_no_list_is_named_with_the_rest_kept(
    server: ClusterServer, tmp_path: Path
) -> None:
    incident(server, **{lists("prod")[1]: answer({"items": "many"})})

    telemetry, status = ask(server, tmp_path, scope_in("prod"))

    assert status.detail == "answered JSON that is not a Kubernetes list"
    assert (status.status, bool(telemetry.workloads)) == ("partial", True)


@pytest.mark.parametrize(
    ("found", "option", "namespaces"),
    [
        ({}, (), ()),
        ({}, ("a", "b"), ("a", "b")),
        ({"cart": "prod", "bank": "bank"}, ("a",), ("bank", "prod")),
        ({"cart": "prod", "bank": ""}, ("a",), ("a", "prod")),
        ({"cart": "prod", "bank": ""}, (), ("prod",)),
    ],
    ids=["cluster", "option", "services", "both", "one-known"],
)
def test_namespaces_come_from_services_then_the_option(
    found: dict[str, str], option: tuple[str, ...], namespaces: tuple[str, ...]
) -> None:
    scope = Scope(
        None, ONSET, ONSET, found_as={name: FoundAs(namespace=n) for name, n in found.items()}
    )
    cluster = Source("k8s", "kubernetes", "", options={"namespaces": option})

    assert namespaces_of(cluster, scope) == namespaces


@pytest.mark.parametrize(
    ("options", "found", "detail"),
    [
        ({"namespaces": "prod"}, FoundAs(), "option namespaces must be a list of texts"),
        ({"max_bytes": 0}, FoundAs(), "option max_bytes must be a positive number"),
        ({}, FoundAs(label_selector="a=!b"), "label selector: 'a=!b' cannot be read"),
    ],
    ids=["namespaces", "max-bytes", "selector"],
)
def test_wrong_option_is_named(
    options: dict[str, Any], found: FoundAs, detail: str, server: ClusterServer, tmp_path: Path
) -> None:
    _, status = ask(server, tmp_path, scope_in(found_as={"cart": found}), **options)

    assert (status.status, status.detail) == ("unavailable", f"is set up wrongly: {detail}")
