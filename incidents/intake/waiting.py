"""Firings that wait for others of their key, once their rule is changed, switched off or deleted:
what still fires is not left without an incident."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from incidents.intake import joining, placing, screening
from incidents.intake.placing import Placed
from incidents.models import AlertOccurrence

AT_ONCE = 1000
"""Firings looked at together."""


def release() -> int:
    """Give incidents to what waits, still fires and would not have to wait as the rules are now;
    how many were looked at for that. A few queries for each AT_ONCE that wait."""
    rows = AlertOccurrence.objects.filter(incident=None, resolved_at=None).exclude(waiting_key="")
    waiting = list(rows.order_by("waiting_key", "started_at", "id").values_list("pk", flat=True))
    parts = (waiting[start : start + AT_ONCE] for start in range(0, len(waiting), AT_ONCE))
    return sum(_release(part) for part in parts)


def _release(wanted: Sequence[UUID]) -> int:
    rows = AlertOccurrence.objects.filter(pk__in=wanted, incident=None, resolved_at=None)
    rows = rows.select_related("alert__source", "delivery").defer("delivery__body")
    passed = screening.passed(list(rows.order_by("started_at", "id")))
    due = [placed for placed in placing.by_key(placing.place(passed)) if _is_due(placed)]
    for placed in due:
        joining.join(placed)
    return sum(map(len, due))


def _is_due(placed: Sequence[Placed]) -> bool:
    """Whether they have another key than the one they wait for, or are enough by themselves."""
    if any(one.occurrence.waiting_key != one.key for one in placed):
        return True
    rule, newest = placed[0].rule, max(one.occurrence.started_at for one in placed)
    since = newest - rule.window_length
    young = [one for one in placed if one.occurrence.started_at >= since]
    return len(young) >= rule.minimum_alerts
