"""Pods, nodes and autoscalers as they come from the API, and what is told of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from correlation.cluster.limits import autoscaler_states, node_states
from correlation.cluster.objects import ServiceNames
from correlation.cluster.state import (
    place,
    pod_states,
    streak,
    troubles,
)
from correlation.sources import Scope
from tests.correlation.cluster_server import items

ONSET = 1_795_305_900.0
NAMES = ServiceNames(Scope(None, ONSET, ONSET + 600))


def at(offset: float) -> str:
    """A Kubernetes time, in seconds from the onset."""
    return f"{datetime.fromtimestamp(ONSET + offset, UTC):%Y-%m-%dT%H:%M:%SZ}"


def container(name: str = "app", **columns: Any) -> dict[str, Any]:
    return {"name": name, "ready": False, "restartCount": 0, "state": {}, "lastState": {}} | columns


def waiting(reason: str, message: str = "", **columns: Any) -> dict[str, Any]:
    return container(state={"waiting": {"reason": reason, "message": message}}, **columns)


def ended(code: int, reason: str, started: float, finished: float) -> dict[str, Any]:
    return {
        "terminated": {
            "exitCode": code,
            "reason": reason,
            "startedAt": at(started),
            "finishedAt": at(finished),
        }
    }


def pod(name: str = "cart-5d4f8c7b9-abcde", started: float = -90_000.0, **status: Any) -> Any:
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "creationTimestamp": at(started),
            "labels": {"app": "cart", "pod-template-hash": "5d4f8c7b9"},
            "ownerReferences": [
                {"kind": "ReplicaSet", "name": "cart-5d4f8c7b9", "controller": True}
            ],
        },
        "spec": {"nodeName": "node-1"},
        "status": {"phase": "Running", "startTime": at(started)} | status,
    }


def conditions(kind: str, status: str, since: float, reason: str = "") -> list[dict[str, Any]]:
    row = {"type": kind, "status": status, "lastTransitionTime": at(since)}
    return [row | ({"reason": reason, "message": "why"} if reason else {})]


TROUBLES = {
    "healthy": (pod(conditions=conditions("Ready", "True", -90_000)), []),
    "done": (pod(phase="Succeeded", containerStatuses=[container()]), []),
    "image": (
        pod(started=-30, containerStatuses=[waiting("ImagePullBackOff")]),
        [("ImagePullBackOff", -30, 1)],
    ),
    "config": (
        pod(started=-30, containerStatuses=[waiting("CreateContainerConfigError")]),
        [("CreateContainerConfigError", -30, 1)],
    ),
    "init": (
        pod(
            phase="Pending",
            started=-30,
            initContainerStatuses=[
                waiting(
                    "CrashLoopBackOff",
                    "back-off 10s restarting failed container",
                    restartCount=1,
                    lastState=ended(2, "Error", 10, 20),
                )
            ],
            containerStatuses=[waiting("PodInitializing")],
        ),
        [
            ("CrashLoopBackOff", 20, 1),
            ("Error", 20, 1),
            ("PodInitializing", -30, 1),
        ],
    ),
    "creating": (
        pod(started=-30, containerStatuses=[waiting("ContainerCreating")]),
        [("ContainerCreating", -30, 1)],
    ),
    "creating-not-long": (pod(started=560, containerStatuses=[waiting("ContainerCreating")]), []),
    "oom-once-and-back": (
        pod(
            containerStatuses=[
                container(
                    restartCount=1,
                    state={"running": {"startedAt": at(31)}},
                    lastState=ended(137, "OOMKilled", -80_000, 30),
                )
            ],
            conditions=conditions("Ready", "True", 40),
        ),
        [("OOMKilled", 30, 1)],
    ),
    "ended-now": (
        pod(containerStatuses=[container(state=ended(1, "Error", -50_000, 590))]),
        [("Error", 590, 1)],
    ),
    "ended-well": (
        pod(containerStatuses=[container(state=ended(0, "Completed", -50_000, 590))]),
        [],
    ),
    "cannot-run": (
        pod(
            started=-9, containerStatuses=[container(state=ended(127, "ContainerCannotRun", 0, 0))]
        ),
        [("ContainerCannotRun", 0, 1)],
    ),
    "not-ready": (
        pod(conditions=conditions("Ready", "False", 50, "ContainersNotReady")),
        [("NotReady", 50, 1)],
    ),
    "settling": (
        pod(started=590, conditions=conditions("Ready", "False", 590, "ContainersNotReady")),
        [],
    ),
    "unschedulable": (
        pod(phase="Pending", conditions=conditions("PodScheduled", "False", 60, "Unschedulable")),
        [("Unschedulable", 60, 1)],
    ),
    "evicted": (
        pod(
            phase="Failed",
            reason="Evicted",
            message="The node was low on resource: memory",
            conditions=conditions("DisruptionTarget", "True", 70),
        ),
        [("Evicted", 70, 1)],
    ),
    "broken-for-days": (
        pod(
            containerStatuses=[
                waiting(
                    "CrashLoopBackOff",
                    "back-off 5m0s restarting failed container",
                    restartCount=280,
                    lastState=ended(1, "Error", 498, 500),
                )
            ]
        ),
        [("CrashLoopBackOff", -82_568, 280), ("Error", -82_568, 280)],
    ),
}


@pytest.mark.parametrize(("one", "expected"), TROUBLES.values(), ids=TROUBLES.keys())
def test_troubles_of_a_pod(one: Any, expected: list[tuple[str, float, int]]) -> None:
    found = troubles(one, ONSET + 600)

    assert [(t.reason, round(t.at - ONSET), t.count) for t in found] == expected


def test_pod_that_is_being_deleted_has_no_troubles() -> None:
    leaving = pod(containerStatuses=[container(state=ended(143, "Error", -50_000, 590))])
    leaving["metadata"]["deletionTimestamp"] = at(620)

    assert troubles(leaving, ONSET + 600) == []


@pytest.mark.parametrize(
    ("last", "restarts", "message", "expected"),
    [
        (ended(1, "Error", 90, 95), 0, "", (1, 95)),
        (ended(1, "Error", 90, 95), 2, "back-off 10s restarting", (1, 95)),
        (ended(1, "Error", 90, 95), 9, "back-off 40s restarting", (3, 55)),
        (ended(1, "Error", -700, 95), 9, "", (1, 95)),
        (ended(1, "Error", 90, 95), 3, "", (3, 55)),
        (ended(1, "Error", 90, 95), 30, "", (30, -1000)),
        ({}, 4, "", (4, -1000)),
    ],
    ids=["first", "named", "third", "ran-long", "unnamed", "since-birth", "unknown"],
)
def test_streak_of_crashes_is_counted_back(
    last: dict[str, Any], restarts: int, message: str, expected: tuple[int, float]
) -> None:
    crashes, began = streak(last.get("terminated", {}), restarts, message, ONSET - 1000)

    assert (crashes, round(began - ONSET)) == expected


def test_recorded_crash_loop_is_told_with_where_to_look() -> None:
    states = pod_states(place(items("pods_by_label"), NAMES, ONSET + 600), ONSET - 900)

    by_reason = {state.reason: state for state in states}
    killed = by_reason["OOMKilled"]
    assert set(by_reason) == {"CrashLoopBackOff", "OOMKilled"}
    assert (killed.service, killed.workload, killed.count) == (
        "payment-processing", "payment-processing", 4,
    )  # fmt: skip
    assert abs(killed.at - (ONSET + 95)) < 10
    assert dict(killed.attributes) == {
        "namespace": "prod",
        "pod": "payment-processing-7f8b6c4d9e-x2k4q",
        "pods": "payment-processing-7f8b6c4d9e-x2k4q",
        "container": "payment-processing",
        "exit_code": "137",
        "node": "node-1",
        "memory_limit": "512Mi",
    }


def test_recorded_staging_pods_are_told() -> None:
    states = pod_states(place(items("pods_staging"), NAMES, ONSET + 600), ONSET - 900)

    assert {(state.reason, state.message) for state in states} == {
        ("ImagePullBackOff", "Back-off pulling image"),
        ("Unschedulable", "0/1 nodes are available: 1 Insufficient memory."),
    }


def test_new_trouble_stands_out_of_an_old_one() -> None:
    old = pod("cart-5d4f8c7b9-aaaaa", containerStatuses=[waiting("ImagePullBackOff")])
    new = pod("cart-5d4f8c7b9-bbbbb", 30.0, containerStatuses=[waiting("ImagePullBackOff")])

    (state,) = pod_states(place([old, new], NAMES, ONSET + 600), ONSET - 900)

    assert (state.at, state.count) == (ONSET + 30, 1)
    assert dict(state.attributes)["pods"] == "cart-5d4f8c7b9-aaaaa, cart-5d4f8c7b9-bbbbb"


def test_healthy_workload_is_running() -> None:
    (state,) = pod_states(place([pod(), pod("cart-5d4f8c7b9-bbbbb")], NAMES, ONSET), ONSET - 900)

    assert (state.reason, state.count, state.message) == (
        "Running", 2, "2 of 2 pods without trouble",
    )  # fmt: skip


def test_recorded_healthy_node_says_nothing() -> None:
    placed = place(items("pods_by_label"), NAMES, ONSET)

    assert node_states(items("nodes"), placed) == []


def test_node_in_trouble_is_told_to_whom_it_hosts() -> None:
    elsewhere = pod("cart-5d4f8c7b9-bbbbb")
    elsewhere["spec"]["nodeName"] = "node-2"
    placed = place([pod(), elsewhere], NAMES, ONSET)
    node = {
        "metadata": {"name": "node-1", "creationTimestamp": at(-90_000)},
        "status": {
            "conditions": [
                *conditions("Ready", "Unknown", 20, "NodeStatusUnknown"),
                *conditions("DiskPressure", "True", 10, "KubeletHasDiskPressure"),
                *conditions("MemoryPressure", "False", -90_000, "Fine"),
            ]
        },
    }

    states = node_states([node], placed)

    assert [(s.service, s.workload, s.reason, s.at - ONSET, s.message) for s in states] == [
        ("cart", "node-1", "NodeNotReady", 20, "why; 1 of 2 pods of cart run there"),
        ("cart", "node-1", "DiskPressure", 10, "why; 1 of 2 pods of cart run there"),
    ]


@pytest.mark.parametrize(
    ("spec", "status", "told"),
    [
        ({"minReplicas": 1, "maxReplicas": 5}, {"currentReplicas": 5}, True),
        ({"minReplicas": 1, "maxReplicas": 5}, {"currentReplicas": 4}, False),
        ({"minReplicas": 5, "maxReplicas": 5}, {"currentReplicas": 5}, False),
        (
            {"minReplicas": 1, "maxReplicas": 5},
            {
                "currentReplicas": 4,
                "conditions": conditions("ScalingLimited", "True", 30, "TooManyReplicas"),
            },
            True,
        ),
        (
            {"minReplicas": 1, "maxReplicas": 5},
            {
                "currentReplicas": 1,
                "conditions": conditions("ScalingLimited", "True", 30, "TooFewReplicas"),
            },
            False,
        ),
    ],
    ids=["full", "room", "fixed", "limited", "at-minimum"],
)
def test_autoscaler_at_its_maximum_is_told(
    spec: dict[str, Any], status: dict[str, Any], told: bool
) -> None:
    one = {
        "metadata": {"name": "cart-hpa", "namespace": "shop", "creationTimestamp": at(-90_000)},
        "spec": spec | {"scaleTargetRef": {"kind": "Deployment", "name": "cart"}},
        "status": {"lastScaleTime": at(30)} | status,
    }

    states = autoscaler_states([one], lambda namespace, workload: workload)

    assert [(s.service, s.reason, s.at - ONSET) for s in states] == (
        [("cart", "AutoscalerAtMaximum", 30)] if told else []
    )
