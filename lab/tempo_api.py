"""The part of Tempo's HTTP API that the product uses; everything else is a 400 or 404."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from lab.mesh import Request
from lab.otlp import FlatSpan, attribute, flatten, nanoseconds, resource_spans
from lab.traceql import BadRequest, not_supported, parse, shown
from lab.traces import TraceStore

JSON = "application/json"
PLAIN = "text/plain; charset=utf-8"
Answer = tuple[int, str, bytes]
Params = dict[str, list[str]]

DEFAULT_LIMIT = 20
MOST_LIMIT = 262_144
DEFAULT_SPANS = 3
MOST_SECONDS = 4_000_000_000
RECENT_SECONDS = 3600.0


def _whole(params: Params, name: str) -> int | None:
    text = params.get(name, [""])[0]
    if not text:
        return None
    if not text.isdecimal():
        raise BadRequest(f'invalid {name}: strconv.ParseUint: parsing "{text}": invalid syntax')
    return int(text)


def _window(params: Params) -> tuple[float, float] | None:
    start, end = _whole(params, "start"), _whole(params, "end")
    if start is None or end is None:
        return None
    for name, value in (("start", start), ("end", end)):
        if value > MOST_SECONDS:
            raise BadRequest(
                f'invalid {name}: strconv.ParseInt: parsing "{value}": value out of range'
            )
    if end <= start:
        raise BadRequest(
            f"http parameter start must be before end. received start={start} end={end}"
        )
    return float(start), float(end)


def _candidates(store: TraceStore, params: Params) -> list[Request]:
    window = _window(params)
    if window is not None:
        return store.between(*window)
    newest = store.between(0.0, float(MOST_SECONDS))
    last = newest[0].spans[0].began if newest else 0.0
    return [r for r in newest if r.spans[0].began >= last - RECENT_SECONDS]


def _spans(matched: list[FlatSpan], fields: Sequence[str], most: int) -> dict[str, Any]:
    def told(span: FlatSpan) -> dict[str, Any]:
        pairs = [pair for field in fields if (pair := shown(span, field)) is not None]
        found: dict[str, Any] = {
            "spanID": span.span_id,
            "startTimeUnixNano": nanoseconds(span.began),
            "durationNanos": str(int((span.ended - span.began) * 1e9)),
        }
        if "name" in fields:
            found["name"] = span.name
        attributes = [attribute(key, value) for key, value in pairs]
        return found | ({"attributes": attributes} if attributes else {})

    return {"spans": [told(span) for span in matched[:most]], "matched": len(matched)}


def _search(store: TraceStore, params: Params) -> Answer:
    limit = _whole(params, "limit")
    if limit == 0:
        raise BadRequest("invalid limit: must be a positive number")
    if limit is not None and limit > MOST_LIMIT:
        raise BadRequest(f"limit {limit} exceeds max limit {MOST_LIMIT}")
    most_spans = _whole(params, "spss") or DEFAULT_SPANS
    if "tags" in params:
        raise not_supported("the tags parameter")
    search = parse(params.get("q", ["{}"])[0])
    traces: list[dict[str, Any]] = []
    inspected = 0
    for request in _candidates(store, params):
        inspected += 1
        spans = flatten(request)
        matched = [span for span in spans if search.matches(span)]
        if not matched:
            continue
        root = request.spans[0]
        found = _spans(matched, search.fields, most_spans)
        traces.append(
            {
                # Tempo drops leading zeros of trace ids in search results.
                "traceID": request.trace_id.lstrip("0"),
                "rootServiceName": root.peer,
                "rootTraceName": root.name,
                "startTimeUnixNano": nanoseconds(root.began),
                "durationMs": int((root.ended - root.began) * 1000),
                "spanSet": found,
                "spanSets": [found],
            }
        )
        if len(traces) >= (limit or DEFAULT_LIMIT):
            break
    metrics = {"inspectedBytes": str(inspected * 1000), "completedJobs": 1, "totalJobs": 1}
    return 200, JSON, json.dumps({"traces": traces, "metrics": metrics}).encode()


def _trace_id(text: str) -> str:
    for position, letter in enumerate(text, start=1):
        if letter not in "0123456789abcdefABCDEF":
            raise BadRequest(
                "trace IDs can only contain hex characters: "
                f"invalid character '{letter}' at position {position}"
            )
    if len(text) > 32:
        raise BadRequest("trace IDs can't be larger than 128 bits")
    return text.lower().zfill(32)


def _trace(store: TraceStore, text: str, params: Params, version: int) -> Answer:
    request = store.get(_trace_id(text))
    window = _window(params)
    if request is not None and window is not None:
        began = request.spans[0].began
        if not window[0] <= began <= window[1]:
            request = None
    if request is None:
        if version == 1:
            return 404, "", b""
        return 200, JSON, b'{"trace":{},"metrics":{}}'
    spans = resource_spans(request)
    if version == 1:
        return 200, JSON, json.dumps({"batches": spans}).encode()
    shown = {"trace": {"resourceSpans": spans}, "metrics": {"inspectedBytes": "1000"}}
    return 200, JSON, json.dumps(shown).encode()


def _values(store: TraceStore, tag: str, params: Params) -> list[str]:
    search = parse(params.get("q", ["{}"])[0] or "{}")
    field = f".{tag}" if "." in tag and not tag.startswith(("resource.", "span.", ".")) else tag
    values: set[str] = set()
    for request in _candidates(store, params):
        for span in flatten(request):
            if search.matches(span):
                found = ("name", span.name) if field == "name" else shown(span, field)
                values |= {str(found[1])} if found else set()
    return sorted(values)


def _tag_values(store: TraceStore, tag: str, params: Params, version: int) -> Answer:
    values = _values(store, tag, params)
    kind = "keyword" if tag in ("status", "kind") else "string"
    typed = [{"type": kind, "value": value} for value in values]
    told: dict[str, Any] = {"tagValues": values if version == 1 else typed, "metrics": {}}
    return 200, JSON, json.dumps(told).encode()


def respond(store: TraceStore, method: str, path: str, params: Params) -> Answer:
    """Answer one request (path after the /tempo prefix): (status, content type, body)."""
    if method != "GET":
        return 405, PLAIN, b"method not allowed"
    try:
        if path == "/ready":
            return 200, PLAIN, b"ready\n"
        if path == "/api/echo":
            return 200, PLAIN, b"echo"
        if path == "/api/status/buildinfo":
            shown = dict.fromkeys(("version", "revision", "branch", "buildUser", "buildDate"), "")
            return 200, JSON, json.dumps({**shown, "goVersion": ""}).encode()
        if path == "/api/search":
            return _search(store, params)
        for prefix, version in (("/api/traces/", 1), ("/api/v2/traces/", 2)):
            if path.startswith(prefix):
                return _trace(store, path.removeprefix(prefix), params, version)
        values_of = re.fullmatch(r"/api/(v2/)?search/tag/(.+)/values", path)
        if values_of:
            return _tag_values(store, values_of[2], params, 2 if values_of[1] else 1)
    except BadRequest as bad:
        return 400, PLAIN, str(bad).encode()
    return 404, PLAIN, b"404 page not found\n"
