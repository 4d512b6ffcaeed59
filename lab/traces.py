"""Kept traces: a sample of all requests and every failed one, within an hour and a cap."""

from __future__ import annotations

import threading
from collections import OrderedDict

from lab.mesh import Request

RETENTION_SECONDS = 3600.0
MOST_TRACES = 12_000


class TraceStore:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Request] = OrderedDict()

    def add(self, request: Request) -> None:
        """Keep a finished request; the oldest go first when there are too many."""
        began = request.spans[0].began
        with self._lock:
            self._kept[request.trace_id] = request
            while self._kept:
                oldest = next(iter(self._kept.values()))
                fresh = oldest.spans[0].began >= began - RETENTION_SECONDS
                if fresh and len(self._kept) <= MOST_TRACES:
                    break
                self._kept.popitem(last=False)

    def get(self, trace_id: str) -> Request | None:
        with self._lock:
            return self._kept.get(trace_id)

    def between(self, start: float, end: float) -> list[Request]:
        """Traces that began within [start, end] epoch seconds, newest first."""
        with self._lock:
            return [
                request
                for request in reversed(self._kept.values())
                if start <= request.spans[0].began <= end
            ]

    def __len__(self) -> int:
        with self._lock:
            return len(self._kept)
