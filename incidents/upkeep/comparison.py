"""What the Alertmanagers of a source hold against what we think is open; no I/O.

The rules, each a safeguard against calling over what only nobody told us of:

- What is listed, in whatever state, is firing.
- Not being listed counts only if every Alertmanager of the source answered whole, has been up for
  `settle_seconds` (after a restart it knows no alert until Prometheus sends it again), says that
  it has heard from its peers, and we have not heard of the series since we asked.
- What was not listed for `absent_seconds`, in every reading, is over. Sooner, the end may still be
  on its way; and a series that comes back within a group's interval is not sent again, because
  Alertmanager has told us that it fires: closed by then, it would be lost.
- A series is suppressed when all its listed members are.
- An active alert that we do not know is a lost delivery only if it goes to our receiver and began
  `lost_after_seconds` ago: younger ones may still wait for their group.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from incidents.intake.received import ReceivedAlert, identity
from incidents.upkeep.alertmanager_api import HeldAlert, Reading

ACTIVE, SUPPRESSED = "active", "suppressed"

Quieted = dict[str, list[str]]


@dataclass(frozen=True)
class OpenSeries:
    """A series with an open occurrence, by identity; the rest is what we have written of it."""

    identity: str
    last_seen_at: datetime
    suppressed_by: Quieted
    absent_since: datetime | None = None


@dataclass
class Comparison:
    """Identities by what is to be done with them.

    `loud` are those of the `listed` that nothing quiets, so that they should be delivered too.
    `absent` are not listed from now on; of `uncertain` it is not known any more whether they
    were absent all along, because of the `doubts`.
    """

    listed: set[str] = field(default_factory=set)
    loud: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    uncertain: set[str] = field(default_factory=set)
    over: set[str] = field(default_factory=set)
    quieted: dict[str, Quieted] = field(default_factory=dict)
    loud_again: set[str] = field(default_factory=set)
    lost: list[ReceivedAlert] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def compare(
    readings: Sequence[Reading],
    open_series: Iterable[OpenSeries],
    *,
    unread: int,
    ignored_labels: Sequence[str],
    receivers: Iterable[str],
    asked_at: datetime,
    now: datetime,
    settle_seconds: float,
    absent_seconds: float,
    lost_after_seconds: float,
) -> Comparison:
    """`unread` is how many Alertmanagers of the source did not answer; `receivers` are ours."""
    found = Comparison(doubts=doubts(readings, unread, now, settle_seconds))
    held: dict[str, list[HeldAlert]] = {}
    for reading in readings:
        for one in reading.alerts:
            held.setdefault(identity(one.alert.labels, ignored_labels), []).append(one)
    known = {series.identity: series for series in open_series}
    for key, series in known.items():
        members = held.get(key)
        if members is None:
            _absent(found, series, asked_at, now - timedelta(seconds=absent_seconds))
            continue
        found.listed.add(key)
        by = suppressed_by(members)
        if by is None:
            found.loud.add(key)
            if series.suppressed_by:
                found.loud_again.add(key)
        elif by != series.suppressed_by:
            found.quieted[key] = by
    ours = set(receivers)
    for key in sorted(held.keys() - known.keys()):
        found.lost += [
            one.alert
            for one in held[key]
            if one.state == ACTIVE
            and not one.quieted_by
            and ours.intersection(one.receivers)
            and one.alert.starts_at is not None
            and (now - one.alert.starts_at).total_seconds() >= lost_after_seconds
        ]
    return found


def _absent(
    found: Comparison, series: OpenSeries, asked_at: datetime, over_since: datetime
) -> None:
    if found.doubts or series.last_seen_at >= asked_at:
        if series.absent_since is not None:
            found.uncertain.add(series.identity)
    elif (series.absent_since or asked_at) <= over_since:
        found.over.add(series.identity)
    elif series.absent_since is None:
        found.absent.add(series.identity)


def doubts(
    readings: Sequence[Reading], unread: int, now: datetime, settle_seconds: float
) -> list[str]:
    """Why an alert that is not listed may be firing all the same; [] when it is over."""
    found = []
    if unread:
        found.append(f"{unread} of {unread + len(readings)} Alertmanagers did not answer")
    for reading in readings:
        if reading.up_since is None:
            found.append("it does not say how long it has been up")
        elif (now - reading.up_since).total_seconds() < settle_seconds:
            found.append(f"it has been up for less than {settle_seconds:.0f} s")
        if reading.settled is False:
            found.append("its cluster is still settling")
    return found


def suppressed_by(members: Sequence[HeldAlert]) -> Quieted | None:
    """What quiets the series, None when a member of it is loud.

    A muted alert is listed as active, with the interval that mutes it.
    """
    if not all(one.state == SUPPRESSED or one.quieted_by for one in members):
        return None
    together: dict[str, set[str]] = {}
    for one in members:
        for kind, names in one.quieted_by.items():
            together.setdefault(kind, set()).update(names)
    return {kind: sorted(names) for kind, names in sorted(together.items())} or {"unknown": []}
