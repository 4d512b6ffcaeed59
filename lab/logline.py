"""What a log line says by itself: its fields as logfmt or JSON, and its level."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Labels = dict[str, str]

_LEVELS = {
    "trace": "trace",
    "trc": "trace",
    "debug": "debug",
    "dbg": "debug",
    "info": "info",
    "inf": "info",
    "information": "info",
    "warn": "warn",
    "wrn": "warn",
    "warning": "warn",
    "error": "error",
    "err": "error",
    "critical": "critical",
    "fatal": "fatal",
}
_LEVEL_FIELDS = (
    *("level", "LEVEL", "Level", "log.level", "severity", "SEVERITY", "Severity"),
    *("SeverityText", "lvl", "LVL", "Lvl", "severity_text", "Severity_Text"),
)
# Words are looked for in this order when a line names no level by field.
_LEVEL_WORDS = "trace", "debug", "fatal", "critical", "error", "err", "warning", "warn", "info"
_PAIR = re.compile(r'([^\s="]+)=("(?:[^"\\]|\\.)*"(?=\s|$)|[^\s"=]*(?=\s|$))|\S+')


def detected_level(labels: Mapping[str, str], metadata: Mapping[str, str], line: str) -> str:
    """The level that Loki adds: from structured metadata, a label or the line; else "unknown"."""
    for source in (metadata, labels):
        for name in _LEVEL_FIELDS:
            if name in source:
                return _LEVELS.get(source[name].lower(), source[name].lower())
    text = line.strip()
    named: Mapping[str, str] = {}
    if text.startswith("{") and text.endswith("}"):
        named = json_fields(text) or {}
    elif "=" in text:
        named = dict(logfmt_pairs(text))
    for name in _LEVEL_FIELDS:
        if named.get(name, "").lower() in _LEVELS:
            return _LEVELS[named[name].lower()]
    lowered = line.lower()
    found = (word for word in _LEVEL_WORDS if word in lowered and _stands_alone(word, lowered))
    return _LEVELS.get(next(found, ""), "unknown")


def _stands_alone(word: str, text: str) -> bool:
    return re.search(rf"\b{word}\b", text) is not None


def logfmt_pairs(line: str) -> Iterator[tuple[str, str]]:
    """The key=value pairs of a line; what is no pair is passed over, as Loki does by default."""
    for found in _PAIR.finditer(line):
        key, value = found[1], found[2]
        if key is None or not value:
            continue
        if value.startswith('"'):
            try:
                value = json.loads(value, strict=False)
            except json.JSONDecodeError:
                continue
        if value:
            yield key, value


def json_fields(line: str) -> Labels | None:
    """The fields of a JSON object, nested names joined by _; None when it is not an object."""
    try:
        document = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    return dict(_flattened(document, ""))


def _flattened(document: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{name}_")
        elif isinstance(value, bool):
            yield prefix + name, "true" if value else "false"
        elif isinstance(value, str) and value:  # arrays and nulls are left out
            yield prefix + name, value
