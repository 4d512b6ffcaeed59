"""Counters of three services as a Prometheus would have scraped them for days: noise by a seed,
an hour that fails, resets, gaps and scrapes that come late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lab.tsdb import Tsdb
from slos.burn import HOUR, MINUTE

SCRAPE = 30.0
END = 1_800_000_000.0
Floats = NDArray[np.float64]

REQUESTS_A_SECOND = {"payments": 40.0, "orders": 9.0, "search": 0.4}
RESETS = {"payments": (70 * HOUR, 30 * HOUR + 77), "orders": (2.2 * HOUR,), "search": ()}
"""Seconds before the end at which the first pod of a service starts anew."""
GAPS: Mapping[str, Sequence[tuple[float, float]]] = {
    "payments": (),
    "orders": ((20 * HOUR, 10 * MINUTE), (40 * HOUR, 35 * MINUTE)),
    "search": ((5.5 * HOUR, 4 * MINUTE),),
}
"""(seconds before the end, length): no scrape of the service succeeded."""
FAILING = ((26 * HOUR, 40 * MINUTE), (3 * HOUR, 12 * MINUTE), (2 * MINUTE, 2 * MINUTE))
"""(seconds before the end, length): a fifth of the requests fails and is slow."""


def scraped(seconds: float) -> Tsdb:
    """The `seconds` before END, two pods a service, one scrape each SCRAPE seconds."""
    chance = np.random.default_rng(7)
    tsdb = Tsdb(retention_seconds=2 * seconds)
    for number, service in enumerate(REQUESTS_A_SECOND):
        for pod in range(2):
            offset = 3.7 + 7.1 * (2 * number + pod)
            times = np.arange(END - seconds + offset, END, SCRAPE)
            _pod(tsdb, chance, service, f"{service}-{pod}", times)
    return tsdb


def _pod(tsdb: Tsdb, chance: np.random.Generator, service: str, pod: str, times: Floats) -> None:
    late = np.where(chance.random(len(times)) < 0.02, chance.uniform(0.0, 4.0, len(times)), 0.0)
    times = times + late + chance.uniform(-0.002, 0.002, len(times))
    failing = _within(times, FAILING)
    requests = chance.poisson(REQUESTS_A_SECOND[service] * SCRAPE / 2, len(times))
    failed = chance.binomial(requests, np.where(failing, 0.2, 0.002))
    slow = chance.binomial(requests, np.where(failing, 0.3, 0.02))
    begins = RESETS[service] if pod.endswith("0") else ()
    kept = ~_within(times, GAPS[service]) & (chance.random(len(times)) > 0.003)
    counters = {
        ("http_requests_total", "200"): requests - failed,
        ("http_requests_total", "503"): failed,
        ("http_request_duration_seconds_bucket", "0.25"): requests - slow,
        ("http_request_duration_seconds_bucket", "+Inf"): requests,
        ("http_request_duration_seconds_count", ""): requests,
    }
    for (name, mark), steps in counters.items():
        labels = {"service": service, "pod": pod}
        if mark:
            labels["le" if name.endswith("_bucket") else "status"] = mark
        _write(tsdb, name, labels, times[kept], _counter(times, steps, begins)[kept])
    depth = chance.gamma(2.0, 20.0, len(times)) + np.where(failing, 80.0, 0.0)
    _write(tsdb, "queue_depth", {"service": service, "pod": pod}, times[kept], depth[kept])


def _counter(times: Floats, steps: NDArray[np.int64], begins: Sequence[float]) -> Floats:
    """Running sums from 10,000 on that begin at 0 anew at these times."""
    values = 10_000.0 + np.cumsum(steps).astype(float)
    for before in begins:
        after = times >= END - before
        if after.any():
            values[after] -= values[after][0]
    return values


def _within(times: Floats, spans: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    found = np.zeros(len(times), dtype=bool)
    for before, length in spans:
        found |= (times >= END - before) & (times < END - before + length)
    return found


def _write(tsdb: Tsdb, name: str, labels: Mapping[str, str], times: Floats, values: Floats) -> None:
    for at, value in zip(times.tolist(), values.tolist(), strict=True):
        tsdb.append(name, labels, at, value)
