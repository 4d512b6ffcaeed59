"""Figures in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def impact_words(figures: Mapping[str, Any], currency: str) -> tuple[str, str]:
    """(title, body) of what an incident costs: "Impact: 120 to 340 users, ..."."""
    told = [
        part for part in (_users(figures), _revenue(figures, currency), _budget(figures)) if part
    ]
    title = f"Impact: {', '.join(told)}" if told else "Impact: unknown"
    lines = []
    failed = figures["failed_requests"]
    if failed["value"] is not None:
        lines.append(f"{failed['value']:,.0f} requests failed beyond the usual.")
    severity = figures["severity"]
    if severity["value"]:
        lines.append(f"Severity by impact: {severity['value']} ({severity['reason']}).")
    missing = sorted(
        {one["missing"] for one in figures.values() if one["missing"] and one["value"] is None}
    )
    if missing:
        lines.append(f"Unknown: {'; '.join(missing)}.")
    return title, "\n".join(lines)


def _users(figures: Mapping[str, Any]) -> str:
    low = figures["users_affected_low"]["value"]
    high = figures["users_affected_high"]["value"]
    if low is None or high is None:
        return ""
    return between(low, high, "users")


def between(low: float, high: float, what: str) -> str:
    """ "120 to 340 users", or one number where they are the same."""
    one, other = f"{low:,.0f}", f"{high:,.0f}"
    return f"{one} {what}" if one == other else f"{one} to {other} {what}"


def _revenue(figures: Mapping[str, Any], currency: str) -> str:
    value = figures["revenue_at_risk_per_hour"]["value"]
    return "" if value is None else f"{value:,.0f} {currency} an hour at risk"


def _budget(figures: Mapping[str, Any]) -> str:
    value = figures["error_budget_burned_percent"]["value"]
    return "" if value is None else f"{value:.3g} % of an error budget"
