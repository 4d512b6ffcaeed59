"""Synthetic samples for comparing the lab with a real Prometheus: jitter, gaps, resets."""

from __future__ import annotations

import random
from collections.abc import Callable

from lab.tsdb import Tsdb

START = 1_795_305_000
SECONDS = 1200
BOUNDS = ("0.005", "0.025", "0.1", "0.25", "0.5", "1", "2.5", "5", "+Inf")
Labels = dict[str, str]


def make_tsdb(seed: int = 7) -> Tsdb:
    """Twenty minutes of three services with two pods each, every metric the product reads."""
    chance = random.Random(seed)
    tsdb = Tsdb()
    for service in ("cart", "checkout", "payment-processing"):
        for pod in (f"{service}-0", f"{service}-1"):
            _pod(tsdb, chance, {"service": service, "pod": pod})
        own = {"service": service}
        _gauge(tsdb, chance, "kube_deployment_status_replicas_available", own, 2, whole=True)
        _constant(tsdb, chance, "kube_deployment_spec_replicas", own, 2.0)
    return tsdb


def _pod(tsdb: Tsdb, chance: random.Random, pod: Labels) -> None:
    for status in ("200", "404", "500", "503"):
        # a status that has not been seen yet has no series: the zero-fill must cope
        late = SECONDS // 2 if status == "503" else 0
        rate = 20.0 if status == "200" else 0.3
        _counter(tsdb, chance, "http_requests_total", {**pod, "status": status}, rate, late)
    _histogram(tsdb, chance, "http_request_duration_seconds", pod)
    for peer in ("postgres", "redis"):
        edge = {**pod, "peer": peer}
        for status, rate in (("ok", 9.0), ("timeout", 0.05)):
            _counter(tsdb, chance, "client_requests_total", {**edge, "status": status}, rate)
        _histogram(tsdb, chance, "client_request_duration_seconds", edge)
    _counter(tsdb, chance, "process_cpu_seconds_total", pod, 0.4)
    _counter(tsdb, chance, "kube_pod_container_status_restarts_total", pod, 0.003)
    _gauge(tsdb, chance, "process_resident_memory_bytes", pod, 250e6)
    _gauge(tsdb, chance, "db_pool_connections_in_use", pod, 6, whole=True)
    _gauge(tsdb, chance, "db_pool_pending_acquires", pod, 1, whole=True)
    _constant(tsdb, chance, "db_pool_connections_max", pod, 10.0)
    for resource, limit in (("cpu", 1.5), ("memory", 512e6)):
        limits = {**pod, "resource": resource}
        _constant(tsdb, chance, "kube_pod_container_resource_limits", limits, limit)


def _moments(chance: random.Random, late: float = 0) -> list[float]:
    """Scrape times: about every 5 s, jittered, now and then a gap of up to a minute."""
    at, gap_left, moments = START + late + chance.uniform(0, 5), 0, []
    end = START + SECONDS - chance.choice((0, 0, 0, 90))
    while at < end:
        if gap_left == 0 and chance.random() < 0.01:
            gap_left = chance.randint(2, 12)
        if gap_left:
            gap_left -= 1
        else:
            moments.append(round(at, 3))
        at += 5 + chance.gauss(0, 0.05)
    return moments


def _write(
    tsdb: Tsdb, name: str, labels: Labels, moments: list[float], value: Callable[[float], float]
) -> None:
    write = tsdb.writer(name, labels)
    for at in moments:
        write(at, value(at))


def _counter(
    tsdb: Tsdb,
    chance: random.Random,
    name: str,
    labels: Labels,
    rate: float,
    late: float = 0,
) -> None:
    total = chance.uniform(0, 100 * rate)

    def value(at: float) -> float:
        nonlocal total
        if chance.random() < 0.005:
            total = 0.0
        total += sum(chance.random() < rate / 20 for _ in range(100)) if rate < 20 else 5 * rate
        return round(total, 6)

    _write(tsdb, name, labels, _moments(chance, late), value)


def _histogram(tsdb: Tsdb, chance: random.Random, name: str, labels: Labels) -> None:
    counts = dict.fromkeys(BOUNDS, 0)
    total, moments = 0.0, _moments(chance)
    writers = {b: tsdb.writer(f"{name}_bucket", {**labels, "le": b}) for b in BOUNDS}
    write_sum, write_count = (
        tsdb.writer(f"{name}_sum", labels),
        tsdb.writer(f"{name}_count", labels),
    )
    for at in moments:
        if chance.random() < 0.004:
            counts, total = dict.fromkeys(BOUNDS, 0), 0.0
        for _ in range(chance.randint(0, 30)):
            seconds = chance.lognormvariate(-2.5, 1.4)
            total += seconds
            for bound in BOUNDS:
                counts[bound] += seconds <= float(bound)
        for bound, write in writers.items():
            write(at, counts[bound])
        write_sum(at, total)
        write_count(at, counts["+Inf"])


def _gauge(
    tsdb: Tsdb,
    chance: random.Random,
    name: str,
    labels: Labels,
    level: float,
    whole: bool = False,
) -> None:
    def value(at: float) -> float:
        found = max(0.0, chance.gauss(level, level / 3))
        return float(round(found)) if whole else found

    _write(tsdb, name, labels, _moments(chance), value)


def _constant(tsdb: Tsdb, chance: random.Random, name: str, labels: Labels, level: float) -> None:
    _write(tsdb, name, labels, _moments(chance), lambda at: level)
