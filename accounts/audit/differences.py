"""What an entry changed, field by field, as its page shows it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """`sign` is "+", "-" or " "."""

    sign: str
    text: str


@dataclass(frozen=True)
class Field:
    name: str
    lines: tuple[Line, ...]


def differences(before: Any, after: Any) -> list[Field]:
    """Each field of either with its lines; a field that was made or deleted has one kind only."""
    old = before if isinstance(before, Mapping) else {}
    new = after if isinstance(after, Mapping) else {}
    found = []
    for name in [*old, *(name for name in new if name not in old)]:
        left = _lines(old[name]) if name in old else []
        right = _lines(new[name]) if name in new else []
        found.append(Field(name, tuple(_compared(left, right))))
    return found


def _compared(left: list[str], right: list[str]) -> list[Line]:
    if not left or not right:
        return [Line("-", text) for text in left] + [Line("+", text) for text in right]
    compared = difflib.ndiff(left, right)
    return [Line(line[0], line[2:]) for line in compared if line[0] in "+- "]


def _lines(value: Any) -> list[str]:
    if value is None or value == "":
        return ["(empty)"]
    if isinstance(value, str):
        return value.splitlines() or ["(empty)"]
    if isinstance(value, Mapping | list) and len(json.dumps(value)) > 60:
        return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True).splitlines()
    return [json.dumps(value, ensure_ascii=False, sort_keys=True)]
