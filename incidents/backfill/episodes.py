"""Which firings of the past were one incident: what grouping would have made of them then. Pure.

Firings are taken in the order in which they began, by the rules and delays of docs/grouping.md.
A firing within the reopening window belongs to the same incident, as live it would be reopened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from incidents.backfill.histories import Firing
from incidents.intake.placement import Rule, taken
from incidents.intake.placing import Found

How = Literal["opened", "key", "neighbour"]


@dataclass(frozen=True)
class Item:
    """A firing of the series `identity`, and what was read off it."""

    identity: str
    firing: Firing
    found: Found

    @property
    def service_id(self) -> UUID | None:
        return self.found.service.pk if self.found.service else None


@dataclass
class Episode:
    """One incident of the past: its firings and how each came to it, the first opened it."""

    rule: Rule
    key: str
    environment: str
    members: list[tuple[Item, How]] = field(default_factory=list)

    @property
    def items(self) -> list[Item]:
        return [item for item, _how in self.members]

    @property
    def keys(self) -> list[str]:
        return sorted({item.found.placement.key for item in self.items})

    @property
    def started_at(self) -> datetime:
        return min(item.firing.starts_at for item in self.items)

    @property
    def ended_at(self) -> datetime | None:
        """When its last alert was over; None while one fires."""
        ends = [item.firing.ends_at for item in self.items]
        known = [end for end in ends if end is not None]
        return max(known) if len(known) == len(ends) else None

    @property
    def closed_at(self) -> datetime | None:
        """From when on nothing joins it any more."""
        hold = self.rule.resolve_delay + self.rule.reopen_window
        return None if self.ended_at is None else self.ended_at + hold

    def is_open_at(self, at: datetime) -> bool:
        return self.ended_at is None or at <= self.ended_at + self.rule.resolve_delay

    def takes(self, at: datetime) -> bool:
        """Whether a firing of its key that begins then joins it."""
        if not self.is_open_at(at):
            return self.closed_at is not None and at <= self.closed_at
        last = max(item.firing.starts_at for item in self.items)
        return taken(self.rule, self.started_at, last, [at]) == 1


@dataclass(frozen=True)
class Sorted:
    """`waiting` are firings whose rule wanted more of them before it opens an incident."""

    episodes: list[Episode]
    waiting: int


def sort(
    items: Sequence[Item], calls: Mapping[UUID, Iterable[UUID]], neighbours_within: timedelta
) -> Sorted:
    """The incidents that the firings, oldest first, would have been.

    `calls` are the services next door to each, either way.
    """
    episodes: list[Episode] = []
    latest: dict[str, Episode] = {}
    waiting: dict[str, list[Item]] = {}
    for item in items:
        placement, at = item.found.placement, item.firing.starts_at
        current = latest.get(placement.key)
        if current is not None and current.takes(at):
            current.members.append((item, "key"))
            continue
        pending = waiting.setdefault(placement.key, [])
        pending.append(item)
        oldest = at - placement.rule.window_length
        ready = [one for one in pending if one.firing.starts_at >= oldest]
        if placement.rule.minimum_alerts == 1:
            ready = pending
        if len(ready) < placement.rule.minimum_alerts:
            continue
        waiting[placement.key] = [one for one in pending if one not in ready]
        near = _next_door(ready[0], episodes, calls, neighbours_within)
        if near is not None:
            near.members += [(one, "neighbour") for one in ready]
            continue
        episode = Episode(placement.rule, placement.key, item.found.subject.environment)
        episode.members = [(one, "key" if n else "opened") for n, one in enumerate(ready)]
        latest[placement.key] = episode
        episodes.append(episode)
    return Sorted(episodes, sum(map(len, waiting.values())))


def _next_door(
    item: Item,
    episodes: Sequence[Episode],
    calls: Mapping[UUID, Iterable[UUID]],
    within: timedelta,
) -> Episode | None:
    """The oldest open one that hit a direct caller or callee first, begun so close by."""
    at, service = item.firing.starts_at, item.service_id
    if not within or service is None or not item.found.placement.rule.join_neighbours:
        return None
    next_door = set(calls.get(service, ()))
    if not next_door:
        return None
    near = []
    for episode in reversed(episodes):
        if at - episode.started_at > within:
            break
        if (
            episode.items[0].service_id in next_door
            and episode.environment == item.found.subject.environment
            and episode.is_open_at(at)
        ):
            near.append(episode)
    return min(near, key=lambda episode: episode.started_at, default=None)
