from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from correlation.evidence import movements
from correlation.excess import own_excess
from correlation.telemetry import Direction, Series, Telemetry

STEP, START = 300.0, 30_000.0
TIMES = np.arange(START - 20 * STEP, START + 2 * STEP, STEP)


def make_series(service: str, signal: str, usual: float, now: float) -> Series:
    direction: Direction = "both" if signal == "request_rate" else "up"
    values = np.where(TIMES >= START, now, usual * (1.0 + 0.01 * (np.arange(TIMES.size) % 3)))
    return Series(service, signal, TIMES, values, direction)


def make_incident(latencies: dict[str, tuple[float, float]]) -> Telemetry:
    series = [make_series(name, "latency_mean", *pair) for name, pair in latencies.items()]
    series += [make_series(name, "request_rate", 3.0, 3.0) for name in latencies]
    return Telemetry(
        target="shop",
        started_at=START,
        as_of=START + STEP,
        baseline=(float(TIMES[0]), START),
        window=(START, START + STEP),
        series=tuple(series),
        edges=(("shop", "cart"), ("cart", "store"), ("shop", "mail")),
    )


LATENCIES = {"shop": (0.2, 0.6), "cart": (0.1, 0.5), "store": (0.01, 0.41), "mail": (0.1, 0.1)}


def test_own_excess_is_what_callees_do_not_add() -> None:
    telemetry = make_incident(LATENCIES)

    found = own_excess(telemetry, movements(telemetry))

    assert max(found, key=lambda name: found[name]) == "store"
    assert found["shop"] == pytest.approx(0.0, abs=0.01)
    assert found["mail"] == 0.0


def test_own_excess_lies_with_the_caller_of_a_dependency_never_seen_before() -> None:
    telemetry = make_incident(LATENCIES)
    kept = [one for one in telemetry.series if one.service != "store"]
    late = make_series("store", "latency_mean", 0.01, 0.41)
    seen = replace(late, times=late.times[-2:], values=late.values[-2:])
    telemetry = replace(telemetry, series=(*kept, seen))

    found = own_excess(telemetry, movements(telemetry))

    assert max(found, key=lambda name: found[name]) == "cart"


def test_own_excess_says_nothing_of_fine_steps() -> None:
    telemetry = make_incident(LATENCIES)
    fine = tuple(replace(one, times=START + (one.times - START) / 30.0) for one in telemetry.series)

    found = movements(replace(telemetry, series=fine))

    assert own_excess(replace(telemetry, series=fine), found) == {}
