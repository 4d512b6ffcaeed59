"""The Loki HTTP API: asking; `loki_answers` reads. Errors are plain text there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, Literal
from urllib.parse import quote

from correlation.backends.loki_answers import (
    Entry,
    LogAnswer,
    MetricAnswer,
    read_metric,
    read_patterns,
    read_streams,
)
from correlation.backends.samples import Vector, read_labels
from correlation.telemetry import LogPattern
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError, plain
from incidents.outbound.http import MAX_BYTES, HttpSource

SERVICE_LABELS = ("app", "service_name", "service")
LEVEL_LABELS = (
    *("level", "detected_level", "severity_text", "severity"),
    *("log_level", "loglevel", "lvl"),
)

_ENCODING = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}


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

    def reading(self, service_labels: Sequence[str], level_labels: Sequence[str]) -> LokiClient:
        """The same server, lines read by other labels."""
        other = copy(self)
        other.service_labels, other.level_labels = tuple(service_labels), tuple(level_labels)
        return other

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
        entries, warnings = self._entries(query, start, end, deadline, limit, direction)
        lines = tuple(entry.line(self.service_labels, self.level_labels) for entry in entries)
        return LogAnswer(lines, len(lines) >= limit, limit, warnings)

    def entries(
        self, query: str, start: float, end: float, deadline: Deadline, *, limit: int
    ) -> tuple[Entry, ...]:
        """The newest `limit` entries of start <= t < end with all their labels."""
        return tuple(self._entries(query, start, end, deadline, limit, "backward")[0])

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
        """The names of the stream labels; structured metadata are not among them."""
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

    def series(
        self,
        match: Sequence[str],
        deadline: Deadline,
        *,
        start: float | None = None,
        end: float | None = None,
    ) -> tuple[dict[str, str], ...]:
        """The label sets of the streams that one of the selectors matches."""
        params = {"match[]": list(match), **_window(start, end)}
        data = self._envelope("/loki/api/v1/series", params, deadline).get("data", [])
        if not isinstance(data, list):
            self.http.bad_body("answered streams that are not a list")
        return tuple(read_labels(self.http, labels) for labels in data)

    def volume(
        self,
        query: str,
        start: float,
        end: float,
        deadline: Deadline,
        *,
        by: Sequence[str] = (),
        limit: int = 100,
    ) -> tuple[Vector, ...] | None:
        """Bytes by label of what a stream selector matches; None where the server has it off."""
        params = {"query": query, "start": _ns(start), "end": _ns(end), "limit": limit}
        if by:
            params["targetLabels"] = ",".join(by)
        try:
            return self._metric("/loki/api/v1/index/volume", params, deadline).series
        except BackendError as error:
            if error.status == 404:
                return None
            raise

    def patterns(
        self, query: str, start: float, end: float, step: float, deadline: Deadline
    ) -> tuple[LogPattern, ...]:
        """Patterns of what a stream selector matches; none where the server has them off.

        A hint: held in memory since the server's start, and rare lines have none.
        """
        params = {"query": query, "start": _ns(start), "end": _ns(end), "step": f"{step:g}s"}
        try:
            body = self._envelope("/loki/api/v1/patterns", params, deadline)
        except BackendError as error:
            if error.status == 404:
                return ()
            raise
        return read_patterns(self.http, body.get("data") or [], step)

    def version(self, deadline: Deadline) -> str:
        """The server's version; "" where its build does not say."""
        body = self.http.get_json("/loki/api/v1/status/buildinfo", {}, deadline)
        if not isinstance(body, dict) or not isinstance(body.get("version"), str):
            self.http.bad_body("answered build information without a version")
        return str(body["version"])

    def ready(self, deadline: Deadline) -> bool:
        return self.http.fetch("GET", "/ready", {}, deadline).status == 200

    def _entries(
        self,
        query: str,
        start: float,
        end: float,
        deadline: Deadline,
        limit: int,
        direction: Literal["backward", "forward"],
    ) -> tuple[list[Entry], tuple[str, ...]]:
        params = {
            "query": query,
            "start": _ns(start),
            "end": _ns(end),
            "limit": limit,
            "direction": direction,
        }
        data, warnings = self._data("/loki/api/v1/query_range", params, deadline)
        return read_streams(self.http, data, direction == "backward"), warnings

    def _metric(self, path: str, params: Mapping[str, Any], deadline: Deadline) -> MetricAnswer:
        data, warnings = self._data(path, params, deadline)
        return read_metric(self.http, data, warnings)

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
        data = self._envelope(path, _window(start, end), deadline).get("data", [])
        if not isinstance(data, list) or not all(isinstance(value, str) for value in data):
            self.http.bad_body("answered label names that are not a list of strings")
        return tuple(data)


def _window(start: float | None, end: float | None) -> dict[str, str]:
    return {name: _ns(at) for name, at in (("start", start), ("end", end)) if at is not None}


def _ns(seconds: float) -> str:
    """Nanoseconds as Loki wants them, exact to the microsecond."""
    return str(round(seconds * 1e6) * 1000)
