"""Which channels are told of a change, and when; no I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from incidents.notify.events import CLOSING, Kind, understands
from incidents.notify.quiet import Quiet

SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True)
class Subject:
    """A change as rules look at it: the first of `events` names it.

    `severities` are the incident's, and the one it had before where that is what changed.
    """

    events: tuple[str, ...]
    severities: frozenset[str]
    environment: str
    services: frozenset[UUID]
    at: datetime


@dataclass(frozen=True)
class Rule:
    """A rule as it is matched. `channels` are {id: kind}; empty collections mean all."""

    name: str
    events: frozenset[str]
    channels: Mapping[UUID, str]
    services: frozenset[UUID] = frozenset()
    severity_at_least: str = "low"
    environment: str = ""
    quiet: Quiet | None = None
    quiet_drops: bool = False
    critical_breaks_through: bool = True


@dataclass(frozen=True)
class Telling:
    """A channel is told at `due_at`, because of these rules; `broke_through` quiet hours."""

    channel: UUID
    due_at: datetime
    rules: tuple[str, ...]
    broke_through: bool = False


@dataclass(frozen=True)
class Verdict:
    """What one rule makes of a change: `why` it does not fit ("" where it does), or until when
    it is silent (`due_at` None: dropped)."""

    why: str
    due_at: datetime | None = None
    broke_through: bool = False


def judge(rule: Rule, subject: Subject, *, told: bool = False, closes: bool = False) -> Verdict:
    """What the rule makes of the change for a channel.

    `told` says that the channel heard of the incident before: what became of it since is not
    held back because it grew harmless. `closes` lets the end of what was told through whatever
    events the rule names.
    """
    if not closes and not rule.events.intersection(subject.events):
        return Verdict("another event")
    if rule.environment and rule.environment != subject.environment:
        return Verdict("another environment")
    if rule.services and not rule.services.intersection(subject.services):
        return Verdict("another service")
    worst = min(map(SEVERITIES.index, subject.severities))
    if not told and worst > SEVERITIES.index(rule.severity_at_least):
        return Verdict("less severe")
    ends = rule.quiet.until(subject.at) if rule.quiet else None
    if ends is None:
        return Verdict("", subject.at)
    if rule.critical_breaks_through and "critical" in subject.severities:
        return Verdict("", subject.at, broke_through=True)
    return Verdict("", None if rule.quiet_drops else ends)


def tellings(rules: Sequence[Rule], subject: Subject, told: Collection[UUID] = ()) -> list[Telling]:
    """One for each channel that is to be told, the earliest time that a rule gives it.

    `told` are the channels that heard of the incident before. A PagerDuty channel among them
    hears of the end of its incident even where its rule asks for openings alone: nobody else
    would close it there.
    """
    found: dict[UUID, Telling] = {}
    for rule in rules:
        for channel, kind in rule.channels.items():
            if not understands(kind, subject.events[0]):
                continue
            was_told = channel in told
            ending = kind == Kind.PAGERDUTY and was_told and subject.events[0] in CLOSING
            verdict = judge(rule, subject, told=was_told, closes=ending)
            if verdict.why or verdict.due_at is None:
                continue
            before = found.get(channel)
            names = (*before.rules, rule.name) if before else (rule.name,)
            sooner = before is None or verdict.due_at < before.due_at
            found[channel] = Telling(
                channel,
                verdict.due_at if sooner or before is None else before.due_at,
                names,
                verdict.broke_through or bool(before and before.broke_through),
            )
    return list(found.values())
