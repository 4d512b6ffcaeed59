from __future__ import annotations

from typing import Any

import pytest

from correlation.cluster.events import ClusterEvent, event_states, read, read_all
from tests.correlation.cluster.test_state import ONSET, at
from tests.correlation.cluster_server import items


def event(reason: str, first: float, last: float, count: int = 1, **columns: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "e", "namespace": "shop", "creationTimestamp": at(first)},
        "involvedObject": {"kind": "Pod", "name": "cart-1", "namespace": "shop"},
        "reason": reason,
        "message": "why",
        "type": "Warning",
        "firstTimestamp": at(first),
        "lastTimestamp": at(last),
        "count": count,
        **columns,
    }


def told(*objects: dict[str, Any]) -> list[tuple[str, float, int]]:
    """(reason, seconds from the onset, count) with a look-back of 900 s."""
    events = read_all(objects, ONSET - 900)
    states = event_states(events, ONSET - 900, lambda one: [("cart", "cart")])
    return [(state.reason, state.at - ONSET, state.count) for state in states]


def test_old_and_new_api_tell_the_same() -> None:
    old = [read(one) for one in items("events_all")]
    new = [read(one) for one in items("events_new_api")]

    assert old == new


def test_new_form_has_its_times_in_the_series() -> None:
    (one,) = [e for e in items("events_all") if e["reason"] == "OOMKilling"]

    found = read(one)

    assert found is not None
    assert (round(found.first - ONSET), round(found.last - ONSET), found.count) == (90, 561, 4)


def test_event_without_any_time_but_its_creation() -> None:
    bare = {"metadata": {"name": "e", "creationTimestamp": at(5)}, "firstTimestamp": None}

    found = read(bare)

    assert found is not None
    assert (found.first, found.last, found.count) == (ONSET + 5, ONSET + 5, 1)


def test_event_without_time_is_left_out() -> None:
    assert read({"metadata": {"name": "e"}}) is None


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (event("BackOff", 100, 200, 3), [("BackOff", 100, 3)]),
        (event("BackOff", -90_000, -2000, 3), []),
        (event("Unhealthy", -90_000, 200, 5000), [("Unhealthy", -90_000, 5000)]),
        (event("Pulled", 100, 200, type="Normal"), []),
        (event("Killing", 100, 200, type="Normal"), [("Stopping", 100, 1)]),
        (
            event(
                "Killing", 100, 200, type="Normal",
                message="Container app failed liveness probe, will be restarted",
            ),
            [("Killing", 100, 1)],
        ),
        (event("ScalingReplicaSet", 100, 100, type="Normal"), [("ScalingReplicaSet", 100, 1)]),
        (event("FailedScheduling", 100, 100), [("FailedScheduling", 100, 1)]),
        (event("SomethingNew", 100, 100), [("SomethingNew", 100, 1)]),
    ],
    ids=[
        "warning", "over", "chronic", "normal", "stopped", "killed", "scaled", "scheduling",
        "unheard-of",
    ],
)  # fmt: skip
def test_telling_events_are_told(
    one: dict[str, Any], expected: list[tuple[str, float, int]]
) -> None:
    assert told(one) == expected


def test_events_are_folded_with_their_counts() -> None:
    assert told(
        event("BackOff", 100, 200, 3),
        event("BackOff", 50, 300, 4),
        event("BackOff", -5000, 300, 900),
    ) == [("BackOff", 50, 7)]


def test_events_come_oldest_first() -> None:
    found = read_all([event("B", 10, 200), event("A", 10, 100)], ONSET)

    assert [one.reason for one in found] == ["A", "B"]
    assert isinstance(found[0], ClusterEvent)
