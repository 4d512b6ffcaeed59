"""What `Service.selectors` may hold is known by the apps that read it; they register here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Check = Callable[[Any, str], dict[str, str]]
"""(selectors, environment) -> what is wrong, in words, by the path of the field."""

checks: list[Check] = []


def check(value: Any, environment: str) -> dict[str, str]:
    """Everything wrong with `value`, by path such as "prometheus.queries.error_ratio"."""
    found: dict[str, str] = {}
    for one in checks:
        found |= one(value, environment)
    return found
