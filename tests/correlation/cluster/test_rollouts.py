from __future__ import annotations

import copy
from typing import Any

import pytest

from correlation.cluster.events import read_all
from correlation.cluster.rollouts import newest_revisions, rollouts, stuck_rollouts
from correlation.cluster.state import place
from correlation.telemetry import Change
from tests.correlation.cluster.test_events import event
from tests.correlation.cluster.test_state import NAMES, ONSET, at, pod
from tests.correlation.cluster_server import items

Objects = list[dict[str, Any]]


def replica_set(
    revision: int, created: float, image: str = "", replicas: int = 0, **annotations: str
) -> dict[str, Any]:
    template = f"hash{revision}"
    prefix = "deployment.kubernetes.io"
    extra = {f"{prefix}/{key.replace('_', '-')}": text for key, text in annotations.items()}
    container = {"name": "cart", "image": image or f"shop/cart:v{revision}"}
    return {
        "metadata": {
            "name": f"cart-{template}",
            "namespace": "shop",
            "uid": f"uid-{revision}",
            "creationTimestamp": at(created),
            "labels": {"app": "cart", "pod-template-hash": template},
            "annotations": {f"{prefix}/revision": str(revision), **extra},
            "ownerReferences": [{"kind": "Deployment", "name": "cart", "controller": True}],
        },
        "spec": {
            "replicas": replicas,
            "template": {
                "metadata": {"labels": {"app": "cart", "pod-template-hash": template}},
                "spec": {"containers": [container]},
            },
        },
        "status": {"replicas": replicas, "readyReplicas": replicas},
    }


def found_in(
    sets: Objects, pods: Objects | None = None, events: Objects | None = None
) -> list[Change]:
    """Changes of the hour before the onset until ten minutes after it."""
    since = ONSET - 3600
    placed = place(pods or [], NAMES, ONSET + 600)
    return rollouts(sets, placed, read_all(events or [], since), NAMES, since, ONSET + 600)


def test_recorded_rollout_is_a_deploy_with_its_diff() -> None:
    (change,) = found_in(items("replicasets"), items("pods_by_label"), items("events_all"))

    assert (change.service, change.kind, change.at - ONSET) == (
        "payment-processing",
        "deploy",
        -180,
    )
    assert change.title == "v2.4.0 -> v2.4.1 (revision 7)"
    assert change.ref == "1410aef5-a09e-4573-95f9-9c66bfb539b4"
    assert [line for line in change.diff.splitlines() if line[:1] in "+-"] == [
        "--- revision 6",
        "+++ revision 7",
        "-      value: '50'",
        "-    image: ghcr.example.com/shop/payment-processing:v2.4.0",
        "+      value: '10'",
        "+    image: ghcr.example.com/shop/payment-processing:v2.4.1",
    ]


def test_change_keeps_its_id() -> None:
    first, second = found_in(items("replicasets")), found_in(items("replicasets"))

    assert [change.id for change in first] == [change.id for change in second]


@pytest.mark.parametrize("created", [-3601.0, 601.0], ids=["earlier", "later"])
def test_rollout_outside_the_time_asked_is_left_out(created: float) -> None:
    assert found_in([replica_set(1, -90_000), replica_set(2, created)]) == []


def test_first_revision_is_no_change() -> None:
    assert found_in([replica_set(1, -60)]) == []


def test_two_rollouts_in_the_hour_are_both_told() -> None:
    sets = [replica_set(3, -60), replica_set(1, -90_000), replica_set(2, -600)]

    assert [(c.title, c.at - ONSET) for c in found_in(sets)] == [
        ("v2 -> v3 (revision 3)", -60),
        ("v1 -> v2 (revision 2)", -600),
    ]


def test_change_cause_is_part_of_the_title() -> None:
    new = replica_set(2, -60)
    new["metadata"]["annotations"]["kubernetes.io/change-cause"] = "faster checkout"

    (change,) = found_in([replica_set(1, -90_000), new])

    assert change.title == "v1 -> v2 (revision 2): faster checkout"


