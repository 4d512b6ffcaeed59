"""The lab's Prometheus: the HTTP query API of 2.42 over a Tsdb, errors included."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import promql_parser as ast

from lab import promql
from lab.matchers import Matcher
from lab.promql_select import matchers_of
from lab.promql_vector import Labels, Unsupported, Vector, key_of
from lab.tsdb import Tsdb
from lab.wire import (
    Answer,
    Params,
    duration_seconds,
    first,
    go_float,
    number_text,
    rfc3339_ns,
    seconds,
)

VERSION = "2.42.0-lab"
MAX_POINTS = 11_000
JSON = "application/json"
PLAIN = "text/plain; charset=utf-8"
NOT_FOUND: Answer = (404, PLAIN, b"404 page not found\n")
METHOD_NOT_ALLOWED: Answer = (405, PLAIN, b"Method Not Allowed\n")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_VALUES_PATH = re.compile(r"/api/v1/label/([^/]+)/values")
_Route = Callable[[Tsdb, Params], Any]


class _RefusedError(ValueError):
    """A request that is answered 400 bad_data with this text."""


def respond(tsdb: Tsdb, method: str, path: str, params: Params) -> Answer:
    """Answer one request: (status, content type, body). Form fields of a POST are in `params`."""
    if path in ("/-/ready", "/-/healthy"):
        state = "Ready" if path == "/-/ready" else "Healthy"
        return 200, PLAIN, f"Prometheus Server is {state}.\n".encode()
    values_of = _VALUES_PATH.fullmatch(path)
    route: _Route | None
    methods: tuple[str, ...]
    if values_of:
        route, methods = partial(_label_values, label=values_of[1]), ("GET",)
    else:
        route, methods = _ROUTES.get(path, (None, ()))
    if route is None:
        return NOT_FOUND
    if method not in methods:
        return METHOD_NOT_ALLOWED
    try:
        return _json(200, {"status": "success", "data": route(tsdb, params)})
    except promql.BadQuery as error:
        return _error(400, "bad_data", _query_error("query", error))
    except _RefusedError as error:
        return _error(400, "bad_data", str(error))
    except promql.ExecutionError as error:
        return _error(422, "execution", str(error))


def _json(status: int, body: dict[str, Any]) -> Answer:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return status, JSON, text.encode()


def _error(status: int, kind: str, message: str) -> Answer:
    return _json(status, {"status": "error", "errorType": kind, "error": message})


def _query_error(parameter: str, error: promql.BadQuery) -> str:
    prefix = f'invalid parameter "{parameter}": '
    if isinstance(error, Unsupported):
        return prefix + str(error)
    column = f"1:{error.column}: " if error.column else ""
    return f"{prefix}{column}parse error: {error}"


def _query(tsdb: Tsdb, params: Params) -> dict[str, Any]:
    text = first(params, "time")
    at_ms = _time_ms(text, "time", "Invalid time value for 'time': ") if text else _now_ms(tsdb)
    _check_timeout(params)
    tree = _unwrapped(promql.parse(first(params, "query")))
    times = np.array([at_ms], dtype=np.int64)
    if isinstance(tree, ast.StringLiteral):
        return {"resultType": "string", "result": [seconds(at_ms), tree.val]}
    if isinstance(tree, ast.MatrixSelector | ast.SubqueryExpr):
        return {"resultType": "matrix", "result": _samples(tsdb, tree, times)}
    value = promql.evaluate(tsdb, tree, times)
    if not isinstance(value, Vector):
        point = [seconds(at_ms), number_text(float(value[0]))]
        return {"resultType": "scalar", "result": point}
    result = [
        {
            "metric": _sorted(value.labels[row]),
            "value": [seconds(at_ms), number_text(float(value.values[row, 0]))],
        }
        for row in np.flatnonzero(value.present[:, 0])
    ]
    return {"resultType": "vector", "result": result}


def _samples(tsdb: Tsdb, tree: Any, times: Any) -> list[dict[str, Any]]:
    found = []
    for labels, windows in promql.samples(tsdb, tree, times):
        held = slice(int(windows.low[0]), int(windows.high[0]))
        pairs = zip(windows.times[held].tolist(), windows.values[held].tolist(), strict=True)
        points = [[seconds(at_ms), number_text(value)] for at_ms, value in pairs]
        if points:
            found.append({"metric": _sorted(labels), "values": points})
    return sorted(found, key=lambda series: list(series["metric"].items()))


def _query_range(tsdb: Tsdb, params: Params) -> dict[str, Any]:
    start_ms = _time_ms(first(params, "start"), "start")
    end_ms = _time_ms(first(params, "end"), "end")
    if end_ms < start_ms:
        raise _RefusedError('invalid parameter "end": end timestamp must not be before start time')
    step_ms = round(_duration(params, "step") * 1000)
    if step_ms <= 0:
        raise _RefusedError(
            'invalid parameter "step": zero or negative query resolution step widths are not '
            "accepted. Try a positive integer"
        )
    if (end_ms - start_ms) // step_ms > MAX_POINTS:
        raise _RefusedError(
            "exceeded maximum resolution of 11,000 points per timeseries. "
            "Try decreasing the query resolution (?step=XX)"
        )
    _check_timeout(params)
    tree = promql.parse(first(params, "query"))
    for kinds, name in (
        (ast.MatrixSelector | ast.SubqueryExpr, "range vector"),
        (ast.StringLiteral, "string"),
    ):
        if isinstance(_unwrapped(tree), kinds):
            raise _RefusedError(
                f'invalid expression type "{name}" for range query, '
                "must be Scalar or instant Vector"
            )
    times = promql.steps_ms(start_ms, end_ms, step_ms)
    result = [
        {
            "metric": _sorted(labels),
            "values": [[seconds(round(at * 1000)), number_text(value)] for at, value in points],
        }
        for labels, points in promql.as_matrix(promql.evaluate(tsdb, tree, times), times)
    ]
    return {"resultType": "matrix", "result": result}


def _series(tsdb: Tsdb, params: Params) -> list[Labels]:
    if not params.get("match[]"):
        raise _RefusedError("no match[] parameter provided")
    return [_sorted(labels) for labels in _matching_series(tsdb, params)]


def _labels(tsdb: Tsdb, params: Params) -> list[str]:
    return sorted({name for labels in _matching_series(tsdb, params) for name in labels})


def _label_values(tsdb: Tsdb, params: Params, *, label: str) -> list[str]:
    if not _LABEL_NAME.fullmatch(label):
        raise _RefusedError(f'invalid label name: "{label}"')
    found = _matching_series(tsdb, params)
    return sorted({labels[label] for labels in found if label in labels})


def _matching_series(tsdb: Tsdb, params: Params) -> list[Labels]:
    """Series that any of `match[]` selects (all without one), in the time range, sorted."""
    bounds: list[float | None] = []
    for name in ("start", "end"):
        text = first(params, name)
        note = f"Invalid time value for '{name}': "
        bounds.append(_time_ms(text, name, note) / 1000 if text else None)
    selectors = [_selector(text) for text in params.get("match[]", ())] or [[]]
    found = {
        key_of(labels): labels
        for matchers in selectors
        for labels in tsdb.series(matchers, bounds[0], bounds[1])
    }
    return [found[key] for key in sorted(found)]


def _selector(text: str) -> list[Matcher]:
    try:
        tree = promql.parse(text)
        if not isinstance(tree, ast.VectorSelector):
            raise promql.BadQuery("expected a series selector")
        return matchers_of(tree)
    except promql.BadQuery as error:
        raise _RefusedError(_query_error("match[]", error)) from error


def _metadata(tsdb: Tsdb, params: Params) -> dict[str, Any]:
    text = first(params, "limit")
    if text and not re.fullmatch(r"[+-]?\d+", text):
        raise _RefusedError("limit must be a number")
    limit = int(text) if text else -1
    wanted = first(params, "metric")
    found = {
        name: [{"type": kind, "help": about, "unit": unit}]
        for name, (kind, about, unit) in tsdb.described().items()
        if wanted in ("", name)
    }
    return dict(list(found.items())[:limit] if limit >= 0 else found)


def _buildinfo(tsdb: Tsdb, params: Params) -> dict[str, str]:
    blank = dict.fromkeys(("revision", "branch", "buildUser", "buildDate", "goVersion"), "")
    return {"version": VERSION, **blank}


def _time_ms(text: str, name: str, note: str = "") -> int:
    value = go_float(text)
    if value is not None:
        return round(value * 1000)
    at_ns = rfc3339_ns(text)
    if at_ns is None:
        raise _RefusedError(
            f'invalid parameter "{name}": {note}cannot parse "{text}" to a valid timestamp'
        )
    return at_ns // 1_000_000


def _now_ms(tsdb: Tsdb) -> int:
    """Without `time` the lab answers for its own newest moment: its clock is the samples'."""
    return tsdb.newest_ms


def _duration(params: Params, name: str) -> float:
    text = first(params, name)
    value = duration_seconds(text)
    if value is None:
        raise _RefusedError(
            f'invalid parameter "{name}": cannot parse "{text}" to a valid duration'
        )
    return value


def _check_timeout(params: Params) -> None:
    if first(params, "timeout"):
        _duration(params, "timeout")


def _unwrapped(tree: Any) -> Any:
    while isinstance(tree, ast.ParenExpr):
        tree = tree.expr
    return tree


def _sorted(labels: Labels) -> Labels:
    return dict(sorted(labels.items()))


_ROUTES: dict[str, tuple[_Route, tuple[str, ...]]] = {
    "/api/v1/query": (_query, ("GET", "POST")),
    "/api/v1/query_range": (_query_range, ("GET", "POST")),
    "/api/v1/series": (_series, ("GET", "POST")),
    "/api/v1/labels": (_labels, ("GET", "POST")),
    "/api/v1/metadata": (_metadata, ("GET",)),
    "/api/v1/status/buildinfo": (_buildinfo, ("GET",)),
}
