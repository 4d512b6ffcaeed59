"""A fault that follows another within a minute: its own service, not the earlier one's."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from correlation.ranking import rank
from lab.faults import FAULTS
from lab.logstore import LogStore
from lab.simulation import Simulation
from lab.tsdb import Tsdb
from tests.correlation import lab_incidents as lab

HEALTHY_SECONDS, FIRST_SECONDS, PAUSE_SECONDS, SECOND_SECONDS = 1430.0, 24.0, 46.0, 30.0
LEAD_SECONDS = 20.0
"""What scope._lead leaves of the look-back while the earlier alert has not been seen to end."""


@cache
def recorded(first: str, second: str) -> lab.Recorded:
    begun = lab.END - SECOND_SECONDS
    start = begun - PAUSE_SECONDS - FIRST_SECONDS - HEALTHY_SECONDS
    tsdb, logs = Tsdb(), LogStore()
    simulation = Simulation(301, start, tsdb, logs)
    simulation.fast_forward(begun - PAUSE_SECONDS - FIRST_SECONDS)
    simulation.start_fault(FAULTS[first])
    simulation.fast_forward(begun - PAUSE_SECONDS)
    simulation.stop_fault(first)
    simulation.fast_forward(begun)
    simulation.start_fault(FAULTS[second])
    simulation.fast_forward(lab.END)
    return lab.Recorded(
        tuple(lab._series(tsdb, start, 1.0, 20.0)),
        tuple(lab._lines(logs)),
        begun,
        FAULTS[second],
    )


@pytest.mark.parametrize("since", [7.2, 8.4, 9.5, 14.0])
def test_crash_loop_after_an_exhausted_pool_is_named(since: float) -> None:
    seen = lab.telemetry_at(
        recorded("pool-exhaustion", "crash-loop"), since, detected_after=5.0, target="inventory"
    )
    begin = seen.started_at - LEAD_SECONDS
    # the product's grid: every five seconds back from the newest whole second
    on_grid = [(one, np.floor(seen.as_of) - one.times) for one in seen.series]
    thinned = tuple(
        replace(one, times=one.times[at], values=one.values[at])
        for one, ago in on_grid
        if (at := np.isclose(ago % 5, 0)).any()
    )
    seen = replace(
        seen,
        series=thinned,
        baseline=(seen.baseline[0], begin),
        window=(begin, seen.as_of),
        log_window_seconds=seen.as_of - begin,
    )

    ranking = rank(seen)

    assert ranking.causes[0].service == "inventory"
    assert ranking.causes[0].kind == "crash_loop"
    assert ranking.causes[0].confidence >= 0.6
