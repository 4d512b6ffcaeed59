"""How often requests do a thing, before a moment and since: compared within one operation.

A habit is something some of the requests in a stratum do: of those that ran an operation, the
share that made a call; of those that logged one statement, the share that logged another next.
Strata keep a change in the mix of requests apart from a change in what they do. They are compared
by the Cochran-Mantel-Haenszel statistic, and the answer is doubted as far as the time before was
not of one piece: what was already changing is not the incident.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from correlation.telemetry import Floats

FEWEST = 4
"""Requests needed on each side for a comparison."""

RECENT_SECONDS = 180.0
"""What lies this long before the onset has to bear a change out."""

Key = tuple[str, Hashable]
"""(service, what)."""

Done = Mapping[Key, Mapping[Hashable, set[int]]]
"""Habit -> stratum -> numbers of the traces that did it."""

Ints = NDArray[np.int64]


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

    @property
    def ratio(self) -> float:
        """Log of the odds now to the odds before, half a request added to each."""
        now = (self.n1 + 0.5) / (self.of1 - self.n1 + 0.5)
        before = (self.n0 + 0.5) / (self.of0 - self.n0 + 0.5)
        return math.log(now / before)


@dataclass(frozen=True, eq=False)
class _Counts:
    """Of each habit and stratum: the requests in a stretch of time, and those that did it."""

    ran: Floats
    did: Floats


@dataclass(frozen=True, eq=False)
class _Comparison:
    """Of each habit: z, and the counts on both sides."""

    z: Floats
    n0: Floats
    of0: Floats
    n1: Floats
    of1: Floats


class Habits:
    """All habits of one kind; `ran` has the traces of every stratum that `done` names."""

    def __init__(self, starts: Floats, ran: Mapping[Any, set[int]], done: Done) -> None:
        self.keys = list(done)
        self._starts, self._size = starts, max(int(starts.size), 1)
        strata = {name: at for at, name in enumerate(ran)}
        rows = [
            (habit, strata[name], traces)
            for habit, key in enumerate(self.keys)
            for name, traces in done[key].items()
            if name in strata
        ]
        self._habit = np.array([habit for habit, _, _ in rows], dtype=np.int64)
        self._stratum = np.array([stratum for _, stratum, _ in rows], dtype=np.int64)
        self._strata = len(strata)
        self._ran = self._placed(list(ran.values()))
        self._did = self._placed([traces for _, _, traces in rows])

    def compared(self, onset: float) -> list[Habit]:
        """Every habit with enough requests on both sides of `onset` (epoch s), in order.

        Not those that all requests have, or none: they cannot have changed, so they are no tests
        to allow for (Tarone 1990).
        """
        if not self.keys:
            return []
        here = int(np.searchsorted(self._starts, onset))
        since = (here, self._size)
        recent = int(np.searchsorted(self._starts, onset - RECENT_SECONDS))
        before, near, far = (0, here), (recent, here), (0, recent)
        counts = {span: self._counted(span) for span in (before, since, near, far)}
        whole = self._between(counts[before], counts[since])
        late = self._between(counts[near], counts[since])
        earlier = self._between(counts[far], counts[near])
        usual = counts[before].did / np.maximum(counts[before].ran, 1.0)
        would = _Counts(counts[near].ran, counts[near].ran * usual)
        z = whole.z / np.sqrt(np.maximum(1.0, earlier.z * earlier.z / 2.0))
        z *= _borne_out(self._between(would, counts[since]).z, late.z)
        did = whole.n0 + whole.n1
        enough = np.minimum(whole.of0, whole.of1) >= FEWEST
        enough &= (did > 0) & (did < whole.of0 + whole.of1)
        return [
            Habit(
                *self.keys[at],
                float(z[at]),
                int(whole.n0[at]),
                int(whole.of0[at]),
                int(whole.n1[at]),
                int(whole.of1[at]),
            )
            for at in np.flatnonzero(enough).tolist()
        ]

    def _placed(self, sets: list[set[int]]) -> Ints:
        """Members of each set as one ascending array, set by set."""
        parts = [
            np.sort(np.fromiter(members, dtype=np.int64, count=len(members))) + at * self._size
            for at, members in enumerate(sets)
        ]
        return np.concatenate(parts) if parts else np.array([], dtype=np.int64)

    def _count(self, placed: Ints, sets: int, span: tuple[int, int]) -> Floats:
        offsets = np.arange(sets, dtype=np.int64) * self._size
        until = np.searchsorted(placed, offsets + span[1])
        counts: Floats = (until - np.searchsorted(placed, offsets + span[0])).astype(np.float64)
        return counts

    def _counted(self, span: tuple[int, int]) -> _Counts:
        return _Counts(
            self._count(self._ran, self._strata, span)[self._stratum],
            self._count(self._did, self._habit.size, span),
        )

    def _between(self, before: _Counts, since: _Counts) -> _Comparison:
        of0, of1, n0, n1 = before.ran, since.ran, before.did, since.did
        of, n = of0 + of1, n0 + n1
        both = (of0 > 0) & (of1 > 0)
        safe = np.where(both, of, 2.0)
        surplus = np.where(both, n1 - n * of1 / safe, 0.0)
        spread = n * (of - n) * of0 * of1 / (safe * safe * (safe - 1.0))
        variance = self._summed(np.where(both, spread, 0.0))
        z = np.where(variance > 0.0, self._summed(surplus) / np.sqrt(variance + 0.25), 0.0)
        return _Comparison(z, *(self._summed(one) for one in (n0, of0, n1, of1)))

    def _summed(self, by_stratum: Floats) -> Floats:
        sums = np.bincount(self._habit, weights=by_stratum, minlength=len(self.keys))
        return sums.astype(np.float64)


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
