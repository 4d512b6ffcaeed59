"""Evidence as the page shows it: bands within reason, titles that name their service."""

from __future__ import annotations

import pytest

from correlation.evidence import possible_band, workload_evidence
from correlation.ranking import rank
from correlation.telemetry import Telemetry, WorkloadState
from tests.correlation.incidents import FAULTS, START, incident


@pytest.mark.parametrize(
    ("low", "high", "centre", "unit", "expected"),
    [
        (-0.0161, 0.0161, 0.0, "ratio", (0.0, 0.0161)),
        (0.92, 1.08, 1.0, "ratio", (0.92, 1.0)),
        (1.1, 1.5, 1.3, "ratio", (1.1, 1.3)),
        (-0.201, 0.201, 0.0, "count", (0.0, 0.201)),
        (-0.5, 3.0, 1.0, "1/s", (0.0, 3.0)),
        (-0.001, 0.02, 0.01, "s", (0.0, 0.02)),
        (-5e6, 5e6, 0.0, "bytes", (0.0, 5e6)),
        (-4.0, 4.0, 0.0, "celsius", (-4.0, 4.0)),
    ],
)
def test_possible_band_ends_where_the_unit_does(
    low: float, high: float, centre: float, unit: str, expected: tuple[float, float]
) -> None:
    assert possible_band(low, high, centre, unit) == expected


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_usual_range_of_every_metric_is_possible_and_holds_its_baseline(fault: str) -> None:
    metrics = [item for item in rank(incident(fault)).evidence if item.type == "metric"]

    odd = [
        item.key
        for item in metrics
        if item.baseline is None
        or not 0.0 <= item.details["baseline_low"] <= item.baseline <= item.details["baseline_high"]
        or (item.unit == "ratio" and item.details["baseline_high"] > 1.0)
    ]
    assert (bool(metrics), odd) == (True, [])


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_title_begins_with_its_service(fault: str) -> None:
    evidence = rank(incident(fault)).evidence

    expected = [f"{e.service} to {e.peer}: " if e.peer else f"{e.service}: " for e in evidence]
    assert [e.title[: len(p)] for e, p in zip(evidence, expected, strict=True)] == expected


def test_workload_titles_name_service_workload_and_reason() -> None:
    state = WorkloadState("cart", "cart-7d9", "OOMKilled", START + 3.0, 2)

    found = workload_evidence(Telemetry(
        "cart", START, START + 60.0, (START - 900.0, START), (START, START + 60.0),
        workloads=(state,),
    ))  # fmt: skip

    assert [item.title for item in found] == ["cart: cart-7d9 OOMKilled (2 times)"]


def reported(*states: WorkloadState) -> list[tuple[str, float, dict[str, str]]]:
    """(signal, confidence, details) of each piece of evidence."""
    found = workload_evidence(
        Telemetry(
            target="cart", started_at=START, as_of=START + 60.0,
            baseline=(START - 600.0, START - 60.0), window=(START - 60.0, START + 60.0),
            workloads=states,
        )
    )  # fmt: skip
    return [(item.signal, item.confidence, item.details) for item in found]


def test_workload_evidence_says_where_to_look() -> None:
    where = (("pod", "cart-7d9-x2k4q"), ("exit_code", "137"))

    ((_, _, details),) = reported(
        WorkloadState("cart", "cart", "OOMKilled", START, 2, "killed", attributes=where)
    )

    assert details == {
        "pod": "cart-7d9-x2k4q", "exit_code": "137", "message": "killed", "workload": "cart",
    }  # fmt: skip


def test_workload_evidence_tells_a_reason_once() -> None:
    found = reported(
        WorkloadState("cart", "cart", "Evicted", START, 1, "from its pod"),
        WorkloadState("cart", "cart", "Evicted", START + 1.0, 4, "from an event"),
    )

    assert [(signal, details["message"]) for signal, _, details in found] == [
        ("Evicted", "from an event")
    ]


@pytest.mark.parametrize(
    ("reason", "at", "told"),
    [
        ("OOMKilled", START, True),
        ("NeverHeardOf", START, True),
        ("Running", START, False),
        ("ScalingReplicaSet", START, False),
        ("CrashLoopBackOff", START - 86_400.0, False),
        ("CrashLoopBackOff", START + 61.0, False),
    ],
    ids=["bad", "unheard-of", "healthy", "told-as-a-change", "old", "later"],
)
def test_workload_evidence_is_of_the_time_in_question(reason: str, at: float, told: bool) -> None:
    assert bool(reported(WorkloadState("cart", "cart", reason, at))) is told
