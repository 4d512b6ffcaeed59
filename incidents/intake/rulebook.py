"""The grouping rules in force: people's own, then the built-in default."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from incidents.intake.placement import DEFAULT_NAME, Rule
from incidents.models import GroupingRule


def in_force() -> list[Rule]:
    """Enabled rules in the order in which they are tried; the last one fits every alert."""
    rows = GroupingRule.objects.filter(enabled=True).prefetch_related("sources")
    return [*(rule_of(row) for row in rows), default_rule()]


def default_rule() -> Rule:
    """By service, by the alert's name where none is named; as long as the incident is open."""
    return Rule(
        id=None,
        name=DEFAULT_NAME,
        resolve_delay=timedelta(seconds=settings.RESOLVE_HOLD_DOWN_SECONDS),
        reopen_window=timedelta(seconds=settings.REOPEN_WINDOW_SECONDS),
    )


def rule_of(row: GroupingRule | None) -> Rule:
    """The row as a rule; None is the default one."""
    usual = default_rule()
    if row is None:
        return usual
    return Rule(
        id=row.pk,
        name=row.name,
        resolve_delay=_delay(row.resolve_delay_seconds, usual.resolve_delay),
        reopen_window=_delay(row.reopen_window_seconds, usual.reopen_window),
        matchers=tuple(row.matchers),
        sources=frozenset(source.slug for source in row.sources.all()),
        environment=row.environment,
        group_by=tuple(row.group_by),
        window=row.window,
        window_length=timedelta(seconds=row.window_seconds or 0),
        minimum_alerts=row.minimum_alerts,
        join_neighbours=row.join_neighbours,
    )


def _delay(seconds: int | None, usual: timedelta) -> timedelta:
    return usual if seconds is None else timedelta(seconds=seconds)
