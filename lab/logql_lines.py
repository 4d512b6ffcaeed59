"""From a stored line to the labels that a LogQL pipeline leaves it with, or to nothing."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Mapping

from lab.logline import json_fields, logfmt_pairs
from lab.logql_tree import AnyOf, LineFilter, NumberFilter, Parse, Pick, Stage
from lab.logstore import Entry
from lab.matchers import Matcher

Labels = dict[str, str]

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


def _label_name(key: str) -> str:
    name = re.sub(r"[^a-zA-Z0-9_]", "_", key)
    return f"_{name}" if name[:1].isdigit() else name


def processed(labels: Mapping[str, str], entry: Entry, stages: Iterable[Stage]) -> Labels | None:
    """The labels of a line after its pipeline, None when a filter drops it."""
    base = {**labels, **entry.metadata}
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
            case AnyOf():
                if not any(_passes(known, one) for one in stage.filters):
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


def _passes(known: Labels, one: Matcher | NumberFilter) -> bool:
    if isinstance(one, Matcher):
        return one.matches(known.get(one.name, ""))
    return _number_passes(known, one)


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
