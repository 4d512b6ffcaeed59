from __future__ import annotations

from typing import Any

import pytest

from correlation.cluster.objects import ServiceNames, epoch, replica_set_of_pod, workload_of
from correlation.sources import FoundAs, Scope

ONSET = 1_795_305_900.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-22T00:05:00Z", ONSET),
        ("2026-11-22T00:05:00.250000Z", ONSET + 0.25),
        ("2026-11-22T00:05:00.250000000Z", ONSET + 0.25),
        ("2026-11-22T01:05:00+01:00", ONSET),
        (None, None),
        ("", None),
        ("soon", None),
    ],
)
def test_epoch_reads_kubernetes_times(text: object, seconds: float | None) -> None:
    assert epoch(text) == seconds


@pytest.mark.parametrize(
    ("kind", "name", "workload"),
    [
        ("ReplicaSet", "cart-5d4f8c7b9", "cart"),
        ("StatefulSet", "postgres", "postgres"),
        ("DaemonSet", "agent", "agent"),
        ("Job", "report-28999100", "report"),
        ("Job", "import", "import"),
        ("", "", "lonely"),
    ],
)
def test_workload_of_a_pod(kind: str, name: str, workload: str) -> None:
    owners = [{"kind": kind, "name": name, "controller": True}] if kind else []
    pod: dict[str, Any] = {
        "metadata": {
            "name": "lonely",
            "labels": {"pod-template-hash": "5d4f8c7b9"},
            "ownerReferences": owners,
        }
    }

    assert workload_of(pod) == workload


@pytest.mark.parametrize(
    ("pod", "owner"),
    [("cart-5d4f8c7b9-x2k4q", "cart-5d4f8c7b9"), ("postgres-0", "postgres"), ("pod", "pod")],
)
def test_replica_set_of_a_pod_that_is_gone(pod: str, owner: str) -> None:
    assert replica_set_of_pod(pod) == owner


FOUND = {
    "cart": FoundAs(),
    "bank": FoundAs(names={"kubernetes": ("ledger",)}, namespace="prod"),
    "till": FoundAs(label_selector="team=shop,part in (till, drawer)", namespace="prod"),
}


@pytest.mark.parametrize(
    ("namespace", "labels", "workload", "service"),
    [
        ("any", {"app": "cart"}, "whatever", "cart"),
        ("any", {"app.kubernetes.io/name": "chart", "app": "cart"}, "whatever", "cart"),
        ("any", {}, "cart", "cart"),
        ("prod", {"app": "ledger"}, "x", "bank"),
        ("staging", {"app": "ledger"}, "x", None),
        ("prod", {"team": "shop", "part": "drawer", "app": "cart"}, "x", "till"),
        ("staging", {"team": "shop", "part": "drawer", "app": "cart"}, "x", "cart"),
        ("any", {"k8s-app": "dns"}, "coredns", "dns"),
        ("any", {}, "coredns", "coredns"),
        ("any", {"app": "web", "app.kubernetes.io/name": "nginx"}, "cart", "cart"),
    ],
    ids=[
        "app", "first-known", "workload", "claimed", "namesake", "selector",
        "selector-elsewhere", "stranger", "stranger-without-labels", "known-workload",
    ],
)  # fmt: skip
def test_service_of_an_object(
    namespace: str, labels: dict[str, str], workload: str, service: str | None
) -> None:
    names = ServiceNames(Scope(None, ONSET, ONSET, found_as=FOUND))

    assert names.service_of(namespace, labels, workload) == service


def test_service_in_two_namespaces_is_noted() -> None:
    names = ServiceNames(Scope(None, ONSET, ONSET, found_as=FOUND))

    notes = names.spread([("cart", "prod"), ("cart", "staging"), ("dns", "a"), ("dns", "b")])

    assert notes == (
        "cart is in the namespaces prod, staging: name the right one in the catalogue",
    )
