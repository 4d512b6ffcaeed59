"""From firings of the past to incidents: planned as a whole, then made one by one.

Interrupted at any moment it can be run again: what is there is found by series and time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.conf import settings

from incidents.backfill import recording
from incidents.backfill.episodes import Episode, Item, sort
from incidents.backfill.histories import Firing, distinct
from incidents.intake import placing
from incidents.intake.placing import Told
from incidents.intake.received import DEFAULT_IGNORED_LABELS
from incidents.models import AlertSource, Incident, ServiceDependency
from incidents.upkeep import heartbeats

What = Literal["made", "known", "covered", "unsettled"]


@dataclass(frozen=True)
class Plan:
    """The episodes, oldest first. `beats` firings feed heartbeats, `waiting` ones were fewer
    than their rule opens an incident for: neither makes any."""

    episodes: list[Episode]
    firings: int
    beats: int
    waiting: int


@dataclass(frozen=True)
class Outcome:
    """What became of an episode, or would become; `incident` is its own or the one in its way."""

    episode: Episode
    what: What
    incident: Incident | None = None


def source_named(slug: str) -> AlertSource:
    """The source of that name; one that is not stored when there is none."""
    found = AlertSource.objects.filter(slug=slug).first()
    return found or AlertSource(slug=slug, ignored_labels=list(DEFAULT_IGNORED_LABELS))


def plan(firings: Sequence[Firing], source: AlertSource) -> Plan:
    """What incidents the firings were, by today's grouping rules and catalogue."""
    pairs = distinct(firings, source.ignored_labels)
    fed = {series: heartbeats.fed_by(source, one.labels) for series, one in dict(pairs).items()}
    real = [(series, firing) for series, firing in pairs if not fed[series]]
    told = [Told(one.labels, one.name, source.slug, source.environment) for _series, one in real]
    items = [Item(*pair, found) for pair, found in zip(real, placing.read(told), strict=True)]
    near = timedelta(seconds=settings.JOIN_NEIGHBOURS_SECONDS)
    found = sort(items, _calls(), near)
    found.episodes.sort(key=lambda episode: (episode.started_at, episode.key))
    return Plan(found.episodes, len(pairs), len(pairs) - len(real), found.waiting)


def carry_out(
    planned: Plan,
    source: AlertSource,
    *,
    until: datetime,
    take_open: bool,
    dry_run: bool,
    made: Callable[[Incident], object] | None = None,
) -> Iterator[Outcome]:
    """Each episode with what became of it; with `dry_run` nothing is written.

    The history reaches to `until`: what a later firing might still join is unsettled, and left
    for a later run. So is what still fires, unless `take_open` says that the history is of now
    and the sender will tell of its end. `made` is called in the transaction of each new incident.
    Unless it is a dry run, `source` is stored.
    """
    for episode in planned.episodes:
        if not _settled(episode, until, take_open):
            yield Outcome(episode, "unsettled")
        elif dry_run:
            yield _told(episode, source)
        else:
            incident = recording.record(episode, source, made)
            yield Outcome(episode, "made", incident) if incident else _told(episode, source)


def _told(episode: Episode, source: AlertSource) -> Outcome:
    there = recording.standing(episode, source)
    if not there.blocked:
        return Outcome(episode, "made")
    whole = there.known >= len(episode.items)
    return Outcome(episode, "known" if whole else "covered", there.incident)


def _settled(episode: Episode, until: datetime, take_open: bool) -> bool:
    if episode.closed_at is None:
        return take_open
    return episode.closed_at <= until


def _calls() -> dict[UUID, set[UUID]]:
    """The services that each service calls or is called by."""
    near: dict[UUID, set[UUID]] = defaultdict(set)
    for caller, callee in ServiceDependency.objects.values_list("caller", "callee"):
        near[caller].add(callee)
        near[callee].add(caller)
    return near
