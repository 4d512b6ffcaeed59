"""A shop in buckets of five minutes: telemetry for the tests of coarse excesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from correlation.telemetry import Direction, Series, Telemetry

STEP, START = 300.0, 60_000.0
BUCKETS = 60
TIMES = np.arange(START - BUCKETS * STEP, START + 3 * STEP, STEP)


def make_series(service: str, signal: str, usual: float, now: Sequence[float]) -> Series:
    """A healthy baseline that wanders by 1 %, then `now`, one value a bucket of the window."""
    direction: Direction = "both" if signal == "request_rate" else "up"
    values = usual * (1.0 + 0.01 * (np.arange(TIMES.size) % 3 - 1.0))
    values[TIMES >= START] = now
    return Series(service, signal, TIMES, values, direction)


def make_incident(
    latencies: Mapping[str, tuple[float, Sequence[float]]],
    volumes: Mapping[str, float],
    edges: Sequence[tuple[str, str]] = (),
) -> Telemetry:
    """`latencies` are (usual, values in the window) by service; `shop` is the affected one."""
    series = [make_series(name, "latency_mean", *pair) for name, pair in latencies.items()]
    series += [
        make_series(name, "request_rate", volume, (volume,) * 3) for name, volume in volumes.items()
    ]
    return Telemetry(
        target="shop",
        started_at=START + 10.0,
        as_of=START + 2.0 * STEP,
        baseline=(float(TIMES[0]), START),
        window=(START, START + 2.0 * STEP),
        series=tuple(series),
        edges=tuple(edges),
    )
