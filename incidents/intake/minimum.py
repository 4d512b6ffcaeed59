"""Firings whose rule opens an incident only for several of them wait until so many are there."""

from __future__ import annotations

from collections.abc import Sequence

from incidents.intake import placing
from incidents.intake.placement import Rule
from incidents.intake.placing import Placed
from incidents.intake.screening import Screened
from incidents.models import AlertOccurrence


def reached(rule: Rule, key: str, newcomers: Sequence[Placed]) -> list[Placed]:
    """The firings of the key that began within the rule's window before the newest, when they
    are enough; else none. The newcomers are marked first: of two workers that each bring one,
    the later to mark sees both."""
    mine = {one.occurrence.pk: one for one in newcomers}
    waiting = AlertOccurrence.objects.filter(incident=None)
    waiting.filter(pk__in=mine).update(waiting_key=key)
    newest = max(one.occurrence.started_at for one in newcomers)
    rows = list(
        waiting.filter(waiting_key=key, started_at__gte=newest - rule.window_length)
        .select_related("alert__source", "delivery")
        .defer("delivery__body")
        .order_by("started_at", "id")
    )
    if len(rows) < rule.minimum_alerts:
        return []
    others = placing.place([Screened(row) for row in rows if row.pk not in mine])
    placed = [*(mine[row.pk] for row in rows if row.pk in mine), *others]
    # a rule that was changed meanwhile may place the others elsewhere now
    return [one for one in placed if one.key == key]
