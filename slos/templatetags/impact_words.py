"""How templates write the numbers of an impact."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def figure(value: Any) -> Any:
    """1234.567 -> "1,235", 12.3456 -> "12.3", 0.0123 -> "0.0123"; text stays."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if not math.isfinite(value):
        return "unknown"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


@register.filter
def share(value: float | None) -> str:
    """0.99951 -> "99.951 %", -0.5 -> "-50 %"; None -> "unknown"."""
    if value is None or not math.isfinite(value):
        return "unknown"
    percent = 100 * value
    digits = 3 if abs(percent) > 99 and abs(percent) < 100 else 2
    text = f"{percent:,.{digits}f}".rstrip("0").rstrip(".")
    return f"{'0' if text in ('-0', '') else text} %"


@register.filter
def budget_words(slo: Mapping[str, Any]) -> str:
    """What is left of an SLO's budget, as the impact keeps it; "not enough data" where too little
    of its period was known to say that it is spent."""
    if slo.get("budget_undecided"):
        return "not enough data"
    return share(slo["budget_remaining"])


@register.filter
def spaced(name: str) -> str:
    """active_users -> "active users"."""
    return name.replace("_", " ")
