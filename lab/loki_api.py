"""The lab's Loki: the HTTP query API over a LogStore; errors are plain text, as Loki's are."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lab import logql
from lab.logql_syntax import selector
from lab.logql_tree import LogQLError, LogQuery, MetricQuery
from lab.logstore import LogStore
from lab.matchers import Matcher
from lab.promql_vector import Vector, key_of
from lab.wire import Answer, Params, duration_seconds, first, number_text, rfc3339_ns

VERSION = "3.8.0-lab"
JSON = "application/json; charset=UTF-8"
PLAIN = "text/plain; charset=utf-8"
DEFAULT_LIMIT, MAX_LIMIT = 100, 5000
MAX_POINTS, MAX_SERIES = 11_000, 500
MAX_LENGTH_NS = (30 * 24 + 1) * 3600 * 10**9
HOUR_NS = 3600 * 10**9
_VALUES_PATH = re.compile(r"/loki/api/v1/label/([^/]+)/values")
_Route = Callable[[LogStore, Params], Answer]


def respond(logstore: LogStore, method: str, path: str, params: Params) -> Answer:
    """Answer one request: (status, content type, body). Form fields of a POST are in `params`."""
    values_of = _VALUES_PATH.fullmatch(path)
    route = partial(_label_values, label=values_of[1]) if values_of else _ROUTES.get(path)
    if route is None:
        return _text(404, "404 page not found\n")
    if method not in ("GET", "POST"):
        return _text(405, "")
    try:
        return route(logstore, params)
    except LogQLError as error:
        return _text(400, str(error))


def _text(status: int, message: str) -> Answer:
    return status, PLAIN, message.encode()


def _json(body: dict[str, Any], content_type: str = JSON) -> Answer:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return 200, content_type, text.encode()


def _query_range(store: LogStore, params: Params) -> Answer:
    start_ns, end_ns = _interval(store, params, HOUR_NS)
    if end_ns <= start_ns:
        raise LogQLError("end timestamp must not be before or equal to start time")
    limit, forward = _limit(params), _forward(params)
    step_ns = _step_ns(params, start_ns, end_ns)
    query = logql.parse(first(params, "query"))
    if end_ns - start_ns > MAX_LENGTH_NS:
        length = _go_duration(end_ns - start_ns)
        raise LogQLError(
            f"the query time range exceeds the limit (query length: {length}, limit: 30d1h)"
        )
    statistics = logql.Statistics()
    if isinstance(query, LogQuery):
        found = logql.streams(store, query, start_ns, end_ns, limit, forward, statistics)
        result = [
            {"stream": labels, "values": [[str(entry.at_ns), entry.line] for entry in entries]}
            for labels, entries in found
        ]
        returned = sum(len(entries) for _, entries in found)
        return _result("streams", result, statistics, returned)
    if (end_ns - start_ns) // step_ns > MAX_POINTS:
        raise LogQLError(
            "exceeded maximum resolution of 11,000 points per time series. "
            "Try increasing the value of the step parameter"
        )
    # Loki rounds the start down and the end up to multiples of the step.
    aligned_end = -(-end_ns // step_ns) * step_ns
    steps = np.arange(start_ns // step_ns * step_ns, aligned_end + 1, step_ns, dtype=np.int64)
    vector = _limited(logql.metrics(store, query, steps, statistics))
    matrix = []
    for row, labels in enumerate(vector.labels):
        there = vector.present[row]
        pairs = zip(steps[there].tolist(), vector.values[row][there].tolist(), strict=True)
        values = [[_seconds(at), number_text(value)] for at, value in pairs]
        if values:
            matrix.append({"metric": labels, "values": values})
    return _result("matrix", matrix, statistics, len(matrix))


def _query(store: LogStore, params: Params) -> Answer:
    text = first(params, "time")
    at_ns = _time_ns(text, "time") if text else store.newest_ns
    _limit(params)
    _forward(params)
    query = logql.parse(first(params, "query"))
    if not isinstance(query, MetricQuery):
        raise LogQLError(
            "log queries are not supported as an instant query type, "
            "please change your query to a range query type"
        )
    statistics = logql.Statistics()
    steps = np.array([at_ns], dtype=np.int64)
    vector = _limited(logql.metrics(store, query, steps, statistics))
    result = [
        {
            "metric": vector.labels[row],
            "value": [_seconds(at_ns), number_text(float(vector.values[row, 0]))],
        }
        for row in np.flatnonzero(vector.present[:, 0])
    ]
    return _result("vector", result, statistics, len(result))


def _limited(vector: Vector) -> Vector:
    if int(vector.present.any(axis=1).sum()) > MAX_SERIES:
        raise LogQLError(
            f"maximum number of series ({MAX_SERIES}) reached for a single query; consider "
            "reducing query cardinality by adding more specific stream selectors, reducing the "
            "time range, or aggregating results with functions like sum(), count() or topk()"
        )
    return vector


def _result(kind: str, result: list[Any], statistics: logql.Statistics, returned: int) -> Answer:
    summary = {
        "totalBytesProcessed": statistics.bytes,
        "totalLinesProcessed": statistics.lines,
        "totalEntriesReturned": returned,
        "totalPostFilterLines": statistics.kept,
    }
    data = {"resultType": kind, "result": result, "stats": {"summary": summary}}
    return _json({"status": "success", "data": data})


def _labels(store: LogStore, params: Params) -> Answer:
    found = _stream_labels(store, params, _selectors(params, "query"))
    return _listing(sorted({name for labels in found for name in labels}))


def _label_values(store: LogStore, params: Params, *, label: str) -> Answer:
    found = _stream_labels(store, params, _selectors(params, "query"))
    return _listing(sorted({labels[label] for labels in found if label in labels}))


def _listing(names: list[str]) -> Answer:
    return _json({"status": "success", "data": names} if names else {"status": "success"})


def _series(store: LogStore, params: Params) -> Answer:
    selectors = _selectors(params, "match[]") + _selectors(params, "match")
    found = _stream_labels(store, params, selectors)
    return _json({"status": "success", "data": found})


def _selectors(params: Params, name: str) -> list[list[Matcher]]:
    return [selector(text) for text in params.get(name, ()) if text]


def _stream_labels(
    store: LogStore, params: Params, selectors: list[list[Matcher]]
) -> list[dict[str, str]]:
    start_ns, end_ns = _interval(store, params, 6 * HOUR_NS)
    found = {
        key_of(labels): labels
        for matchers in selectors or [[]]
        for labels, _ in store.select(matchers, start_ns, end_ns)
    }
    return [found[key] for key in sorted(found)]


def _volume(store: LogStore, params: Params) -> Answer:
    """Bytes by label: of `targetLabels`, else of the labels that the selector names."""
    matchers = selector(first(params, "query"))
    start_ns, end_ns = _interval(store, params, HOUR_NS)
    limit = _limit(params)
    targets = [name for name in first(params, "targetLabels").split(",") if name]
    names = targets or [matcher.name for matcher in matchers]
    sizes: dict[tuple[tuple[str, str], ...], int] = {}
    for labels, entries in store.select(matchers, start_ns, end_ns):
        if all(name in labels for name in names):
            key = tuple((name, labels[name]) for name in names)
            sizes[key] = sizes.get(key, 0) + sum(len(entry.line.encode()) for entry in entries)
    largest = sorted(sizes, key=lambda key: (-sizes[key], key))[:limit]
    at = end_ns // 10**9
    result = [{"metric": dict(key), "value": [at, str(sizes[key])]} for key in largest]
    return _result("vector", result, logql.Statistics(), len(result))


def _buildinfo(store: LogStore, params: Params) -> Answer:
    blank = dict.fromkeys(("revision", "branch", "buildUser", "buildDate", "goVersion"), "")
    return _json({"version": VERSION, **blank}, "application/json")


def _interval(store: LogStore, params: Params, default_ns: int) -> tuple[int, int]:
    """[start, end) in ns; without them the lab's now (after its newest line) and what is before."""
    start, end = first(params, "start"), first(params, "end")
    end_ns = _time_ns(end, "end") if end else store.newest_ns + 1
    return (_time_ns(start, "start") if start else end_ns - default_ns), end_ns


