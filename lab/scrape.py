"""What a scrape of the whole cluster returns, and how it is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from lab.cluster import Cluster
from lab.meters import Sample, Series, SeriesTable
from lab.pods import Pod, Workload
from lab.world import MEBIBYTE, NAMESPACE, POSTGRES_MAX_CONNECTIONS

IDLE_CONNECTIONS = 3


class MetricSink(Protocol):
    def writer(self, name: str, labels: Mapping[str, str]) -> Callable[[float, float], None]: ...

    def mark_stale(self, name: str, labels: Mapping[str, str], at: float) -> None: ...

    def extend(
        self, name: str, labels: Mapping[str, str], times: Sequence[float], values: Sequence[float]
    ) -> None: ...


class Collector:
    """Reads every pod's own metrics and what kube-state-metrics says of it."""

    def __init__(self, cluster: Cluster, table: SeriesTable) -> None:
        self._cluster = cluster
        self._table = table
        self._cache: dict[tuple[str, str, str], Series] = {}

    def samples(self) -> Iterator[Sample]:
        """All samples of now. A pod that does not run has none of its own."""
        for workload in self._cluster.workloads.values():
            for pod in workload.pods:
                if pod.running:
                    yield from self._of_pod(pod)
                yield from self._of_container(pod)
            yield from self._of_deployment(workload)

    def _gauge(self, pod: Pod, name: str, extra: str = "", **labels: str) -> Series:
        key = (name, pod.name, extra)
        series = self._cache.get(key)
        if series is None:
            series = self._cache[key] = self._table.get(name, {**pod.labels, **labels})
        return series

    def _of_pod(self, pod: Pod) -> Iterator[Sample]:
        gauge = self._gauge
        yield gauge(pod, "process_cpu_seconds_total"), pod.cpu_seconds
        yield gauge(pod, "process_resident_memory_bytes"), pod.memory_bytes
        yield gauge(pod, "process_start_time_seconds"), round(pod.started_at, 2)
        yield from pod.meters.samples()
        if pod.pool is not None and pod.spec.pool is not None:
            pool = pod.spec.pool.name
            in_use, waiting = float(pod.pool.in_use), float(pod.pool.pending)
            yield gauge(pod, "db_pool_connections_in_use", pool=pool), in_use
            yield gauge(pod, "db_pool_connections_max", pool=pool), float(pod.pool.capacity)
            yield gauge(pod, "db_pool_pending_acquires", pool=pool), waiting
        if pod.spec.name == "postgres":
            yield gauge(pod, "pg_stat_activity_count"), float(self._connections(pod))
            limit = float(POSTGRES_MAX_CONNECTIONS)
            yield gauge(pod, "pg_settings_max_connections"), limit
        elif pod.spec.name == "redis":
            yield gauge(pod, "redis_memory_used_bytes"), pod.memory_bytes - 20.0 * MEBIBYTE
        elif pod.spec.name == "queue":
            yield gauge(pod, "queue_depth"), float(pod.pending_messages)

    def _connections(self, postgres: Pod) -> int:
        occupied = postgres.workload.conditions.pool_occupied
        pooled = sum(
            pod.pool.in_use + IDLE_CONNECTIONS
            for workload in self._cluster.workloads.values()
            for pod in workload.pods
            if pod.pool is not None and pod.running
        )
        return min(POSTGRES_MAX_CONNECTIONS, pooled + occupied)

    def _of_container(self, pod: Pod) -> Iterator[Sample]:
        container = pod.spec.name
        limits, gauge = "kube_pod_container_resource_limits", self._gauge
        yield (
            gauge(pod, limits, "cpu", container=container, resource="cpu", unit="core"),
            pod.spec.cpu_limit_cores,
        )
        yield (
            gauge(pod, limits, "memory", container=container, resource="memory", unit="byte"),
            pod.spec.memory_limit_bytes,
        )
        restarts = gauge(pod, "kube_pod_container_status_restarts_total", container=container)
        yield restarts, float(pod.restarts)
        yield gauge(pod, "kube_pod_status_ready", condition="true"), float(pod.ready)

    def _of_deployment(self, workload: Workload) -> Iterator[Sample]:
        labels = {
            "service": workload.name,
            "namespace": NAMESPACE,
            "deployment": workload.name,
        }
        available = sum(pod.ready for pod in workload.pods)
        replicas = float(workload.spec.replicas)
        yield self._table.get("kube_deployment_spec_replicas", labels), replicas
        yield (
            self._table.get("kube_deployment_status_replicas_available", labels),
            float(available),
        )


class Scraper:
    """Writes each scrape to a sink and marks as stale what is no longer there."""

    def __init__(self, collector: Collector, sink: MetricSink) -> None:
        self._collector = collector
        self._sink = sink
        self._writers: dict[Series, Callable[[float, float], None]] = {}
        self._previous: dict[Series, None] = {}
        self._buffer: dict[Series, tuple[list[float], list[float]]] | None = None

    def scrape(self, at: float) -> None:
        seen: dict[Series, None] = {}
        if self._buffer is not None:
            self._scrape_buffered(self._buffer, seen, at)
        else:
            writers = self._writers
            for series, value in self._collector.samples():
                write = writers.get(series)
                if write is None:
                    write = writers[series] = self._sink.writer(series.name, series.labels)
                write(at, value)
                seen[series] = None
        if seen.keys() != self._previous.keys():
            gone = self._previous.keys() - seen.keys()
            if gone:
                self.flush()
            for series in gone:
                self._writers.pop(series, None)
                self._sink.mark_stale(series.name, series.labels, at)
        self._previous = seen

    def _scrape_buffered(
        self,
        buffer: dict[Series, tuple[list[float], list[float]]],
        seen: dict[Series, None],
        at: float,
    ) -> None:
        for series, value in self._collector.samples():
            kept = buffer.get(series)
            if kept is None:
                kept = buffer[series] = ([], [])
            kept[0].append(at)
            kept[1].append(value)
            seen[series] = None

    def hold(self) -> None:
        """Keep samples back until `flush`, for the fast forward: one write a series."""
        self._buffer = {}

    def flush(self) -> None:
        """Write what was held back; later scrapes go straight to the sink."""
        held, self._buffer = self._buffer, None
        for series, (times, values) in (held or {}).items():
            self._sink.extend(series.name, series.labels, times, values)
