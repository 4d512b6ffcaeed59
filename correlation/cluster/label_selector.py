"""Kubernetes label selectors, read and evaluated here: one list then serves every service."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

Labels = Mapping[str, str]
Matches = Callable[[Labels], bool]

_KEY = r"(?P<key>[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?)"
_SET = re.compile(rf"{_KEY}\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUAL = re.compile(rf"{_KEY}\s*(?P<operator>==|!=|=)\s*(?P<value>[A-Za-z0-9._-]*)")
_EXISTS = re.compile(rf"(?P<absent>!?)\s*{_KEY}")
_COMMA = re.compile(r",(?![^(]*\))")


@lru_cache(maxsize=512)
def selector(text: str) -> Matches:
    """A test of labels against `text`, as `kubectl -l` reads it; "" matches everything.

    `!=` and `notin` also match where the label is missing. Raises ValueError naming the part
    that cannot be read.
    """
    tests = [_requirement(part.strip()) for part in _COMMA.split(text)] if text.strip() else []
    return lambda labels: all(test(labels) for test in tests)


def _requirement(text: str) -> Matches:
    if found := _SET.fullmatch(text):
        key = found["key"]
        values = frozenset(value.strip() for value in found["values"].split(","))
        inside = found["operator"] == "in"
        return lambda labels: (key in labels and labels[key] in values) == inside
    if found := _EQUAL.fullmatch(text):
        key, value, equal = found["key"], found["value"], found["operator"] != "!="
        return lambda labels: (labels.get(key) == value) == equal
    if found := _EXISTS.fullmatch(text):
        key, wanted = found["key"], not found["absent"]
        return lambda labels: (key in labels) == wanted
    raise ValueError(f"label selector: {text!r} cannot be read")
