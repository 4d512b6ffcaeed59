"""Reads the process environment for settings.py and remembers what was wrong with it.

A bad value never raises here: it is kept as a Problem, a safe default is used, and
`reliability_studio.checks` turns every problem into a system check error with an id.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TypeVar
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Problem:
    id: str
    variable: str
    message: str
    hint: str


PROBLEMS: list[Problem] = []

Number = TypeVar("Number", int, float)

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def report(id: str, variable: str, message: str, hint: str) -> None:
    PROBLEMS.append(Problem(id, variable, message, hint))


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip() or default


def boolean(name: str, default: bool = False) -> bool:
    raw = os.environ.get(name)
    if raw is None:
        return default
    if raw.strip().lower() in TRUE:
        return True
    if raw.strip().lower() in FALSE:
        return False
    report("studio.E001", name, f"{name} is {raw!r}, not a boolean.", "Use 1 or 0.")
    return default


def number(
    name: str, default: Number, *, low: float, high: float, read: Callable[[str], Number]
) -> Number:
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    try:
        value = read(raw)
    except ValueError:
        report("studio.E002", name, f"{name} is {raw!r}, not a number.", f"Example: {default}.")
        return default
    if not low <= value <= high:
        report("studio.E003", name, f"{name} is {raw}.", f"Use a value from {low} to {high}.")
        return default
    return value


def integer(name: str, default: int, *, low: int = 0, high: int = 10**9) -> int:
    return number(name, default, low=low, high=high, read=int)


def seconds(name: str, default: float, *, low: float = 0.0, high: float = 1e9) -> float:
    return number(name, default, low=low, high=high, read=float)


def listing(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def networks(name: str) -> list[str]:
    """CIDR networks; one that is none is reported and left out."""
    found = []
    for part in listing(name):
        try:
            ip_network(part, strict=False)
        except ValueError:
            hint = "Use CIDR notation: 10.20.0.0/16, 192.0.2.7/32."
            report("studio.E061", name, f"{name} contains {part!r}, no network.", hint)
        else:
            found.append(part)
    return found


def url(name: str, schemes: tuple[str, ...] = ("http", "https")) -> str:
    """The URL, or "" when the variable is unset or unusable."""
    raw = os.environ.get(name, "").strip()
    if not raw:
        return ""
    try:
        parts = urlsplit(raw)
        usable = parts.scheme in schemes and (bool(parts.hostname) or parts.scheme == "unix")
        _ = parts.port
    except ValueError:
        usable = False
    if usable:
        return raw.rstrip("/") if parts.scheme in ("http", "https") else raw
    report(
        "studio.E004",
        name,
        f"{name} is not a usable URL.",
        f"Give an absolute URL with one of: {', '.join(schemes)}.",
    )
    return ""
