"""Whether a data source's options can be used: names, shapes, and that what is written parses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from correlation.metrics import profiles
from correlation.metrics.overrides import source_query_problems
from correlation.metrics.profiles import ProfileError
from correlation.metrics.promql_templates import check_filter
from correlation.sources import KIND_NAMES

Problems = dict[str, str]


def check_options(kind: str, options: Any) -> Problems:
    """What is wrong, in words, by option (or path below it); empty when nothing is."""
    if not isinstance(options, dict):
        return {"options": "must be an object"}
    known = {**_EVERY, **_OF_KIND.get(kind, {})}
    found: Problems = {}
    for name, value in options.items():
        if name not in known:
            label = KIND_NAMES.get(kind, kind)
            found[str(name)] = f"is no option of {label}; there are: {', '.join(sorted(known))}"
        else:
            found |= known[name](name, value)
    return found


def _number(name: str, value: Any) -> Problems:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if good and math.isfinite(value) and value > 0:
        return {}
    return {name: "must be a positive number"}


def _text(name: str, value: Any) -> Problems:
    return {} if isinstance(value, str) else {name: "must be text"}


def _texts(name: str, value: Any) -> Problems:
    if isinstance(value, list) and all(isinstance(one, str) and one for one in value):
        return {}
    return {name: "must be a list of texts"}


def _profile(name: str, value: Any) -> Problems:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        return {name: "must be a name or a list of names"}
    try:
        for one in filter(None, listed):
            profiles.load(one)
    except ProfileError as error:
        return {name: str(error)}
    return {}


def _filter(name: str, value: Any) -> Problems:
    if not isinstance(value, str):
        return {name: "must be text"}
    try:
        check_filter(value)
    except ValueError as error:
        return {name: str(error)}
    return {}


def _queries(name: str, value: Any) -> Problems:
    return source_query_problems(value)


def _selector(name: str, value: Any) -> Problems:
    if isinstance(value, str) and value.strip().startswith("{") and value.strip().endswith("}"):
        return {}
    return {name: 'must be a stream selector in braces, such as {app=~"$services"}'}


_Checks = Mapping[str, Callable[[str, Any], Problems]]

_EVERY: _Checks = {"concurrency": _number, "max_bytes": _number}
_OF_KIND: Mapping[str, _Checks] = {
    "prometheus": {
        "profile": _profile,
        "filter": _filter,
        "queries": _queries,
        "scrape_interval_seconds": _number,
        "step_seconds": _number,
        "window_seconds": _number,
    },
    "loki": {
        "selector": _selector,
        "level_label": _text,
        "service_labels": _texts,
        "level_labels": _texts,
        "limit": _number,
        "step_seconds": _number,
    },
    "tempo": {"step_seconds": _number},
    "kubernetes": {"namespaces": _texts},
}
