"""The lab's four faults, read through the product's queries: the true service comes first."""

from __future__ import annotations

import pytest

from correlation.ranking import rank
from tests.correlation.lab_incidents import record, telemetry_at

MOMENTS = (20.0, 25.0, 60.0, 120.0)


@pytest.mark.parametrize(
    ("fault", "seed"),
    [("pool-exhaustion", 11), ("crash-loop", 12), ("slow-database", 13), ("error-deploy", 14)],
)
def test_rank_names_the_lab_fault_soon_and_later(fault: str, seed: int) -> None:
    recorded = record(fault, seed, healthy_seconds=900.0)
    assert recorded.fault is not None

    rankings = [rank(telemetry_at(recorded, since)) for since in MOMENTS]

    truth = (recorded.fault.service, recorded.fault.kind, False)
    assert [
        (found.causes[0].service, found.causes[0].kind, found.inconclusive) for found in rankings
    ] == [truth] * len(MOMENTS)


def test_rank_is_inconclusive_about_a_healthy_lab() -> None:
    recorded = record(None, 15, healthy_seconds=900.0)

    rankings = [rank(telemetry_at(recorded, since)) for since in MOMENTS]

    assert [found.inconclusive for found in rankings] == [True] * len(MOMENTS)
