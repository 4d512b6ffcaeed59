"""The part of Tempo's HTTP API that the product uses; everything else is a 400 or 404."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from lab.mesh import Request
from lab.otlp import FlatSpan, attribute, flatten, nanoseconds, resource_spans
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
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}

_QUERY = re.compile(
    r"\s*\{(?P<inside>[^{}]*)\}\s*"
    r"(?P<with>with\s*\(\s*most_recent\s*=\s*true\s*\))?\s*"
)
_CONDITION = re.compile(
    r"(?P<field>resource\.service\.name|\.service\.name|status|duration|name|kind)\s*"
    r'(?P<op>=~|!~|!=|>=|<=|=|>|<)\s*(?P<value>"(?:[^"\\]|\\.)*"|[\w.µ]+)'
)

Matches = Callable[[FlatSpan], bool]


class BadRequest(ValueError):
    """Answered 400 with this text."""


def _not_supported(what: str) -> BadRequest:
    return BadRequest(f"not supported by the lab: {what}")


def _condition(text: str) -> tuple[Matches, str]:
    found = _CONDITION.fullmatch(text.strip())
    if not found:
        raise _not_supported(text.strip() or "an empty condition")
    name, op, raw = found["field"], found["op"], found["value"]
    if name == "duration":
        amount = re.fullmatch(r"(\d+(?:\.\d+)?)([a-zµ]+)", raw)
        if not amount or amount[2] not in UNITS or op in ("=~", "!~"):
            raise _not_supported(text.strip())
        seconds = float(amount[1]) * UNITS[amount[2]]
        compare: dict[str, Callable[[float], bool]] = {
            ">": lambda took: took > seconds,
            ">=": lambda took: took >= seconds,
            "<": lambda took: took < seconds,
            "<=": lambda took: took <= seconds,
            "=": lambda took: took == seconds,
            "!=": lambda took: took != seconds,
        }
        return (lambda span: compare[op](span.ended - span.began)), name
    if op not in ("=", "!=", "=~", "!~"):
        raise _not_supported(text.strip())
    quoted = raw.startswith('"')
    if quoted != (name not in ("status", "kind")) or (not quoted and op in ("=~", "!~")):
        raise _not_supported(text.strip())
    value = json.loads(raw) if quoted else raw
    if name == "status" and value not in ("error", "ok", "unset"):
        raise _not_supported(text.strip())
    read: dict[str, Callable[[FlatSpan], str]] = {
        "status": lambda span: "error" if span.error else "unset",
        "kind": lambda span: span.kind.removeprefix("SPAN_KIND_").lower(),
        "name": lambda span: span.name,
    }
    getter = read.get(name, lambda span: span.service)
    if op in ("=~", "!~"):
        try:
            pattern = re.compile(value)
        except re.error as error:
            raise BadRequest(f"invalid TraceQL query: {error}") from error
        return (lambda span: bool(pattern.fullmatch(getter(span))) == (op == "=~")), name
    return (lambda span: (getter(span) == value) == (op == "=")), name


def parse(query: str) -> tuple[list[tuple[Matches, str]], bool]:
    """Conditions that one span must all meet, and whether the newest are wanted first."""
    found = _QUERY.fullmatch(query)
    if not found:
        raise _not_supported(query)
    inside = found["inside"].strip()
    conditions = [_condition(part) for part in inside.split("&&")] if inside else []
    return conditions, bool(found["with"])


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


def _spans(matched: list[FlatSpan], fields: list[str], most: int) -> dict[str, Any]:
    def shown(span: FlatSpan) -> dict[str, Any]:
        attributes = []
        if any(name.endswith("service.name") for name in fields):
            attributes.append(attribute("service.name", span.service))
        if "status" in fields:
            attributes.append(attribute("status", "error" if span.error else "unset"))
        found: dict[str, Any] = {
            "spanID": span.span_id,
            "startTimeUnixNano": nanoseconds(span.began),
            "durationNanos": str(int((span.ended - span.began) * 1e9)),
        }
        if "name" in fields:
            found["name"] = span.name
        return found | ({"attributes": attributes} if attributes else {})

    return {"spans": [shown(span) for span in matched[:most]], "matched": len(matched)}


def _search(store: TraceStore, params: Params) -> Answer:
    limit = _whole(params, "limit")
    if limit == 0:
        raise BadRequest("invalid limit: must be a positive number")
    if limit is not None and limit > MOST_LIMIT:
        raise BadRequest(f"limit {limit} exceeds max limit {MOST_LIMIT}")
    most_spans = _whole(params, "spss") or DEFAULT_SPANS
    if "tags" in params:
        raise _not_supported("the tags parameter")
    conditions, _ = parse(params.get("q", ["{}"])[0])
    fields = [name for _, name in conditions]
    traces: list[dict[str, Any]] = []
    inspected = 0
    for request in _candidates(store, params):
        inspected += 1
        spans = flatten(request)
        matched = [span for span in spans if all(test(span) for test, _ in conditions)]
        if not matched:
            continue
        root = request.spans[0]
        found = _spans(matched, fields, most_spans)
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


def _tag_values(store: TraceStore, tag: str, params: Params) -> Answer:
    conditions, _ = parse(params.get("q", ["{}"])[0] or "{}")
    readers: dict[str, Callable[[FlatSpan], str]] = {
        "resource.service.name": lambda span: span.service,
        "name": lambda span: span.name,
        "status": lambda span: "error" if span.error else "unset",
    }
    reader = readers.get(tag)
    values: set[str] = set()
    if reader is not None:
        for request in _candidates(store, params):
            values |= {
                reader(span)
                for span in flatten(request)
                if all(test(span) for test, _ in conditions)
            }
    kind = "keyword" if tag == "status" else "string"
    shown = {"tagValues": [{"type": kind, "value": v} for v in sorted(values)], "metrics": {}}
    return 200, JSON, json.dumps(shown).encode()


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
        values_of = re.fullmatch(r"/api/v2/search/tag/(.+)/values", path)
        if values_of:
            return _tag_values(store, values_of[1], params)
    except BadRequest as bad:
        return 400, PLAIN, str(bad).encode()
    return 404, PLAIN, b"404 page not found\n"
