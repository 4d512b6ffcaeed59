"""Names and moments as numbers, so that whole columns can be compared at once.

A number says nothing about the order things were given in: names are numbered as they sort, and
what happened at one moment is told apart by what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from correlation.telemetry import Floats

Ints = NDArray[np.int64]

NOBODY = -1
"""The number of what has none."""


def numbered(names: Iterable[str]) -> dict[str, int]:
    """Each name once, with its place among them in sorted order."""
    return {name: at for at, name in enumerate(sorted(set(names)))}


def numbers(names: Sequence[str], number_of: Mapping[str, int]) -> Ints:
    """The numbers of `names`, in order; NOBODY for those that have none."""
    found = map(number_of.get, names, [NOBODY] * len(names))
    return np.fromiter(found, dtype=np.int64, count=len(names))


def in_order(at: Floats, told_apart_by: Callable[[int], Any]) -> Ints:
    """Places in order of time (`at`, epoch s); those of one moment by what `told_apart_by` says."""
    order = np.argsort(at, kind="stable")
    same = np.flatnonzero(at[order[1:]] == at[order[:-1]])
    if same.size:
        places = order.tolist()
        firsts = same[np.concatenate(([True], np.diff(same) > 1))].tolist()
        lasts = same[np.concatenate((np.diff(same) > 1, [True]))].tolist()
        for first, last in zip(firsts, lasts, strict=True):
            places[first : last + 2] = sorted(places[first : last + 2], key=told_apart_by)
        order = np.array(places, dtype=np.int64)
    return order


def found_in(ascending: Ints, wanted: Ints) -> Ints:
    """Where each of `wanted` is among the ascending numbers; NOBODY where it is not."""
    if not ascending.size:
        return np.full(wanted.size, NOBODY, dtype=np.int64)
    at = np.minimum(np.searchsorted(ascending, wanted), ascending.size - 1)
    return np.where(ascending[at] == wanted, at, NOBODY)


def looked_up(values: Ints, places: Ints) -> Ints:
    """The values at these places; NOBODY for a place that is NOBODY."""
    found: Ints = np.append(values, NOBODY)[places]
    return found


@dataclass(frozen=True, eq=False)
class Members:
    """The traces of some groups, each once: trace `traces[n]` is in group `groups[n]`.

    In order of group, then trace.
    """

    groups: Ints
    traces: Ints

    @classmethod
    def of(cls, groups: Ints, traces: Ints, count: int) -> Members:
        """From pairs in any order, however often they come; traces are less than `count`."""
        known = np.sort(groups * max(count, 1) + traces)
        known = known[np.append([True], known[1:] != known[:-1])[: known.size]]
        return cls(known // max(count, 1), known % max(count, 1))
