"""The order an incident's moments must keep; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

CORRECTABLE = ("started_at", "detected_at", "acknowledged_at")
ORDER = (
    ("started_at", "detected_at"),
    ("started_at", "acknowledged_at"),
    ("started_at", "mitigated_at"),
    ("started_at", "resolved_at"),
    ("acknowledged_at", "mitigated_at"),
    ("acknowledged_at", "resolved_at"),
    ("mitigated_at", "resolved_at"),
)
"""(earlier, later): the two may be equal."""


def out_of_order(
    moments: Mapping[str, datetime | None], corrected: Mapping[str, datetime], now: datetime
) -> dict[str, str]:
    """What is wrong with the `corrected` moments among all `moments`, by name; empty when right.

    Only pairs that a correction touches are looked at: it does not answer for older disorder.
    """
    wrong: dict[str, str] = {}
    after = {**moments, **corrected}
    for name, at in corrected.items():
        if at > now:
            wrong[name] = "It cannot be in the future."
    for earlier, later in ORDER:
        first, second = after.get(earlier), after.get(later)
        if first is None or second is None or first <= second:
            continue
        if earlier in corrected:
            wrong.setdefault(earlier, f"It cannot be after {later}, {words(second)}.")
        elif later in corrected:
            wrong.setdefault(later, f"It cannot be before {earlier}, {words(first)}.")
    return wrong


def words(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
