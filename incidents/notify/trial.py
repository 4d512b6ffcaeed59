"""What would be told of a change that somebody imagines; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from incidents.models import NotificationChannel, NotificationRule, Service
from incidents.notify.events import Event, Kind, understands
from incidents.notify.matching import Rule, Subject, judge, tellings


@dataclass(frozen=True)
class Judged:
    """A rule and what it makes of the change: told, held, dropped, or why it does not fit."""

    rule: str
    outcome: str
    why: str
    until: datetime | None = None


@dataclass(frozen=True)
class Trial:
    """`told` are channels and when; `rules` all enabled ones in the order of their names."""

    told: tuple[tuple[NotificationChannel, datetime, tuple[str, ...]], ...]
    rules: tuple[Judged, ...]


def try_out(
    *, event: str, severity: str, environment: str, service: Service | None, at: datetime
) -> Trial:
    rules = NotificationRule.objects.in_force()
    subject = Subject(
        events=_events(event),
        severities=frozenset({severity}),
        environment=environment,
        services=frozenset([service.pk] if service else []),
        at=at,
    )
    found = tellings(rules, subject)
    channels: dict[UUID, NotificationChannel] = NotificationChannel.objects.in_bulk(
        [one.channel for one in found]
    )
    return Trial(
        told=tuple(
            (channels[one.channel], one.due_at, one.rules)
            for one in sorted(found, key=lambda one: channels[one.channel].name)
        ),
        rules=tuple(_judged(rule, subject, at) for rule in rules),
    )


def _events(event: str) -> tuple[str, ...]:
    """A heartbeat that stops opens an incident, one that is back ends it."""
    pairs = {
        Event.HEARTBEAT_STOPPED.value: Event.OPENED,
        Event.HEARTBEAT_BACK.value: Event.RESOLVED,
    }
    return (pairs[event].value, event) if event in pairs else (event,)


def _judged(rule: Rule, subject: Subject, at: datetime) -> Judged:
    verdict = judge(rule, subject)
    if verdict.why:
        return Judged(rule.name, "no", verdict.why)
    if not any(understands(kind, subject.events[0]) for kind in rule.channels.values()):
        only_pagerduty = bool(rule.channels) and set(rule.channels.values()) == {Kind.PAGERDUTY}
        why = "PagerDuty knows no such event" if only_pagerduty else "no channel that is enabled"
        return Judged(rule.name, "no", why)
    if verdict.due_at is None:
        return Judged(rule.name, "dropped", "quiet hours")
    if verdict.due_at > at:
        return Judged(rule.name, "held", "quiet hours", verdict.due_at)
    return Judged(rule.name, "told", "breaks through quiet hours" if verdict.broke_through else "")
