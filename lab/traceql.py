"""The TraceQL of searches: one span set with && and ||, select(), and the most_recent hint."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from lab.otlp import FlatSpan, resource_attributes

Matches = Callable[[FlatSpan], bool]

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}

_QUERY = re.compile(
    r'\s*\{(?P<inside>(?:[^{}"]|"(?:[^"\\]|\\.)*")*)\}\s*'
    r"(?:\|\s*select\((?P<select>[^()]*)\)\s*)?"
    r"(?P<with>with\s*\(\s*most_recent\s*=\s*true\s*\))?\s*"
)
_CONDITION = re.compile(
    r"\s*(?P<field>resource\.service\.name|\.service\.name|status|duration|name|kind)\s*"
    r'(?P<op>=~|!~|!=|>=|<=|=|>|<)\s*(?P<value>"(?:[^"\\]|\\.)*"|[\w.µ]+)\s*'
)
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": lambda took, limit: took > limit,
    ">=": lambda took, limit: took >= limit,
    "<": lambda took, limit: took < limit,
    "<=": lambda took, limit: took <= limit,
    "=": lambda took, limit: took == limit,
    "!=": lambda took, limit: took != limit,
}
_INTRINSIC: dict[str, Callable[[FlatSpan], str]] = {
    "status": lambda span: "error" if span.error else "unset",
    "kind": lambda span: span.kind.removeprefix("SPAN_KIND_").lower(),
    "name": lambda span: span.name,
    "statusMessage": lambda span: span.message,
}


class BadRequest(ValueError):
    """Answered 400 with this text."""


@dataclass(frozen=True)
class Search:
    """`fields` are what the query names: a matched span is shown with them."""

    matches: Matches
    fields: tuple[str, ...]
    newest_first: bool


def parse(query: str) -> Search:
    """Raises BadRequest for what the lab does not know."""
    found = _QUERY.fullmatch(query)
    if not found:
        raise not_supported(query)
    fields: list[str] = []
    inside = found["inside"]
    matches: Matches = (lambda _: True) if not inside.strip() else _whole(inside, fields)
    fields += [name.strip() for name in (found["select"] or "").split(",") if name.strip()]
    return Search(matches, tuple(dict.fromkeys(fields)), bool(found["with"]))


def not_supported(what: str) -> BadRequest:
    return BadRequest(f"not supported by the lab: {what}")


def shown(span: FlatSpan, field: str) -> tuple[str, str | int] | None:
    """What a search shows of a span for a field it names: (key, value), None where it has none."""
    if field in ("name", "duration"):
        return None  # they stand beside the attributes
    if field in _INTRINSIC:
        value = _INTRINSIC[field](span)
        return (field, value) if value else None
    scope, _, key = field.partition(".")
    if scope in ("resource", ""):
        for one in resource_attributes(span.service, span.pod):
            if one["key"] == key:
                return key, str(one["value"]["stringValue"])
    if scope in ("span", ""):
        return next((pair for pair in span.attributes if pair[0] == key), None)
    return None


def _whole(text: str, fields: list[str]) -> Matches:
    matches, rest = _either(text, fields)
    if rest.strip():
        raise not_supported(rest.strip())
    return matches


def _either(text: str, fields: list[str]) -> tuple[Matches, str]:
    parts = []
    while True:
        part, text = _both(text, fields)
        parts.append(part)
        if not text.lstrip().startswith("||"):
            return (lambda span: any(part(span) for part in parts)), text
        text = text.lstrip()[2:]


def _both(text: str, fields: list[str]) -> tuple[Matches, str]:
    parts = []
    while True:
        part, text = _one(text, fields)
        parts.append(part)
        if not text.lstrip().startswith("&&"):
            return (lambda span: all(part(span) for part in parts)), text
        text = text.lstrip()[2:]


def _one(text: str, fields: list[str]) -> tuple[Matches, str]:
    if text.lstrip().startswith("("):
        inner, rest = _either(text.lstrip()[1:], fields)
        if not rest.lstrip().startswith(")"):
            raise not_supported(text.strip())
        return inner, rest.lstrip()[1:]
    found = _CONDITION.match(text)
    if not found:
        raise not_supported(text.strip() or "an empty condition")
    fields.append(found["field"])
    return _condition(found["field"], found["op"], found["value"], found[0].strip()), (
        text[found.end() :]
    )


def _condition(name: str, op: str, raw: str, text: str) -> Matches:
    if name == "duration":
        amount = re.fullmatch(r"(\d+(?:\.\d+)?)([a-zµ]+)", raw)
        if not amount or amount[2] not in UNITS or op not in _COMPARE:
            raise not_supported(text)
        limit = float(amount[1]) * UNITS[amount[2]]
        return lambda span: _COMPARE[op](span.ended - span.began, limit)
    if op not in ("=", "!=", "=~", "!~"):
        raise not_supported(text)
    quoted = raw.startswith('"')
    if quoted != (name not in ("status", "kind")) or (not quoted and op in ("=~", "!~")):
        raise not_supported(text)
    value = json.loads(raw) if quoted else raw
    if name == "status" and value not in ("error", "ok", "unset"):
        raise not_supported(text)
    read = _INTRINSIC.get(name, lambda span: span.service)
    if op in ("=~", "!~"):
        try:
            pattern = re.compile(value)
        except re.error as error:
            raise BadRequest(f"invalid TraceQL query: {error}") from error
        return lambda span: bool(pattern.fullmatch(read(span))) == (op == "=~")
    return lambda span: (read(span) == value) == (op == "=")
