"""What firings of one correlation key meet: the open incident that takes them, the survivor of a
merge, one that was resolved just now, or none. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Max

from incidents.intake.placement import Rule, taken
from incidents.merges.survivors import survivor_of
from incidents.models import Incident, Status


@dataclass(frozen=True)
class Prospect:
    """`takes` firings, the oldest first, go to `incident` (None: to one that is to be opened).

    `outlived` is the open incident whose window is over: it gives up the key. `through` is the
    merged one whose key leads to `incident`.
    """

    how: Literal["key", "merged", "reopened", "opened"]
    takes: int
    why: str
    incident: Incident | None = None
    outlived: Incident | None = None
    through: Incident | None = None


def look(rule: Rule, key: str, firings: Sequence[datetime], received_at: datetime) -> Prospect:
    """Where firings go that began at `firings`, oldest first."""
    holder = Incident.objects.active().filter(correlation_key=key).first()
    if holder is not None:
        return _with_holder(rule, holder, firings)
    alone = taken(rule, firings[0], firings[0], firings)
    last = Incident.objects.filter(correlation_key=key).order_by("-number").first()
    survivor = None if last is None else survivor_of(last)
    if last is not None and survivor is not None:
        through = last if last.merged_into_id else None
        if not survivor.is_resolved:
            why = f"{last.reference} was merged into {survivor.reference}."
            return Prospect("merged", alone, why, survivor, through=through)
        assert survivor.resolved_at is not None
        if not survivor.closed_as and received_at - survivor.resolved_at <= rule.reopen_window:
            minutes = rule.reopen_window.total_seconds() / 60
            why = f"Fired again within {minutes:g} min of the resolution."
            return Prospect("reopened", alone, why, survivor, through=through)
    return Prospect("opened", alone, "No open incident has its key.")


def _with_holder(rule: Rule, holder: Incident, firings: Sequence[datetime]) -> Prospect:
    began_at = last_at = holder.started_at
    if rule.window == "fixed":
        # one that is open again has begun anew: what reopened it is not to be alone in it
        steps = holder.status_changes.filter(from_status=Status.RESOLVED)
        began_at = steps.aggregate(at=Max("at"))["at"] or began_at
    if rule.window == "rolling":
        newest = holder.occurrences.aggregate(at=Max("started_at"))["at"]
        last_at = max(last_at, newest or last_at)
    takes = taken(rule, began_at, last_at, firings)
    if takes:
        return Prospect("key", takes, f"{holder.reference} is open and has its key.", holder)
    alone = taken(rule, firings[0], firings[0], firings)
    why = f"The window of {holder.reference}, which has its key, is over."
    return Prospect("opened", alone, why, outlived=holder)
