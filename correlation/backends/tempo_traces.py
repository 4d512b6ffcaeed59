"""Traces as Tempo writes them, in any of its shapes, parsed strictly into spans.

Ids come in hex (search) or base64 (trace by id), search drops their leading zeros; enums come
as names or numbers, integers and nanoseconds as text; zero values and empty lists are left out.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from incidents.outbound.http import HttpSource

SpanKind = Literal["server", "client", "internal", "producer", "consumer", ""]

TRACE_DIGITS, SPAN_DIGITS = 32, 16
TEXT_CHARACTERS = 1000
"""Attribute values and messages are kept up to here: stack traces and statements are long."""

_HEX = re.compile(r"[0-9a-fA-F]+")
_KINDS: tuple[SpanKind, ...] = ("", "internal", "server", "client", "producer", "consumer")
_NOT_RECEIVED = "<root span not yet received>"


@dataclass(frozen=True)
class TracedSpan:
    """One span with everything it says. Ids in lower-case hex, `parent_id` "" for a root.

    `start` in epoch seconds, `seconds` its duration. `message` is the status message, or the
    exception's where the status has none; `exception` is its type and message.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: SpanKind
    start: float
    seconds: float
    failed: bool
    message: str = ""
    exception: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    resource: Mapping[str, str] = field(default_factory=dict)

    @property
    def service(self) -> str:
        return self.resource.get("service.name", "")


@dataclass(frozen=True)
class FoundSpan:
    """A span a search matched: what was selected of it stands in `attributes`."""

    span_id: str
    name: str
    start: float
    seconds: float
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundTrace:
    """A trace a search found. `matched` is how many spans did, `spans` the first few of them.

    `root_service` and `root_name` are "" while the root has not been received.
    """

    trace_id: str
    root_service: str
    root_name: str
    start: float
    seconds: float
    spans: tuple[FoundSpan, ...] = ()
    matched: int = 0


def hex_id(http: HttpSource, value: Any, digits: int) -> str:
    """An id as `digits` hex digits: hex (leading zeros may be gone) or base64 of the bytes.

    They cannot be mistaken for each other: base64 of 8 or 16 bytes ends in "=".
    """
    if not isinstance(value, str) or not value:
        http.bad_body("answered an id that is not text")
    if _HEX.fullmatch(value):
        if len(value) > digits:
            http.bad_body(f"answered an id longer than {digits} hex digits")
        return value.lower().zfill(digits)
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        http.bad_body("answered an id that is neither hex nor base64")
    if len(raw) * 2 > digits:
        http.bad_body(f"answered an id longer than {digits} hex digits")
    return raw.hex().zfill(digits)


def read_trace(http: HttpSource, body: Any) -> tuple[TracedSpan, ...]:
    """The spans of a trace by id, v1 ({"batches"}) or v2 ({"trace": {"resourceSpans"}})."""
    if not isinstance(body, dict):
        http.bad_body("answered a trace that is not an object")
    inner = body.get("trace", body)
    if not isinstance(inner, dict):
        http.bad_body("answered a trace that is not an object")
    if "resourceSpans" not in inner and "batches" not in inner:
        if inner is body or inner:
            http.bad_body("answered a trace without resource spans")
        return ()
    batches = _list(http, inner, "resourceSpans") or _list(http, inner, "batches")
    spans: list[TracedSpan] = []
    for batch in batches:
        resource = read_attributes(http, _object(http, batch.get("resource")).get("attributes"))
        scopes = _list(http, batch, "scopeSpans")
        scopes = scopes or _list(http, batch, "instrumentationLibrarySpans")
        spans += [
            _span(http, raw, resource) for scope in scopes for raw in _list(http, scope, "spans")
        ]
    return tuple(spans)


def read_found(http: HttpSource, raw: Any) -> FoundTrace:
    """One trace of a search answer, the spans of all its span sets, each once."""
    if not isinstance(raw, dict):
        http.bad_body("answered a found trace that is not an object")
    sets = _list(http, raw, "spanSets")
    if not sets and raw.get("spanSet") is not None:
        sets = [_object(http, raw["spanSet"])]
    spans: dict[str, FoundSpan] = {}
    matched = 0
    for one in sets:
        for span in _list(http, one, "spans"):
            found = FoundSpan(
                hex_id(http, span.get("spanID"), SPAN_DIGITS),
                _text(http, span.get("name")),
                _whole(http, span.get("startTimeUnixNano")) / 1e9,
                _whole(http, span.get("durationNanos")) / 1e9,
                read_attributes(http, span.get("attributes")),
            )
            spans[found.span_id] = found
        matched += _whole(http, one.get("matched"))
    service = _text(http, raw.get("rootServiceName"))
    return FoundTrace(
        trace_id=hex_id(http, raw.get("traceID"), TRACE_DIGITS),
        root_service="" if service == _NOT_RECEIVED else service,
        root_name=_text(http, raw.get("rootTraceName")),
        start=_whole(http, raw.get("startTimeUnixNano")) / 1e9,
        seconds=_whole(http, raw.get("durationMs")) / 1e3,
        spans=tuple(spans.values()),
        matched=max(matched, len(spans)),
    )


