from __future__ import annotations

import numpy as np
import pytest

from correlation.evidence import REPORTED, Movement, movements
from correlation.metrics.recurrence import is_due
from correlation.telemetry import Series, Telemetry

START = 1_800_000_000.0
PERIOD, RUN = 600.0, 90.0


def job(
    minutes: float, step: float, phase: float, fault: tuple[float, float] = (0.0, 0.0)
) -> Movement:
    """CPU of a service with a job of RUN seconds every PERIOD, `phase` seconds after START; a
    baseline of so many minutes, five minutes of incident, a fault from, until (after START)."""
    times = np.arange(START - 60.0 * minutes, START + 300.0 + 1e-6, step)
    wander = 0.01 * np.random.default_rng(3).standard_normal(times.size)
    running = (times - START - phase) % PERIOD < RUN
    failing = (times >= START + fault[0]) & (times < START + fault[1])
    values = 0.2 + wander + 1.5 * (running | failing)
    telemetry = Telemetry(
        target="shop",
        started_at=START,
        as_of=START + 300.0,
        baseline=(float(times[0]), START - 60.0),
        window=(START - 60.0, START + 300.0),
        series=(Series("shop", "cpu", times, values, "up", "cores"),),
    )
    return movements(telemetry)["shop", "cpu", None]


@pytest.mark.parametrize(
    ("minutes", "step"),
    [(30.0, 15.0), (30.0, 30.0), (45.0, 60.0), (60.0, 15.0), (60.0, 60.0), (180.0, 30.0)],
)
@pytest.mark.parametrize("phase", [0.0, 60.0, 150.0, 270.0, 400.0, 540.0])
def test_a_job_that_is_due_is_no_evidence(minutes: float, step: float, phase: float) -> None:
    assert job(minutes, step, phase).confidence < REPORTED


def test_a_fault_that_outlasts_the_job_counts_in_full() -> None:
    found = job(60.0, 15.0, 60.0, fault=(60.0, 300.0))

    assert found.effect is not None
    assert (found.confidence > 0.8, found.effect.recurrence) == (True, 0.0)


def test_a_run_that_is_not_due_counts_for_more_than_one_that_is() -> None:
    due, early = job(60.0, 15.0, 60.0), job(60.0, 15.0, 400.0, fault=(60.0, 150.0))

    assert due.confidence < 0.15 < 0.4 < early.confidence


@pytest.mark.parametrize(
    ("starts", "at", "due"),
    [
        ([0.0, 600.0, 1200.0], 1800.0, True),
        ([0.0, 610.0, 1195.0], 1830.0, True),
        ([0.0, 600.0, 1200.0], 3000.0, True),
        ([0.0, 600.0, 1200.0], 1500.0, False),
        ([0.0, 600.0, 1200.0], 1210.0, False),
        ([0.0, 300.0, 1200.0], 1800.0, False),
        ([0.0, 30.0, 60.0], 90.0, False),
        ([0.0, 600.0], 1200.0, True),
        ([0.0, 150.0], 300.0, False),
    ],
)
def test_a_run_is_due_a_period_after_evenly_spaced_ones(
    starts: list[float], at: float, due: bool
) -> None:
    assert is_due(np.array(starts), at, 15.0) is due
