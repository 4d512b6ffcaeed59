"""From a stored line to the labels that a LogQL pipeline sees: level, logfmt, json, filters."""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lab.logql_tree import LineFilter, NumberFilter, Parse, Pick, Stage
from lab.logstore import Entry
from lab.matchers import Matcher

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
_LEVEL_FIELDS = ("level", "LEVEL", "Level", "log.level", "severity", "SEVERITY", "Severity")
_LEVEL_FIELDS_SHORT = ("SeverityText", "lvl", "LVL", "Lvl", "severity_text", "Severity_Text")
# Words are looked for in this order when a line names no level by field.
_LEVEL_WORDS = "trace", "debug", "fatal", "critical", "error", "err", "warning", "warn", "info"
_PAIR = re.compile(r'([^\s="]+)=("(?:[^"\\]|\\.)*"(?=\s|$)|[^\s"=]*(?=\s|$))|\S+')
_COMPARE = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
JSON_ERROR = {
    "__error__": "JSONParserErr",
    "__error_details__": "Value looks like object, but can't find closing '}' symbol",
}


def detected_level(labels: Mapping[str, str], entry: Entry) -> str:
    """The level that Loki adds: from a label, structured metadata or the line itself."""
    fields = (*_LEVEL_FIELDS, *_LEVEL_FIELDS_SHORT)
    for source in (entry.metadata, labels):
        for name in fields:
            if name in source:
                return _LEVELS.get(source[name].lower(), source[name].lower())
    line = entry.line.strip()
    named: Mapping[str, str] = {}
    if line.startswith("{") and line.endswith("}"):
        named = json_fields(line) or {}
    elif "=" in line:
        named = dict(logfmt_pairs(line))
    for name in fields:
        if named.get(name, "").lower() in _LEVELS:
            return _LEVELS[named[name].lower()]
    lowered = entry.line.lower()
    found = (word for word in _LEVEL_WORDS if re.search(rf"\b{word}\b", lowered))
    return _LEVELS.get(next(found, ""), "unknown")


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


def _label_name(key: str) -> str:
    name = re.sub(r"[^a-zA-Z0-9_]", "_", key)
    return f"_{name}" if name[:1].isdigit() else name


def processed(labels: Mapping[str, str], entry: Entry, stages: Iterable[Stage]) -> Labels | None:
    """The labels of a line after its pipeline, None when a filter drops it."""
    base = {**labels, **entry.metadata}
    base.setdefault("detected_level", detected_level(labels, entry))
    known = dict(base)
    for stage in stages:
        match stage:
            case LineFilter():
                if not stage.keeps(entry.line):
                    return None
            case Matcher():
                if not stage.matches(known.get(stage.name, "")):
                    return None
            case NumberFilter():
                if not _number_passes(known, stage):
                    return None
            case Pick():
                known = {
                    name: value
                    for name, value in known.items()
                    if (name in stage.names) == stage.keep
                }
            case Parse():
                _extract(known, base, entry.line, stage.format)
    return known


def _extract(known: Labels, base: Labels, line: str, format_name: str) -> None:
    fields = json_fields(line) if format_name == "json" else dict(logfmt_pairs(line))
    if fields is None:
        known.update(JSON_ERROR)
        return
    for key, value in fields.items():
        name = _label_name(key)
        known[f"{name}_extracted" if name in base else name] = value


def _number_passes(known: Labels, stage: NumberFilter) -> bool:
    """Lines without the label are dropped; one that is no number is kept, with an error."""
    text = known.get(stage.name, "")
    if "__error__" in known:
        return True
    if not text:
        return False
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        known["__error__"] = "LabelFilterErr"
        known["__error_details__"] = f'strconv.ParseFloat: parsing "{text}": invalid syntax'
        return True
    return bool(_COMPARE[stage.op](value, stage.value))
