"""Fields of a rule's document, each read with what is wrong with it noted by path. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from correlation.rules import vocabulary as words
from incidents.pattern_safety import BadPattern, compile_pattern

NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
GLOB = re.compile(r"[A-Za-z0-9_.*?-]{1,100}")
MOST_SERVICES = 50

Problems = dict[str, list[str]]


class Fields:
    """Reads values; what cannot be used is noted in `problems` and read as nothing."""

    def __init__(self) -> None:
        self.problems: Problems = {}

    def refuse(self, path: str, message: str) -> None:
        self.problems.setdefault(path, []).append(message)

    def known(self, raw: Mapping[str, Any], fields: tuple[str, ...], where: str) -> None:
        for name in sorted(str(key) for key in raw if key not in fields):
            path = f"{where}.{name}" if where else name
            self.refuse(path, f"There is no such field; here are {', '.join(fields)}.")

    def text(self, raw: Mapping[str, Any], name: str, where: str = "", needed: bool = False) -> str:
        value, path = raw.get(name), f"{where}.{name}" if where else name
        if value is None and not needed:
            return ""
        most = words.TEXT_LENGTHS.get(name, 100)
        if not isinstance(value, str) or (needed and not value.strip()):
            self.refuse(path, "This must be a text.")
        elif len(value) > most:
            self.refuse(path, f"This is {len(value)} characters long; {most} are allowed.")
        elif not value.isprintable():
            self.refuse(path, "This must be one line of text.")
        else:
            return value
        return ""

    def one_of(
        self,
        raw: Mapping[str, Any],
        name: str,
        allowed: tuple[str, ...],
        where: str,
        default: str | None = None,
    ) -> str:
        value = raw.get(name, default)
        if isinstance(value, str) and (value in allowed or value == default):
            return value
        self.refuse(f"{where}.{name}", f"{value!r:.60} is none of {', '.join(allowed)}.")
        return ""

    def number(
        self, raw: Mapping[str, Any], name: str, where: str, low: float, high: float
    ) -> float | None:
        value = raw.get(name)
        if value is None:
            return None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and low <= value <= high:
            return float(value)
        path = f"{where}.{name}" if where else name
        self.refuse(path, f"This must be a number from {low:g} to {high:g}.")
        return None

    def pattern(self, raw: Mapping[str, Any], name: str, where: str) -> re.Pattern[str] | None:
        value = raw.get(name)
        if not isinstance(value, str):
            self.refuse(f"{where}.{name}", "This must be a regular expression.")
            return None
        try:
            return compile_pattern(value)
        except BadPattern as error:
            self.refuse(f"{where}.{name}", f"The pattern {error}.")
            return None

    def choices(
        self, raw: Mapping[str, Any], name: str, allowed: tuple[str, ...]
    ) -> tuple[str, ...]:
        given = raw.get(name) or []
        if not isinstance(given, list) or any(one not in allowed for one in given):
            self.refuse(name, f"This is a list of {', '.join(allowed)}.")
            return ()
        return tuple(given)

    def globs(self, raw: Mapping[str, Any]) -> tuple[str, ...]:
        given = raw.get("services") or []
        right = isinstance(given, list) and len(given) <= MOST_SERVICES
        if not right or not all(isinstance(one, str) and GLOB.fullmatch(one) for one in given):
            self.refuse("services", "This is a list of service names; * stands for any letters.")
            return ()
        return tuple(given)
