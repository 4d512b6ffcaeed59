"""How often requests do a thing, before a moment and since: compared within one operation.

A habit is something some of the requests in a stratum do: of those that ran an operation, the
share that made a call; of those that logged one statement, the share that logged another next.
Strata keep a change in the mix of requests apart from a change in what they do. They are compared
by the Cochran-Mantel-Haenszel statistic, and the answer is doubted as far as the time before was
not of one piece: what was already changing is not the incident.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from correlation.steps.numbering import NOBODY, Ints, Members
from correlation.telemetry import Floats

FEWEST = 4
"""Requests needed on each side for a comparison."""

RECENT_SECONDS = 180.0
"""What lies this long before the onset has to bear a change out."""

Key = tuple[str, Hashable]
"""(service, what)."""


@dataclass(frozen=True)
class Habit:
    """How often requests through a service do one thing: `n0` of `of0` before, `n1` of `of1` since.

    `z` is signed (up: more often) and already doubted, see above.
    """

    service: str
    what: Hashable
    z: float
    n0: int
    of0: int
    n1: int
    of1: int


@dataclass(frozen=True, eq=False)
class Practice:
    """Which traces do what: habits, each in one or several strata.

    A row is a habit in a stratum: `habits` and `strata` by row. `ran` are the traces of each
    stratum, `did` those of each row; the rows of one habit follow each other.
    """

    keys: list[Key]
    habits: Ints
    strata: Ints
    ran: Members
    did: Members


@dataclass(frozen=True, eq=False)
class Shift:
    """All habits that can be compared at one moment: `which` of the keys, their z and counts."""

    keys: list[Key]
    which: Ints
    z: Floats
    n0: Floats
    of0: Floats
    n1: Floats
    of1: Floats

    def odds(self) -> Floats:
        """Log of the odds now to the odds before, half a request added to each."""
        now = (self.n1 + 0.5) / (self.of1 - self.n1 + 0.5)
        before = (self.n0 + 0.5) / (self.of0 - self.n0 + 0.5)
        ratios: Floats = np.log(now / before)
        return ratios

    def habit(self, at: int) -> Habit:
        """One of them, by its place."""
        n0, of0, n1, of1 = (int(one[at]) for one in (self.n0, self.of0, self.n1, self.of1))
        service, what = self.keys[self.which[at]]
        return Habit(service, what, float(self.z[at]), n0, of0, n1, of1)


@dataclass(frozen=True, eq=False)
class _Counts:
    """By moment and row: the requests in a stretch of time, and those that did it."""

    ran: Floats
    did: Floats


def shifts(practice: Practice, starts: Floats, onsets: Sequence[float]) -> list[Shift]:
    """At each of `onsets` (epoch s), every habit with enough requests on both sides, in order.

    Not those that all requests have, or none: they cannot have changed, so they are no tests to
    allow for (Tarone 1990). `starts` are the traces', ascending.
    """
    moments = np.array(onsets, dtype=np.float64)
    here = np.searchsorted(starts, moments)
    recent = np.searchsorted(starts, moments - RECENT_SECONDS)
    none, every = np.zeros_like(here), np.full_like(here, starts.size)
    borders = np.unique(np.concatenate((none, here, recent, every)))
    strata = int(max(practice.strata.max(initial=NOBODY), practice.ran.groups.max(initial=NOBODY)))
    ran = _cumulated(practice.ran, strata + 1, borders)
    did = _cumulated(practice.did, practice.habits.size, borders)

    first, last, border, near_border = (
        np.searchsorted(borders, places) for places in (none, every, here, recent)
    )

    def counted(begin: Ints, end: Ints) -> _Counts:
        return _Counts((ran[end] - ran[begin])[:, practice.strata], did[end] - did[begin])

    before, since = counted(first, border), counted(border, last)
    near, far = counted(near_border, border), counted(first, near_border)
    would = _Counts(near.ran, near.ran * (before.did / np.maximum(before.ran, 1.0)))
    rows = _Rows(practice.habits, len(practice.keys))
    earlier = rows.z(far, near)
    z = rows.z(before, since) / np.sqrt(np.maximum(1.0, earlier * earlier / 2.0))
    z *= _borne_out(rows.z(would, since), rows.z(near, since))
    n0, of0 = rows.summed(before.did), rows.summed(before.ran)
    n1, of1 = rows.summed(since.did), rows.summed(since.ran)
    enough = (np.minimum(of0, of1) >= FEWEST) & (n0 + n1 > 0) & (n0 + n1 < of0 + of1)
    found = []
    for at, chosen in enumerate(enough):
        which = np.flatnonzero(chosen)
        sides = (one[at, which] for one in (n0, of0, n1, of1))
        found.append(Shift(practice.keys, which, z[at, which], *sides))
    return found


def _cumulated(members: Members, groups: int, borders: Ints) -> Floats:
    """By border and group: how many of its traces have a number below the border."""
    passed = np.searchsorted(borders, members.traces, side="right")
    size = (borders.size + 1) * groups
    counts = np.bincount(passed * groups + members.groups, minlength=size).astype(np.float64)
    return counts.reshape(borders.size + 1, groups).cumsum(axis=0)


@dataclass(frozen=True, eq=False)
class _Rows:
    """The habit of each row, of `count` habits."""

    habits: Ints
    count: int

    def summed(self, by_row: Floats) -> Floats:
        """By moment and habit, from moment and row."""
        moments = by_row.shape[0]
        bins = self.habits + self.count * np.arange(moments)[:, np.newaxis]
        sums = np.bincount(bins.ravel(), weights=by_row.ravel(), minlength=moments * self.count)
        found: Floats = sums.reshape(moments, self.count).astype(np.float64)
        return found

    def z(self, before: _Counts, since: _Counts) -> Floats:
        """By moment and habit: above 0 where it is done more often since."""
        of0, of1, n0, n1 = before.ran, since.ran, before.did, since.did
        of, n = of0 + of1, n0 + n1
        both = (of0 > 0) & (of1 > 0)
        safe = np.where(both, of, 2.0)
        surplus = self.summed(np.where(both, n1 - n * of1 / safe, 0.0))
        spread = n * (of - n) * of0 * of1 / (safe * safe * (safe - 1.0))
        variance = self.summed(np.where(both, spread, 0.0))
        return np.where(variance > 0.0, surplus / np.sqrt(variance + 0.25), 0.0)


def _borne_out(would: Floats, seen: Floats) -> Floats:
    """How far the minutes just before the onset bear a change out, 0..1: 1 when they are silent.

    A reference from another time may differ for reasons of its own. `would` is the z that the
    recent part would show by itself if it were like all that was before, `seen` the one it shows.
    """
    expected = np.abs(would)
    agreeing = np.maximum(0.0, np.sign(would) * seen)
    weight = np.minimum(1.0, expected / 1.5)
    doubt: Floats = weight * np.maximum(0.0, 1.0 - agreeing / np.maximum(expected, 1e-9))
    return 1.0 - doubt
