"""The Loki HTTP API: asking and strict parsing. Errors are plain text there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from correlation.backends.errors import plain
from correlation.backends.http import MAX_BYTES, HttpSource
from correlation.backends.samples import Vector, read_labels, read_vector
from correlation.deadline import Deadline
from correlation.telemetry import LogLine

SERVICE_LABELS = ("app", "service_name", "service")
LEVEL_LABELS = ("level", "detected_level", "severity_text", "severity")
TRACE_LABELS = ("trace_id", "traceID", "traceid")
MESSAGE_CHARACTERS = 16_384

_ENCODING = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
_TRACE = re.compile(r'\btrace_?id["\']?\s*[=:]\s*["\']?([0-9a-f]{16,32})\b', re.IGNORECASE)


@dataclass(frozen=True)
class LogAnswer:
    """Log lines in time order. `truncated` when the server had more than `limit` of them."""

    lines: tuple[LogLine, ...]
    truncated: bool
    limit: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class MetricAnswer:
    """What a metric query answered; see PrometheusClient's QueryAnswer for the series."""

    result_type: str
    series: tuple[Vector, ...]
    dropped: int = 0
    warnings: tuple[str, ...] = ()


class LokiClient:
    """One Loki under a base URL; `tenant` becomes X-Scope-OrgID. Raises BackendError only.

    A line's service is the first of `service_labels` it carries, its level the first of
    `level_labels`; "unknown" counts as no level.
    """

    name = "Loki"

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
        service_labels: Sequence[str] = SERVICE_LABELS,
        level_labels: Sequence[str] = LEVEL_LABELS,
    ) -> None:
        sent = {**(headers or {}), **({"X-Scope-OrgID": tenant} if tenant else {})}
        self.http = HttpSource(
            self.name,
            base_url,
            headers=sent,
            timeout_seconds=timeout_seconds,
            verify=verify,
            client_certificate=client_certificate,
            max_bytes=max_bytes,
            retries=retries,
        )
        self.service_labels = tuple(service_labels)
        self.level_labels = tuple(level_labels)

    def lines(
        self,
        query: str,
        start: float,
        end: float,
        deadline: Deadline,
        *,
        limit: int = 1000,
        direction: Literal["backward", "forward"] = "backward",
    ) -> LogAnswer:
        """Lines of start <= t < end (epoch seconds), at most `limit`: newest when backward."""
        data, warnings = self._data(
            "/loki/api/v1/query_range",
            {
                "query": query,
                "start": _ns(start),
                "end": _ns(end),
                "limit": limit,
                "direction": direction,
            },
            deadline,
        )
        if data.get("resultType") != "streams" or not isinstance(data.get("result"), list):
            self.http.bad_body("answered something else than log streams")
        dated: list[tuple[int, LogLine]] = []
        for stream in data["result"]:
            rows = self._stream(stream)
            dated += reversed(rows) if direction == "backward" else rows
        dated.sort(key=lambda row: row[0])
        lines = tuple(line for _, line in dated)
        return LogAnswer(lines, len(lines) >= limit, limit, warnings)

    def query(self, query: str, at: float, deadline: Deadline) -> MetricAnswer:
        """A metric query at a moment; a log query is refused by the server."""
        return self._metric("/loki/api/v1/query", {"query": query, "time": _ns(at)}, deadline)

    def query_range(
        self, query: str, start: float, end: float, step: float, deadline: Deadline
    ) -> MetricAnswer:
        """A metric query over time. Loki floors `start` to a multiple of `step`."""
        params = {"query": query, "start": _ns(start), "end": _ns(end), "step": f"{step:g}s"}
        return self._metric("/loki/api/v1/query_range", params, deadline)

    def labels(
        self, deadline: Deadline, *, start: float | None = None, end: float | None = None
    ) -> tuple[str, ...]:
        return self._names("/loki/api/v1/labels", start, end, deadline)

    def label_values(
        self,
        label: str,
        deadline: Deadline,
        *,
        start: float | None = None,
        end: float | None = None,
    ) -> tuple[str, ...]:
        path = f"/loki/api/v1/label/{quote(label, safe='')}/values"
        return self._names(path, start, end, deadline)

    def ready(self, deadline: Deadline) -> bool:
        return self.http.fetch("GET", "/ready", {}, deadline).status == 200

    def _data(
        self, path: str, params: Mapping[str, Any], deadline: Deadline
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        body = self._envelope(path, params, deadline)
        data = body.get("data")
        if not isinstance(data, dict):
            self.http.bad_body("answered success without data")
        warnings = body.get("warnings") or data.get("warnings") or []
        return data, tuple(plain(str(note)) for note in warnings)

    def _envelope(self, path: str, params: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        body = self.http.get_json(path, params, deadline, headers=_ENCODING, form=True)
        if not isinstance(body, dict) or body.get("status") != "success":
            self.http.bad_body("answered JSON that is not the Loki API's")
        return body

    def _names(
        self, path: str, start: float | None, end: float | None, deadline: Deadline
    ) -> tuple[str, ...]:
        """Label names or values; no match comes as success without data."""
        params = {
            key: _ns(value) for key, value in (("start", start), ("end", end)) if value is not None
        }
        data = self._envelope(path, params, deadline).get("data", [])
        if not isinstance(data, list) or not all(isinstance(value, str) for value in data):
            self.http.bad_body("answered label names that are not a list of strings")
        return tuple(data)

    def _stream(self, stream: Any) -> list[tuple[int, LogLine]]:
        """The entries of one stream as (nanoseconds, line), in the order they came."""
        if not isinstance(stream, dict) or not isinstance(stream.get("values"), list):
            self.http.bad_body("answered a log stream without values")
        shared = read_labels(self.http, stream.get("stream"))
        rows = []
        for value in stream["values"]:
            if not isinstance(value, list) or len(value) not in (2, 3):
                self.http.bad_body("answered a log entry that is not [nanoseconds, line]")
            at, text = value[0], value[1]
            if not isinstance(at, str) or not at.isdecimal() or not isinstance(text, str):
                self.http.bad_body("answered a log entry that is not [nanoseconds, line]")
            rows.append((int(at), self._line(int(at), text, self._own(shared, value[2:]))))
        return rows

    def _own(self, shared: dict[str, str], extra: list[Any]) -> dict[str, str]:
        """The stream's labels and the entry's own (structured metadata, parsed fields)."""
        if not extra:
            return shared
        if not isinstance(extra[0], dict):
            self.http.bad_body("answered log metadata that are not an object")
        own = {}
        for part in ("structuredMetadata", "parsed"):
            own.update(read_labels(self.http, extra[0].get(part) or {}))
        return {**own, **shared}

    def _line(self, at_ns: int, text: str, labels: dict[str, str]) -> LogLine:
        level = _first(labels, self.level_labels).lower()
        found = _first(labels, TRACE_LABELS)
        if not found and (match := _TRACE.search(text)):
            found = match[1].lower()
        return LogLine(
            service=_first(labels, self.service_labels),
            at=at_ns / 1e9,
            message=text.replace("\x00", "")[:MESSAGE_CHARACTERS],
            level="" if level == "unknown" else level,
            trace_id=found,
        )

    def _metric(self, path: str, params: Mapping[str, Any], deadline: Deadline) -> MetricAnswer:
        data, warnings = self._data(path, params, deadline)
        kind, result = data.get("resultType"), data.get("result")
        if kind not in ("vector", "matrix") or not isinstance(result, list):
            self.http.bad_body("answered something else than a vector or a matrix")
        series, dropped = [], 0
        for item in result:
            if not isinstance(item, dict):
                self.http.bad_body(f"answered a {kind} whose items are not objects")
            labels = read_labels(self.http, item.get("metric"))
            pairs = item.get("values") if kind == "matrix" else [item.get("value")]
            vector, unusable = read_vector(self.http, labels, pairs)
            dropped += unusable
            if vector.times.size:
                series.append(vector)
        return MetricAnswer(str(kind), tuple(series), dropped, warnings)


def _first(labels: Mapping[str, str], names: Sequence[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _ns(seconds: float) -> str:
    """Nanoseconds as Loki wants them, exact to the microsecond."""
    return str(round(seconds * 1e6) * 1000)