def test_rollback_is_dated_by_its_new_pods() -> None:
    old = replica_set(5, -90_000, revision_history="3")
    back = pod("cart-hash5-aaaaa", -45.0)
    back["metadata"]["ownerReferences"][0]["name"] = "cart-hash5"

    (change,) = found_in([old, replica_set(4, -5000)], [back])

    assert (change.at - ONSET, change.title) == (-45, "rolled back: v4 -> v5 (revision 5)")
    assert change.ref == "uid-5/5"


def test_rollback_is_dated_by_its_scaling_when_its_pods_are_not_known() -> None:
    sets = [replica_set(5, -90_000, revision_history="3"), replica_set(4, -5000)]
    scaled = event(
        "ScalingReplicaSet", -50, -40, type="Normal",
        involvedObject={"kind": "Deployment", "name": "cart", "namespace": "shop"},
        message="Scaled up replica set cart-hash5 from 0 to 1",
    )  # fmt: skip

    (change,) = found_in(sets, events=[scaled])

    assert (change.kind, change.at - ONSET) == ("deploy", -50)


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("Scaled down replica set cart-hash2 from 5 to 1", "scaled down: 5 -> 1 pods"),
        ("Scaled up replica set cart-hash2 to 9", "scaled up: to 9 pods"),
    ],
    ids=["new-wording", "old-wording"],
)
def test_scaling_alone_is_a_scale_change(message: str, title: str) -> None:
    scaled = event("ScalingReplicaSet", -90, -90, type="Normal", message=message)

    (change,) = found_in([replica_set(1, -90_000), replica_set(2, -80_000)], events=[scaled])

    assert (change.kind, change.title, change.at - ONSET) == ("scale", title, -90)


def test_scaling_of_a_rollout_is_not_told_twice() -> None:
    changes = found_in(items("replicasets"), events=items("events_scaling"))

    assert [change.kind for change in changes] == ["deploy"]


def stateful_pods() -> Objects:
    old = {
        "metadata": {
            "name": "db-0",
            "namespace": "shop",
            "creationTimestamp": at(-90_000),
            "labels": {"app": "db", "controller-revision-hash": "db-1"},
            "ownerReferences": [{"kind": "StatefulSet", "name": "db", "controller": True}],
        },
        "spec": {"containers": [{"name": "db", "image": "postgres:16"}]},
        "status": {"phase": "Running"},
    }
    new = copy.deepcopy(old)
    new["metadata"] |= {"name": "db-1", "creationTimestamp": at(-30)}
    new["metadata"]["labels"]["controller-revision-hash"] = "db-2"
    new["spec"]["containers"][0]["image"] = "postgres:17"
    return [old, new]


def test_rollout_of_a_stateful_set_is_seen_in_its_pods() -> None:
    (change,) = found_in([], stateful_pods())

    assert (change.service, change.kind, change.at - ONSET) == ("db", "deploy", -30)
    assert change.title == "16 -> 17 (StatefulSet db, 1 of 2 pods)"


def test_stateful_set_of_one_revision_has_not_changed() -> None:
    assert found_in([], stateful_pods()[1:]) == []


@pytest.mark.parametrize(
    ("ready", "old", "created", "told"),
    [(0, 2, -100.0, True), (0, 0, -100.0, False), (3, 2, -100.0, False), (0, 2, 300.0, False)],
    ids=["stuck", "nothing-old", "done", "young"],
)
def test_stuck_rollout_is_told(ready: int, old: int, created: float, told: bool) -> None:
    new = replica_set(2, created, replicas=3)
    new["status"]["readyReplicas"] = ready

    states = stuck_rollouts([replica_set(1, -90_000, replicas=old), new], NAMES, ONSET + 600)

    assert [(s.service, s.workload, s.reason) for s in states] == (
        [("cart", "cart", "RolloutStuck")] if told else []
    )


def test_newest_revisions_are_kept_and_those_with_pods() -> None:
    sets = [replica_set(n, -90_000, replicas=1 if n == 2 else 0) for n in range(1, 8)]

    kept = [one["metadata"]["name"] for one in newest_revisions(sets)]

    assert kept == ["cart-hash7", "cart-hash6", "cart-hash5", "cart-hash2"]