def _time_ns(text: str, name: str) -> int:
    if re.fullmatch(r"\d+\.\d+", text):
        fraction, whole = math.modf(float(text))
        return int(whole) * 10**9 + round(fraction * 1000) * 10**6
    if re.fullmatch(r"-?\d+", text):
        return int(text) * 10**9 if len(text) <= 10 else int(text)
    at_ns = rfc3339_ns(text)
    if at_ns is None:
        raise LogQLError(
            f"could not parse '{name}' parameter: strconv.ParseInt: "
            f'parsing "{text}": invalid syntax'
        )
    return at_ns


def _limit(params: Params) -> int:
    text = first(params, "limit")
    if not text:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"[+-]?\d+", text):
        raise LogQLError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    limit = int(text)
    if limit <= 0:
        raise LogQLError("limit must be a positive value")
    if limit > MAX_LIMIT:
        raise LogQLError(
            "max entries limit per query exceeded, "
            f"limit > max_entries_limit_per_query ({limit} > {MAX_LIMIT})"
        )
    return limit


def _forward(params: Params) -> bool:
    text = first(params, "direction")
    if text.lower() not in ("", "forward", "backward"):
        raise LogQLError(f"invalid direction '{text}'")
    return text.lower() == "forward"


def _step_ns(params: Params, start_ns: int, end_ns: int) -> int:
    text = first(params, "step")
    if not text:
        return max(1, (end_ns - start_ns) // 10**9 // 250) * 10**9
    step = duration_seconds(text)
    if step is None:
        raise LogQLError(f'cannot parse "{text}" to a valid duration')
    if round(step * 1000) <= 0:
        raise LogQLError(
            "zero or negative query resolution step widths are not accepted. Try a positive integer"
        )
    return round(step * 1000) * 10**6


def _seconds(at_ns: int) -> int | float:
    at_ms = at_ns // 10**6
    return at_ms // 1000 if at_ms % 1000 == 0 else at_ms / 1000


def _go_duration(length_ns: int) -> str:
    minutes, rest = divmod(length_ns, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{number_text(rest / 1e9)}s"


_ROUTES: dict[str, _Route] = {
    "/ready": lambda store, params: _text(200, "ready\n"),
    "/loki/api/v1/query_range": _query_range,
    "/loki/api/v1/query": _query,
    "/loki/api/v1/labels": _labels,
    "/loki/api/v1/series": _series,
    "/loki/api/v1/index/volume": _volume,
    "/loki/api/v1/patterns": lambda store, params: _text(404, ""),
    "/loki/api/v1/status/buildinfo": _buildinfo,
}