def read_attributes(http: HttpSource, pairs: Any) -> dict[str, str]:
    """Attributes as text by name: numbers as they are written, truth as true or false."""
    if pairs is None:
        return {}
    if not isinstance(pairs, list):
        http.bad_body("answered attributes that are not a list")
    found: dict[str, str] = {}
    for pair in pairs:
        if not isinstance(pair, dict) or not isinstance(pair.get("key"), str):
            http.bad_body("answered an attribute without a key")
        found[pair["key"]] = any_value(http, pair.get("value"))
    return found


def any_value(http: HttpSource, value: Any) -> str:
    """An OTLP any-value as text; an empty one is ""."""
    if value is None:
        return ""
    if not isinstance(value, dict):
        http.bad_body("answered an attribute whose value is not an object")
    for inner in value.values():
        if isinstance(inner, bool):
            return "true" if inner else "false"
        if isinstance(inner, dict):  # arrayValue, kvlistValue
            parts = inner.get("values")
            parts = parts if isinstance(parts, list) else []
            said = [any_value(http, p.get("value", p)) for p in parts if isinstance(p, dict)]
            return ", ".join(said)[:TEXT_CHARACTERS]
        if isinstance(inner, str | int | float):
            return str(inner).replace("\x00", "")[:TEXT_CHARACTERS]
    return ""


def _span(http: HttpSource, raw: dict[str, Any], resource: Mapping[str, str]) -> TracedSpan:
    start = _whole(http, raw.get("startTimeUnixNano"))
    end = _whole(http, raw.get("endTimeUnixNano"))
    status = _object(http, raw.get("status"))
    failed = status.get("code") in ("STATUS_CODE_ERROR", 2, "2")
    message = _text(http, status.get("message"))
    exception = _exception(http, raw)
    parent = raw.get("parentSpanId")
    parent_id = hex_id(http, parent, SPAN_DIGITS) if parent else ""
    return TracedSpan(
        trace_id=hex_id(http, raw.get("traceId"), TRACE_DIGITS),
        span_id=hex_id(http, raw.get("spanId"), SPAN_DIGITS),
        parent_id="" if parent_id.strip("0") == "" else parent_id,
        name=_text(http, raw.get("name")),
        kind=read_kind(raw.get("kind")),
        start=start / 1e9,
        seconds=max(0, end - start) / 1e9,
        failed=failed,
        message=message or (exception if failed else ""),
        exception=exception,
        attributes=read_attributes(http, raw.get("attributes")),
        resource=resource,
    )


def read_kind(value: Any) -> SpanKind:
    """A span kind from OTLP's name or number, or TraceQL's word; "" for what is unknown."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _KINDS[value] if 0 <= value < len(_KINDS) else ""
    word = value.lower().removeprefix("span_kind_") if isinstance(value, str) else ""
    if word.isdecimal():
        return read_kind(int(word))
    return next((kind for kind in _KINDS if kind == word), "")


def _exception(http: HttpSource, raw: dict[str, Any]) -> str:
    """Type and message of the last exception event, "" for none."""
    for event in reversed(_list(http, raw, "events")):
        said = read_attributes(http, event.get("attributes"))
        parts = [said.get("exception.type", ""), said.get("exception.message", "")]
        if any(parts):
            return ": ".join(part for part in parts if part)
    return ""


def _object(http: HttpSource, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        http.bad_body("answered something else than an object inside a trace")
    return value


def _list(http: HttpSource, holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = holder.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        http.bad_body(f"answered {name} that are not a list of objects")
    return value


def _text(http: HttpSource, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        http.bad_body("answered a name or message that is not text")
    return value.replace("\x00", "")[:TEXT_CHARACTERS]


def _whole(http: HttpSource, value: Any) -> int:
    """A whole number written as a number or as text; 0 when left out."""
    if value is None:
        return 0
    if isinstance(value, str) and value.isdecimal() and len(value) <= 20:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if not isinstance(value, float) or not 0 <= value < 1e15:
        http.bad_body("answered a time or count that is not a whole number")
    return int(value)
