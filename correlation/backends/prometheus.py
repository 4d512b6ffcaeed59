"""The Prometheus HTTP API (also Mimir, Thanos, VictoriaMetrics): asking and strict parsing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from correlation.backends.samples import Vector, read_labels, read_vector
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError, plain
from incidents.outbound.http import MAX_BYTES, HttpSource

NATIVE_HISTOGRAMS = "native histogram samples were left out"


@dataclass(frozen=True, eq=False)
class QueryAnswer:
    """What a query answered.

    `series` holds matrices as they are and vectors and scalars as series of one sample;
    a series whose samples were all NaN or infinite is left out. `dropped` counts those
    samples. `warnings` say that the numbers may be partial; `infos` (Prometheus 3) do not.
    `text` is set for a string result only.
    """

    result_type: str
    series: tuple[Vector, ...]
    dropped: int = 0
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    text: str | None = None


class PrometheusClient:
    """One Prometheus under a base URL (path prefixes welcome). Raises BackendError only."""

    name = "Prometheus"

    def __init__(
        self,
        base_url: str,
        *,
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
            headers=headers,
            timeout_seconds=timeout_seconds,
            verify=verify,
            client_certificate=client_certificate,
            max_bytes=max_bytes,
            retries=retries,
        )

    def query(self, query: str, at: float, deadline: Deadline) -> QueryAnswer:
        """The value of `query` at the moment `at` (epoch seconds)."""
        return self._answer("/api/v1/query", {"query": query, "time": _seconds(at)}, deadline)

    def query_range(
        self, query: str, start: float, end: float, step: float, deadline: Deadline
    ) -> QueryAnswer:
        """Points at start, start + step, ... up to and including `end` (epoch seconds)."""
        params = {
            "query": query,
            "start": _seconds(start),
            "end": _seconds(end),
            "step": _seconds(step),
        }
        return self._answer("/api/v1/query_range", params, deadline)

    def label_values(
        self,
        label: str,
        deadline: Deadline,
        *,
        match: Sequence[str] = (),
        start: float | None = None,
        end: float | None = None,
    ) -> tuple[str, ...]:
        """The values of a label, of series that match one of the selectors; always a GET."""
        params = _window(match, start, end)
        path = f"/api/v1/label/{quote(label, safe='')}/values"
        data, _ = self._data(path, params, deadline, form=False)
        if not isinstance(data, list) or not all(isinstance(value, str) for value in data):
            self.http.bad_body("answered label values that are not a list of strings")
        return tuple(data)

    def labels(
        self,
        deadline: Deadline,
        *,
        match: Sequence[str] = (),
        start: float | None = None,
        end: float | None = None,
    ) -> tuple[str, ...]:
        """The names of the labels there are."""
        data, _ = self._data("/api/v1/labels", _window(match, start, end), deadline)
        if not isinstance(data, list) or not all(isinstance(name, str) for name in data):
            self.http.bad_body("answered label names that are not a list of strings")
        return tuple(data)

    def series(
        self,
        match: Sequence[str],
        deadline: Deadline,
        *,
        start: float | None = None,
        end: float | None = None,
    ) -> tuple[dict[str, str], ...]:
        """The label sets of the series that match one of the selectors."""
        data, _ = self._data("/api/v1/series", _window(match, start, end), deadline)
        if not isinstance(data, list):
            self.http.bad_body("answered series that are not a list")
        return tuple(read_labels(self.http, labels) for labels in data)

    def metadata(self, deadline: Deadline) -> dict[str, list[dict[str, str]]]:
        """Type, help and unit by metric name: of what is being scraped now, nothing older."""
        data, _ = self._data("/api/v1/metadata", {}, deadline)
        if not isinstance(data, dict) or not all(isinstance(v, list) for v in data.values()):
            self.http.bad_body("answered metadata that are not lists by metric name")
        return data

    def version(self, deadline: Deadline) -> str:
        data, _ = self._data("/api/v1/status/buildinfo", {}, deadline)
        if not isinstance(data, dict) or not isinstance(data.get("version"), str):
            self.http.bad_body("answered build information without a version")
        return str(data["version"])

    def ready(self, deadline: Deadline) -> bool:
        return self.http.fetch("GET", "/-/ready", {}, deadline).status == 200

    def _answer(self, path: str, params: Mapping[str, Any], deadline: Deadline) -> QueryAnswer:
        left = deadline.sooner(self.http.timeout_seconds).remaining()
        asked = {**params, "timeout": f"{max(left, 0.001):.3f}"}
        data, (warnings, infos) = self._data(path, asked, deadline)
        kind = data.get("resultType") if isinstance(data, dict) else None
        result = data.get("result") if isinstance(data, dict) else None
        if kind == "string" and isinstance(result, list) and len(result) == 2:
            return QueryAnswer("string", (), 0, warnings, infos, text=str(result[1]))
        if kind == "scalar":
            rows: list[tuple[dict[str, str], list[Any]]] = [({}, [result])]
        elif kind in ("vector", "matrix") and isinstance(result, list):
            rows = [self._row(item, kind) for item in result]
            if any("histogram" in item or "histograms" in item for item in result):
                warnings = (*warnings, NATIVE_HISTOGRAMS)
        else:
            self.http.bad_body(f"answered a result of an unknown type ({plain(str(kind))})")
        vectors = [read_vector(self.http, labels, pairs) for labels, pairs in rows]
        return QueryAnswer(
            kind,
            tuple(vector for vector, _ in vectors if vector.times.size),
            sum(dropped for _, dropped in vectors),
            warnings,
            infos,
        )

    def _data(
        self, path: str, params: Mapping[str, Any], deadline: Deadline, *, form: bool = True
    ) -> tuple[Any, tuple[tuple[str, ...], tuple[str, ...]]]:
        """`data` of a success envelope, with its warnings and infos."""
        body = self.http.get_json(path, params, deadline, form=form)
        if not isinstance(body, dict) or body.get("status") not in ("success", "error"):
            self.http.bad_body("answered JSON that is not the Prometheus API's")
        if body["status"] == "error":
            said = plain(str(body.get("error", "no reason given")))
            raise BackendError("http", f"answered an error: {said}", source=self.name)
        if "data" not in body:
            self.http.bad_body("answered success without data")
        return body["data"], (self._notes(body, "warnings"), self._notes(body, "infos"))

    def _notes(self, body: dict[str, Any], key: str) -> tuple[str, ...]:
        notes = body.get(key) or []
        if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
            self.http.bad_body(f"answered {key} that are not a list of strings")
        return tuple(plain(note) for note in notes)

    def _row(self, item: Any, kind: str) -> tuple[dict[str, str], list[Any]]:
        if not isinstance(item, dict):
            self.http.bad_body(f"answered a {kind} whose items are not objects")
        labels = read_labels(self.http, item.get("metric"))
        if kind == "vector" and "value" in item:
            return labels, [item["value"]]
        if kind == "matrix" and isinstance(item.get("values"), list):
            return labels, item["values"]
        if not ("histogram" in item or "histograms" in item):
            self.http.bad_body(f"answered a {kind} item without samples")
        return labels, []


def _seconds(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _window(match: Sequence[str], start: float | None, end: float | None) -> dict[str, Any]:
    params: dict[str, Any] = {"match[]": list(match)} if match else {}
    if start is not None:
        params["start"] = _seconds(start)
    if end is not None:
        params["end"] = _seconds(end)
    return params
