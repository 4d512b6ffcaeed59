"""Counters and histograms of a pod, and the identity of the series they are scraped as."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

BUCKET_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BUCKET_LABELS = (
    "0.005", "0.01", "0.025", "0.05", "0.1", "0.2", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf",
)  # fmt: skip


class Series:
    """Name and labels of one time series; compared by identity, made by a SeriesTable."""

    __slots__ = ("labels", "name")

    def __init__(self, name: str, labels: dict[str, str]) -> None:
        self.name = name
        self.labels = labels


class SeriesTable:
    """One Series object for each name and label set."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, frozenset[tuple[str, str]]], Series] = {}

    def get(self, name: str, labels: dict[str, str]) -> Series:
        key = (name, frozenset(labels.items()))
        series = self._known.get(key)
        if series is None:
            series = self._known[key] = Series(name, dict(labels))
        return series


Sample = tuple[Series, float]


class Histogram:
    """Cumulative Prometheus histogram of seconds."""

    __slots__ = ("_buckets", "_count", "_counts", "_sum", "total_seconds")

    def __init__(self, table: SeriesTable, name: str, labels: dict[str, str]) -> None:
        self._counts = [0] * len(BUCKET_LABELS)
        self.total_seconds = 0.0
        self._buckets = [
            table.get(f"{name}_bucket", {**labels, "le": bound}) for bound in BUCKET_LABELS
        ]
        self._sum = table.get(f"{name}_sum", labels)
        self._count = table.get(f"{name}_count", labels)

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(BUCKET_BOUNDS, seconds)] += 1
        self.total_seconds += seconds

    def samples(self) -> Iterator[Sample]:
        running = 0
        for series, count in zip(self._buckets, self._counts, strict=True):
            running += count
            yield series, float(running)
        yield self._sum, self.total_seconds
        yield self._count, float(running)


class Counter:
    __slots__ = ("series", "value")

    def __init__(self, series: Series) -> None:
        self.series = series
        self.value = 0


class ClientMeter:
    """What a pod sees of one peer: outcomes (ok, error, timeout, refused) and durations."""

    __slots__ = ("_labels", "_table", "durations", "outcomes")

    def __init__(self, table: SeriesTable, labels: dict[str, str], peer: str) -> None:
        self._table = table
        self._labels = {**labels, "peer": peer}
        self.durations = Histogram(table, "client_request_duration_seconds", self._labels)
        self.outcomes: dict[str, Counter] = {}

    def record(self, outcome: str, seconds: float) -> None:
        self.durations.observe(seconds)
        counter = self.outcomes.get(outcome)
        if counter is None:
            labels = {**self._labels, "status": outcome}
            counter = Counter(self._table.get("client_requests_total", labels))
            self.outcomes[outcome] = counter
        counter.value += 1


class PodMeters:
    """All request metrics of one life of a pod; a restart begins with a new one."""

    def __init__(self, table: SeriesTable, labels: dict[str, str], serves_http: bool) -> None:
        self._table = table
        self._labels = labels
        self._requests: dict[tuple[str, str, int], Counter] = {}
        self._clients: dict[str, ClientMeter] = {}
        self.served = 0
        self._durations = (
            Histogram(table, "http_request_duration_seconds", labels) if serves_http else None
        )

    def record_served(self, method: str, route: str, status: int, seconds: float) -> None:
        key = (method, route, status)
        counter = self._requests.get(key)
        if counter is None:
            labels = {**self._labels, "method": method, "route": route, "status": str(status)}
            counter = self._requests[key] = Counter(self._table.get("http_requests_total", labels))
        counter.value += 1
        self.served += 1
        if self._durations is not None:
            self._durations.observe(seconds)

    def record_call(self, peer: str, outcome: str, seconds: float) -> None:
        client = self._clients.get(peer)
        if client is None:
            client = self._clients[peer] = ClientMeter(self._table, self._labels, peer)
        client.record(outcome, seconds)

    def samples(self) -> Iterator[Sample]:
        for counter in self._requests.values():
            yield counter.series, float(counter.value)
        if self._durations is not None:
            yield from self._durations.samples()
        for client in self._clients.values():
            yield from client.durations.samples()
            for counter in client.outcomes.values():
                yield counter.series, float(counter.value)
