"""A running Kubernetes API read with KUBECONFIG; seeded through KUBECONFIG_SEED when that is set.

What is seeded stands in a namespace of its own, which is deleted afterwards: a Deployment with two
ReplicaSets, a pod that no scheduler takes whose status says that it crashes, and an event.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from kubernetes import client as official
from kubernetes import config

from correlation.backends.kubernetes import KubernetesApi
from correlation.gather import gather
from correlation.sources import FoundAs, Scope, Source
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from tests.live.servers import needs

pytestmark = needs("KUBECONFIG")
SERVICE = "payments"


def make_source() -> Source:
    return Source(
        "kubernetes", "kubernetes", "", kubeconfig=os.environ["KUBECONFIG"], timeout_seconds=20
    )


@pytest.fixture
def api() -> KubernetesApi:
    return KubernetesApi(make_source())


def test_version_is_told(api: KubernetesApi, deadline: Deadline) -> None:
    assert api.version(deadline)


def test_permission_is_answered_for_what_is_read(api: KubernetesApi, deadline: Deadline) -> None:
    namespace = api.own_namespace()

    verdict = api.can_i("list", "pods", namespace, deadline)

    path = f"/api/v1/namespaces/{namespace}/pods"
    if verdict.allowed:
        assert api.list(path, deadline).requests >= 1
    else:
        with pytest.raises(BackendError) as caught:
            api.list(path, deadline)
        assert caught.value.status == 403
        assert "pods" in caught.value.detail


def test_namespaces_are_listed_or_refused_by_name(api: KubernetesApi, deadline: Deadline) -> None:
    if api.can_i("list", "namespaces", "", deadline).allowed:
        assert api.namespaces(deadline)
        return

    with pytest.raises(BackendError) as caught:
        api.namespaces(deadline)

    assert caught.value.status == 403
    assert "namespaces" in caught.value.detail


def test_unknown_resource_is_not_found(api: KubernetesApi, deadline: Deadline) -> None:
    with pytest.raises(BackendError) as caught:
        api.list("/apis/nosuch.example.com/v1/things", deadline)

    assert caught.value.status in (403, 404)


def test_gathering_reads_the_cluster_or_names_what_it_may_not(api: KubernetesApi) -> None:
    now = time.time()

    _, statuses = gather(Scope(None, now - 60, now), [make_source()], 30)

    assert statuses[0].status in ("ok", "no_data", "partial"), statuses[0].detail
    assert statuses[0].status != "partial" or "may not" in statuses[0].detail


@dataclass(frozen=True)
class Cluster:
    core: Any
    apps: Any
    namespace: str


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A namespace with a rollout and a crashing pod, written by KUBECONFIG_SEED."""
    path = os.environ.get("KUBECONFIG_SEED")
    if not path:
        pytest.skip("live: KUBECONFIG_SEED is not set")
    with config.new_client_from_config(path) as writer:
        core, apps = official.CoreV1Api(writer), official.AppsV1Api(writer)
        name = f"studio-live-{uuid.uuid4().hex[:8]}"
        core.create_namespace({"metadata": {"name": name}})
        try:
            seed(Cluster(core, apps, name))
            yield Cluster(core, apps, name)
        finally:
            with suppress(official.ApiException):  # without controllers it is not emptied for us
                core.delete_collection_namespaced_pod(name, grace_period_seconds=0)
                apps.delete_collection_namespaced_deployment(name)
                apps.delete_collection_namespaced_replica_set(name)
                core.delete_collection_namespaced_event(name)
            core.delete_namespace(name)


def seed(cluster: Cluster) -> None:
    space, labels = cluster.namespace, {"app": SERVICE}
    with suppress(official.ApiException):  # a controller makes it, where there is one
        cluster.core.create_namespaced_service_account(space, {"metadata": {"name": "default"}})
    deployment = cluster.apps.create_namespaced_deployment(
        space,
        {
            "metadata": {"name": SERVICE, "labels": labels},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": template(labels, "v1"),
            },
        },
    )
    owner = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": SERVICE, "controller": True,
         "uid": deployment.metadata.uid}
    ]  # fmt: skip
    for revision, image in (("1", "v1"), ("2", "v2")):
        hashed = {**labels, "pod-template-hash": f"live{revision}"}
        cluster.apps.create_namespaced_replica_set(
            space,
            {
                "metadata": {
                    "name": f"{SERVICE}-live{revision}",
                    "labels": hashed,
                    "ownerReferences": owner,
                    "annotations": {"deployment.kubernetes.io/revision": revision},
                },
                "spec": {
                    "replicas": 0,
                    "selector": {"matchLabels": hashed},
                    "template": template(hashed, image),
                },
            },
        )
        time.sleep(1.1)  # creation times are whole seconds
    pod = f"{SERVICE}-live-x2k4q"
    cluster.core.create_namespaced_pod(
        space,
        {
            "metadata": {"name": pod, "labels": labels},
            "spec": {
                "schedulerName": "nobody",
                "automountServiceAccountToken": False,
                "containers": [{"name": SERVICE, "image": "example.com/payments:v2"}],
            },
        },
    )
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    cluster.core.patch_namespaced_pod_status(
        pod,
        space,
        {
            "status": {
                "phase": "Running",
                "containerStatuses": [
                    {
                        "name": SERVICE,
                        "image": "example.com/payments:v2",
                        "imageID": "",
                        "ready": False,
                        "restartCount": 4,
                        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                        "lastState": {
                            "terminated": {"exitCode": 137, "reason": "OOMKilled",
                                           "startedAt": now, "finishedAt": now}
                        },
                    }
                ],
            }
        },
    )  # fmt: skip
    cluster.core.create_namespaced_event(
        space,
        {
            "metadata": {"name": f"{pod}.live"},
            "involvedObject": {"kind": "Pod", "name": pod, "namespace": space, "apiVersion": "v1"},
            "reason": "BackOff",
            "message": "Back-off restarting failed container",
            "type": "Warning",
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 4,
        },
    )


def template(labels: dict[str, str], image: str) -> dict[str, Any]:
    container = {"name": SERVICE, "image": f"example.com/payments:{image}"}
    return {"metadata": {"labels": labels}, "spec": {"containers": [container]}}


def test_gathering_sees_the_crash_and_the_rollout(cluster: Cluster) -> None:
    now = time.time()
    scope = Scope(
        SERVICE,
        started_at=now - 60,
        as_of=now + 5,
        services=frozenset({SERVICE, "other"}),
        found_as={SERVICE: FoundAs(namespace=cluster.namespace, label_selector=f"app={SERVICE}")},
    )

    telemetry, statuses = gather(scope, [make_source()], 30)

    assert statuses[0].status in ("ok", "partial"), statuses[0].detail
    assert {"CrashLoopBackOff", "OOMKilled"} & {
        state.reason for state in telemetry.workloads if state.service == SERVICE
    }
    assert [change.service for change in telemetry.changes][:1] == [SERVICE]


def test_pods_of_a_namespace_are_listed(
    cluster: Cluster, api: KubernetesApi, deadline: Deadline
) -> None:
    listed = api.list(f"/api/v1/namespaces/{cluster.namespace}/pods", deadline)

    assert [pod["metadata"]["name"] for pod in listed.items] == [f"{SERVICE}-live-x2k4q"]
