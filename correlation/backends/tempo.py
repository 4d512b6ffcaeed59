"""The Tempo HTTP API: asking and strict parsing. Errors are plain text there."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np

from correlation.backends.samples import Vector
from correlation.backends.tempo_traces import (
    TRACE_DIGITS,
    FoundTrace,
    TracedSpan,
    any_value,
    read_found,
    read_trace,
)
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError, plain
from incidents.outbound.http import MAX_BYTES, HttpSource

_TRACE_ID = re.compile(r"[0-9a-f]{1,32}")


@dataclass(frozen=True)
class SearchAnswer:
    """Traces as the server ordered them. `truncated` when it may have had more than `limit`.

    `partial` says in words why part of the store was not searched, "" when all of it was.
    """

    traces: tuple[FoundTrace, ...]
    truncated: bool
    limit: int
    partial: str = ""


@dataclass(frozen=True)
class TraceAnswer:
    """The spans of one trace, None when the store does not have it; `requests` it took."""

    spans: tuple[TracedSpan, ...] | None
    partial: str = ""
    requests: int = 1


@dataclass(frozen=True, eq=False)
class TraceMetrics:
    """Series of a TraceQL metrics query; a sample the server left without value is 0."""

    series: tuple[Vector, ...]
    dropped: int = 0


class TempoClient:
    """One Tempo under a base URL; `tenant` becomes X-Scope-OrgID. Raises BackendError only.

    Times are epoch seconds and are sent as whole ones: Tempo takes no other.
    """

    name = "Tempo"

    def __init__(
        self,
        base_url: str,
        *,
        tenant: str = "",
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 5.0,
        verify: bool | str = True,
        client_certificate: tuple[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
        retries: int = 1,
    ) -> None:
        self.http = HttpSource(
            self.name,
            base_url,
            headers={**(headers or {}), **({"X-Scope-OrgID": tenant} if tenant else {})},
            timeout_seconds=timeout_seconds,
            verify=verify,
            client_certificate=client_certificate,
            max_bytes=max_bytes,
            retries=retries,
        )
        self._only_v1 = False

    def search(
        self,
        query: str,
        start: float,
        end: float,
        deadline: Deadline,
        *,
        limit: int = 20,
        spans: int = 3,
    ) -> SearchAnswer:
        """Traces with spans that match a TraceQL query, at most `spans` of each one's matches.

        A low limit does not give the newest unless the query ends in `with (most_recent=true)`.
        """
        asked = {"q": query, **_span_of(start, end), "limit": limit, "spss": spans}
        body = self._object("/api/search", asked, deadline)
        found = self._list(body, "traces")
        traces = tuple(read_found(self.http, raw) for raw in found)
        truncated = len(traces) >= limit
        return SearchAnswer(traces, truncated, limit, "" if truncated else _unsearched(body))

    def trace(
        self,
        trace_id: str,
        deadline: Deadline,
        *,
        start: float | None = None,
        end: float | None = None,
    ) -> TraceAnswer:
        """One trace by its hex id (leading zeros may be missing), by v2 or on old servers v1.

        `start` and `end` only spare the server work; a trace outside them is not found.
        """
        if not _TRACE_ID.fullmatch(trace_id.lower()):
            raise ValueError(f"not a trace id: {trace_id!r}")
        path, asked = trace_id.lower().zfill(TRACE_DIGITS), _span_of(start, end)
        if not self._only_v1:
            try:
                body = self._object(f"/api/v2/traces/{path}", asked, deadline)
            except BackendError as error:
                if error.status != 404:
                    raise
            else:
                said = body.get("message") if body.get("status") == "PARTIAL" else None
                spans = read_trace(self.http, body)
                cut = f"a trace came in part: {plain(str(said))}" if said else ""
                return TraceAnswer(spans or None, cut)
        requests = 1 if self._only_v1 else 2
        try:
            body = self._object(f"/api/traces/{path}", asked, deadline)
        except BackendError as error:
            if error.status != 404:
                raise
            return TraceAnswer(None, requests=requests)
        self._only_v1 = True
        return TraceAnswer(read_trace(self.http, body) or None, requests=requests)

    def tag_values(
        self,
        tag: str,
        deadline: Deadline,
        *,
        start: float | None = None,
        end: float | None = None,
        query: str = "",
    ) -> tuple[str, ...]:
        """Values of a scoped tag ("resource.service.name"), sorted, by v2 or on old servers v1.

        v1 knows tags without their scope and no `query`.
        """
        asked = {**_span_of(start, end), **({"q": query} if query else {})}
        try:
            path = f"/api/v2/search/tag/{quote(tag, safe='')}/values"
            body = self._object(path, asked, deadline)
        except BackendError as error:
            if error.status != 404:
                raise
            bare = re.sub(r"^(resource|span)?\.", "", tag)
            path = f"/api/search/tag/{quote(bare, safe='')}/values"
            body = self._object(path, _span_of(start, end), deadline)
        return tuple(sorted({self._tag_value(value) for value in self._list(body, "tagValues")}))

    def metrics(
        self, query: str, start: float, end: float, step_seconds: int, deadline: Deadline
    ) -> TraceMetrics:
        """A TraceQL metrics query over time. Tempo floors `start` to a multiple of the step."""
        asked = {"q": query, **_span_of(start, end), "step": f"{step_seconds}s"}
        return self._series("/api/metrics/query_range", asked, deadline, at=None)

    def metrics_at(self, query: str, start: float, end: float, deadline: Deadline) -> TraceMetrics:
        """A TraceQL metrics query with one value a series, for all of start to end."""
        asked = {"q": query, **_span_of(start, end)}
        return self._series("/api/metrics/query", asked, deadline, at=float(math.ceil(end)))

    def version(self, deadline: Deadline) -> str:
        """The server's version, "" where its build does not say."""
        said = self._object("/api/status/buildinfo", {}, deadline).get("version")
        return said if isinstance(said, str) else ""

    def ready(self, deadline: Deadline) -> bool:
        return self.http.fetch("GET", "/ready", {}, deadline).status == 200

    def answers(self, deadline: Deadline) -> bool:
        """Whether the query API is there at all: gateways often hide /ready."""
        return self.http.fetch("GET", "/api/echo", {}, deadline).status == 200

    def _object(self, path: str, asked: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        body = self.http.get_json(path, asked, deadline)
        if not isinstance(body, dict):
            self.http.bad_body("answered JSON that is not the Tempo API's")
        return body

    def _list(self, body: Mapping[str, Any], name: str) -> list[Any]:
        """A list of an answer; an empty one may be left out, beside the `metrics` of the query."""
        found = body.get(name, [] if isinstance(body.get("metrics"), dict) else None)
        if not isinstance(found, list):
            self.http.bad_body(f"answered without a list of {name}")
        return found

    def _tag_value(self, value: Any) -> str:
        """A v1 value is text, a v2 value {"type", "value"}."""
        if isinstance(value, dict):
            value = value.get("value", "")
        if not isinstance(value, str):
            self.http.bad_body("answered a tag value that is not text")
        return value.replace("\x00", "")

    def _series(
        self, path: str, asked: Mapping[str, Any], deadline: Deadline, at: float | None
    ) -> TraceMetrics:
        series, dropped = [], 0
        for one in self._list(self._object(path, asked, deadline), "series"):
            if not isinstance(one, dict):
                self.http.bad_body("answered a series that is not an object")
            labels = self._labels(one.get("labels", []))
            samples = one.get("samples", []) if at is None else [one]
            if not isinstance(samples, list):
                self.http.bad_body("answered a series without a list of samples")
            pairs = sorted(self._sample(sample, at) for sample in samples)
            times, values = np.array(pairs, dtype=float).reshape(-1, 2).T
            finite = np.isfinite(values)
            dropped += int(np.count_nonzero(~finite))
            series.append(Vector(labels, times[finite], values[finite]))
        return TraceMetrics(tuple(series), dropped)

    def _labels(self, pairs: Any) -> dict[str, str]:
        if not isinstance(pairs, list) or not all(isinstance(pair, dict) for pair in pairs):
            self.http.bad_body("answered labels that are not a list")
        return {str(pair.get("key")): any_value(self.http, pair.get("value")) for pair in pairs}

    def _sample(self, sample: Any, at: float | None) -> tuple[float, float]:
        """(epoch seconds, value); NaN and infinity come as text, zero not at all."""
        if not isinstance(sample, dict):
            self.http.bad_body("answered a sample that is not an object")
        when, value = sample.get("timestampMs", ""), sample.get("value", 0)
        try:
            if isinstance(value, bool) or isinstance(when, bool):
                raise ValueError
            return (int(when) / 1e3 if at is None else at), float(value)
        except (TypeError, ValueError, OverflowError):
            self.http.bad_body("answered a sample that is not {timestampMs, value}")


def _span_of(start: float | None, end: float | None) -> dict[str, int]:
    """Whole seconds around what is meant; without them only recent data are searched."""
    if start is None or end is None:
        return {}
    return {"start": math.floor(start), "end": max(math.ceil(end), math.floor(start) + 1)}


def _unsearched(body: Mapping[str, Any]) -> str:
    metrics = body.get("metrics")
    if not isinstance(metrics, dict):
        return ""
    done, total = metrics.get("completedJobs", 0), metrics.get("totalJobs", 0)
    if type(done) is not int or type(total) is not int or done >= total:
        return ""
    return f"only {done} of {total} parts of the trace store were searched"
