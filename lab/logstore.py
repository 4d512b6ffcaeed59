"""The lab's log lines: streams of labels, nanosecond times, structured metadata, retention."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter

from lab.logline import detected_level
from lab.matchers import Matcher, all_match

Labels = dict[str, str]
_BY_TIME = attrgetter("at_ns")
PRUNE_EVERY_NS = 60 * 10**9
# Loki makes `service_name` from the first of these labels that a stream has.
_SERVICE_LABELS = (
    *("service", "app", "application", "app_name", "name", "app_kubernetes_io_name"),
    *("container", "container_name", "k8s_container_name", "component", "workload", "job"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One log line; `metadata` is what Loki calls structured metadata."""

    at_ns: int
    line: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Stream:
    labels: Labels
    entries: list[Entry] = field(default_factory=list)


def with_service_name(labels: Mapping[str, str]) -> Labels:
    """The labels as Loki stores them: sorted, none empty, `service_name` always present."""
    kept = {name: value for name, value in labels.items() if value != ""}
    if "service_name" not in kept:
        sources = (kept[n] for n in _SERVICE_LABELS if n in kept)
        kept["service_name"] = next(sources, "unknown_service")
    return dict(sorted(kept.items()))


class LogStore:
    """Thread-safe store of log lines; keeps `retention_seconds` before the newest line."""

    def __init__(self, retention_seconds: float = 7200) -> None:
        self._retention_ns = round(retention_seconds * 10**9)
        self._lock = threading.Lock()
        self._streams: dict[frozenset[tuple[str, str]], _Stream] = {}
        self._newest_ns = 0
        self._pruned_ns = 0

    def append(
        self,
        labels: Mapping[str, str],
        at_ns: int,
        line: str,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Add one line at epoch nanosecond `at_ns`; lines of a stream may come out of order.

        As Loki does on receipt, `detected_level` is added to the structured metadata.
        """
        key = frozenset(labels.items())
        known = dict(metadata or {})
        known.setdefault("detected_level", detected_level(labels, known, line))
        entry = Entry(at_ns, line, known)
        with self._lock:
            stream = self._streams.get(key)
            if stream is None:
                stream = self._streams[key] = _Stream(with_service_name(labels))
            if not stream.entries or stream.entries[-1].at_ns <= at_ns:
                stream.entries.append(entry)
            else:
                insort(stream.entries, entry, key=_BY_TIME)
            if at_ns > self._newest_ns:
                self._newest_ns = at_ns
                if at_ns - self._pruned_ns >= PRUNE_EVERY_NS:
                    self._prune(at_ns)

    def select(
        self, matchers: Iterable[Matcher], start_ns: int, end_ns: int
    ) -> list[tuple[Labels, list[Entry]]]:
        """Streams with lines in [start_ns, end_ns): (labels, lines oldest first), by labels."""
        wanted = tuple(matchers)
        answer = []
        with self._lock:
            for stream in self._streams.values():
                if not all_match(wanted, stream.labels):
                    continue
                low = bisect_left(stream.entries, start_ns, key=_BY_TIME)
                high = bisect_left(stream.entries, end_ns, key=_BY_TIME)
                if low < high:
                    answer.append((dict(stream.labels), stream.entries[low:high]))
        return sorted(answer, key=lambda found: list(found[0].items()))

    @property
    def newest_ns(self) -> int:
        """Time of the newest line, 0 when there is none."""
        return self._newest_ns

    def _prune(self, at_ns: int) -> None:
        self._pruned_ns = at_ns
        oldest = at_ns - self._retention_ns
        for key, stream in list(self._streams.items()):
            gone = bisect_left(stream.entries, oldest, key=_BY_TIME)
            if gone == len(stream.entries):
                del self._streams[key]
            elif gone:
                del stream.entries[:gone]
