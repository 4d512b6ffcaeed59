"""Which span waited for which, and how long it was busy with none of them: all spans at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from correlation.steps.numbering import NOBODY, Ints
from correlation.telemetry import Floats


@dataclass(frozen=True, eq=False)
class Calls:
    """Pairs of spans by their rows: `parents[n]` is around `children[n]`.

    By parent, those of one parent in time order; `first` and `count` say, by row of a span, where
    its children begin in the list and how many they are.
    """

    parents: Ints
    children: Ints
    first: Ints
    count: Ints

    @classmethod
    def of(cls, parent_of: Ints) -> Calls:
        """From each row's parent, NOBODY where it has none; rows are in time order."""
        children = np.flatnonzero(parent_of != NOBODY)
        children = children[np.argsort(parent_of[children], kind="stable")]
        count = np.bincount(parent_of[children], minlength=parent_of.size)
        return cls(parent_of[children], children, np.cumsum(count) - count, count)

    @property
    def only(self) -> Ints:
        """Each row's child where that is the only one, else NOBODY."""
        found = np.full(self.count.size, NOBODY, dtype=np.int64)
        alone = np.flatnonzero(self.count == 1)
        found[alone] = self.children[self.first[alone]]
        return found


def alone(calls: Calls, starts: Floats, seconds: Floats) -> Floats:
    """Seconds each span was busy with none of its children: its duration less their union.

    The n-th children of all spans are taken together: each covers what no earlier one reached.
    """
    ends = starts + seconds
    covered, reached = np.zeros(starts.size), starts.copy()
    rows = np.flatnonzero(calls.count)
    nth = 0
    while rows.size:
        child = calls.children[calls.first[rows] + nth]
        begin = np.maximum(reached[rows], starts[child])
        until = np.minimum(ends[rows], ends[child])
        longer = until > begin
        covered[rows] += np.where(longer, until - begin, 0.0)
        reached[rows] = np.where(longer, until, reached[rows])
        nth += 1
        rows = rows[calls.count[rows] > nth]
    return np.where(calls.count > 0, np.maximum(0.0, seconds - covered), seconds)
