"""The lab's time series: in memory, millisecond timestamps, staleness markers, retention."""

from __future__ import annotations

import struct
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.matchers import Matcher, all_match

Labels = dict[str, str]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Prometheus writes this one NaN where a series ended (model/value.StaleNaN).
STALE_BITS = 0x7FF0000000000002
STALE: float = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]
PRUNE_EVERY_MS = 60_000


class OutOfOrderError(ValueError):
    """A sample is older than the series' newest, or repeats its time with another value."""


def is_stale(values: Floats) -> NDArray[np.bool_]:
    """Which values are staleness markers (not ordinary NaN)."""
    return np.asarray(values.view(np.int64) == STALE_BITS)


class _Series:
    __slots__ = ("labels", "times", "values")

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.times = array("q")
        self.values = array("d")

    def add(self, at_ms: int, value: float) -> None:
        times = self.times
        if times and at_ms <= times[-1]:
            if at_ms == times[-1] and struct.pack("<d", value) == struct.pack(
                "<d", self.values[-1]
            ):
                return
            raise OutOfOrderError(
                f"sample at {at_ms} ms is not after {times[-1]} ms: {self.labels}"
            )
        times.append(at_ms)
        self.values.append(value)


class Tsdb:
    """Thread-safe store of samples; keeps `retention_seconds` before the newest sample."""

    def __init__(self, retention_seconds: float = 7200) -> None:
        self._retention_ms = round(retention_seconds * 1000)
        self._lock = threading.Lock()
        self._series: dict[Any, _Series] = {}
        self._by_name: dict[str, dict[Any, _Series]] = {}
        self._described: dict[str, tuple[str, str, str]] = {}
        self._newest_ms = 0
        self._pruned_ms = 0

    def append(self, name: str, labels: Mapping[str, str], at: float, value: float) -> None:
        """Add one sample at epoch second `at`. Raises OutOfOrderError."""
        at_ms = round(at * 1000)
        key = (name, frozenset(labels.items()))
        with self._lock:
            series = self._series.get(key)
            if series is None:
                series = self._create(key, name, labels)
            series.add(at_ms, value)
            if at_ms > self._newest_ms:
                self._advance(at_ms)

    def writer(self, name: str, labels: Mapping[str, str]) -> Callable[[float, float], None]:
        """A function (at, value) that appends to one series, without building its key again."""
        key = (name, frozenset(labels.items()))
        fixed = dict(labels)

        def write(at: float, value: float) -> None:
            at_ms = round(at * 1000)
            with self._lock:
                series = self._series.get(key)
                if series is None:
                    series = self._create(key, name, fixed)
                series.add(at_ms, value)
                if at_ms > self._newest_ms:
                    self._advance(at_ms)

        return write

    def extend(
        self, name: str, labels: Mapping[str, str], times: Sequence[float], values: Sequence[float]
    ) -> None:
        """Add many samples of one series, epoch seconds ascending. Raises OutOfOrderError."""
        if not times:
            return
        added = np.rint(np.asarray(times, dtype=np.float64) * 1000).astype(np.int64)
        key = (name, frozenset(labels.items()))
        with self._lock:
            series = self._series.get(key) or self._create(key, name, labels)
            if (series.times and added[0] <= series.times[-1]) or bool(np.any(np.diff(added) <= 0)):
                raise OutOfOrderError(f"{len(times)} samples are not in order: {series.labels}")
            series.times.frombytes(added.tobytes())
            series.values.frombytes(np.asarray(values, dtype=np.float64).tobytes())
            if added[-1] > self._newest_ms:
                self._advance(int(added[-1]))

    def mark_stale(self, name: str, labels: Mapping[str, str], at: float) -> None:
        """Say that the series ended: no instant query sees it from `at` on."""
        self.append(name, labels, at, STALE)

    def select(
        self, matchers: Iterable[Matcher], start: float, end: float
    ) -> list[tuple[Labels, Floats, Floats]]:
        """Series with samples in [start, end] epoch seconds: (labels, times in s, values).

        Labels include __name__; values may hold staleness markers (`is_stale`).
        """
        found = self.select_ms(matchers, round(start * 1000), round(end * 1000))
        return [(labels, times / 1000.0, values) for labels, times, values in found]

    def select_ms(
        self, matchers: Iterable[Matcher], start_ms: int, end_ms: int
    ) -> list[tuple[Labels, Integers, Floats]]:
        """As `select`, with integer milliseconds throughout. The arrays are copies."""
        answer = []
        with self._lock:
            for series in self._candidates(tuple(matchers)):
                low = bisect_left(series.times, start_ms)
                high = bisect_right(series.times, end_ms)
                if low < high:
                    times = np.frombuffer(series.times[low:high], dtype=np.int64)
                    values = np.frombuffer(series.values[low:high], dtype=np.float64)
                    answer.append((dict(series.labels), times, values))
        return answer

    def series(
        self,
        matchers: Iterable[Matcher] = (),
        start: float | None = None,
        end: float | None = None,
    ) -> list[Labels]:
        """Label sets (with __name__) that have samples in [start, end] seconds, sorted."""
        start_ms = -(1 << 62) if start is None else round(start * 1000)
        end_ms = 1 << 62 if end is None else round(end * 1000)
        with self._lock:
            found = [
                dict(series.labels)
                for series in self._candidates(tuple(matchers))
                if bisect_left(series.times, start_ms) < bisect_right(series.times, end_ms)
            ]
        return sorted(found, key=lambda labels: sorted(labels.items()))

    def label_names(
        self,
        matchers: Iterable[Matcher] = (),
        start: float | None = None,
        end: float | None = None,
    ) -> list[str]:
        """Names of the labels in use, sorted."""
        return sorted({name for labels in self.series(matchers, start, end) for name in labels})

    def label_values(
        self,
        label: str,
        matchers: Iterable[Matcher] = (),
        start: float | None = None,
        end: float | None = None,
    ) -> list[str]:
        """Values of one label, sorted; empty when nothing has it."""
        found = self.series(matchers, start, end)
        return sorted({labels[label] for labels in found if label in labels})

    def describe(self, name: str, kind: str, about: str, unit: str = "") -> None:
        """Say what a metric is: its type (counter, gauge, histogram), help text and unit."""
        with self._lock:
            self._described[name] = (kind, about, unit)

    def described(self) -> dict[str, tuple[str, str, str]]:
        """(type, help, unit) of every described metric, by name."""
        with self._lock:
            return dict(sorted(self._described.items()))

    @property
    def newest_ms(self) -> int:
        """Time of the newest sample, 0 when there is none."""
        return self._newest_ms

    def __len__(self) -> int:
        """Number of series held."""
        with self._lock:
            return len(self._series)

    def _create(self, key: Any, name: str, labels: Mapping[str, str]) -> _Series:
        kept = {label: value for label, value in sorted(labels.items()) if value != ""}
        series = _Series({"__name__": name, **kept})
        self._series[key] = series
        self._by_name.setdefault(name, {})[key] = series
        return series

    def _candidates(self, matchers: tuple[Matcher, ...]) -> list[_Series]:
        named = [m for m in matchers if m.name == "__name__"]
        rest = [m for m in matchers if m.name != "__name__"]
        if len(named) == 1 and named[0].op == "=":
            names = [named[0].value] if named[0].value in self._by_name else []
        else:
            names = [name for name in self._by_name if all_match(named, {"__name__": name})]
        return [
            series
            for name in names
            for series in self._by_name[name].values()
            if all_match(rest, series.labels)
        ]

    def _advance(self, at_ms: int) -> None:
        self._newest_ms = at_ms
        if at_ms - self._pruned_ms < PRUNE_EVERY_MS:
            return
        self._pruned_ms = at_ms
        oldest = at_ms - self._retention_ms
        for key, series in list(self._series.items()):
            gone = bisect_left(series.times, oldest)
            if gone == len(series.times):
                del self._series[key]
                of_name = self._by_name[series.labels["__name__"]]
                del of_name[key]
                if not of_name:
                    del self._by_name[series.labels["__name__"]]
            elif gone:
                del series.times[:gone]
                del series.values[:gone]
