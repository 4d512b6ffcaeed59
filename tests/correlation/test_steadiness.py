"""Silence while nothing has moved, a cause as soon as it has, and evidence worth reading first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from correlation.calibration import shipped
from correlation.ranking import UNCORROBORATED, rank, weigh
from correlation.telemetry import Change
from tests.correlation.incidents import START, healthy, incident
from tests.correlation.lab_incidents import custom, record, telemetry_at


def test_incident_opened_with_its_fault_is_inconclusive_first_and_solved_by_the_repeats() -> None:
    fault = custom(service="checkout", error_rate=0.5, response_time_ms=2000.0)
    recorded = record(fault, 104, healthy_seconds=900.0, rate_window=20.0)

    rankings = [
        rank(telemetry_at(recorded, since, detected_after=0.0, target="checkout"))
        for since in (0.0, 1.0, 2.0, 15.0, 30.0, 60.0)
    ]

    assert [found.inconclusive for found in rankings] == [True] * 3 + [False] * 3
    assert [found.causes[0].service for found in rankings[3:]] == ["checkout"] * 3
    assert [found.missing[0] for found in rankings[:3]] == [
        "telemetry after the incident start is only 0 s old"
    ] * 3


def test_new_error_lines_alone_do_not_convict_before_metrics_had_the_time_to_move() -> None:
    """The caller complains at once; the slow service it waits for says nothing."""
    recorded = record(
        custom(service="redis", response_time_ms=3000.0), 105, healthy_seconds=900.0,
        rate_window=20.0,
    )  # fmt: skip

    early, later = (
        rank(telemetry_at(recorded, since, detected_after=0.0, target="redis"))
        for since in (2.0, 15.0)
    )

    assert early.inconclusive is True
    assert early.causes[0].confidence <= UNCORROBORATED
    assert (later.inconclusive, later.causes[0].service) == (False, "redis")


def test_error_lines_stand_for_themselves_where_there_are_no_metrics() -> None:
    telemetry = replace(incident("code", since=10.0), series=())

    found = rank(telemetry)

    said = shipped().probability(weigh(telemetry).features)
    assert (found.causes[0].service, found.causes[0].confidence) == ("cart", round(said, 4))
    assert found.sureness is not None
    assert "the metrics have not confirmed it yet" not in found.sureness["held_back"]


@pytest.mark.parametrize("target", ["frontend", "payment", "redis"])
def test_incident_amid_healthy_telemetry_is_inconclusive_and_says_why(target: str) -> None:
    found = rank(replace(healthy(seed=8, since=120.0), target=target))

    assert (found.inconclusive, found.causes) == (True, ())
    assert found.missing == ("no signal left its usual range",)


def test_rank_without_any_source_blames_nobody_for_a_fresh_deploy() -> None:
    telemetry = replace(
        incident("deploy"), series=(), logs=(), workloads=(),
        changes=(Change("d-2", "checkout", "deploy", START - 15.0, "checkout v2.4.1"),),
        missing=("Prometheus unavailable: refused", "Loki unavailable: refused"),
    )  # fmt: skip

    found = rank(telemetry)

    assert (found.inconclusive, found.causes) == (True, ())
    assert found.missing == (
        "Prometheus unavailable: refused",
        "Loki unavailable: refused",
        "no signal left its usual range",
    )


@pytest.mark.parametrize(
    ("fault", "seed"),
    [("pool-exhaustion", 101), ("crash-loop", 102), ("slow-database", 103), ("error-deploy", 104)],
)
def test_the_culprits_own_signals_are_among_the_strongest_five(fault: str, seed: int) -> None:
    recorded = record(fault, seed, healthy_seconds=900.0, rate_window=20.0)
    assert recorded.fault is not None
    culprit = recorded.fault.service

    for since in (20.0, 60.0):
        first_five = rank(telemetry_at(recorded, since, target="frontend")).evidence[:5]

        assert sum(culprit in (item.service, item.peer) for item in first_five) >= 2
