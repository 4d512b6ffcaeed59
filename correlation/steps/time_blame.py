"""Who answers for the time that requests lost.

A service answers for the share of all lost time that was lost in it or on the way to and from it.
Of an edge, the callee has the larger part where all its callers see it slow, the caller where all
it calls is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from correlation.steps.numbering import NOBODY, Ints
from correlation.steps.sureness import most_of_each, squared_hill, sure
from correlation.steps.times import Pace
from correlation.telemetry import Floats

FEWEST_TESTS = 10
"""Few times, or habits, are tested as if they were this many."""

UNSEEN_SECONDS = 5e-4
"""Added to both sides: nobody sees that 0.1 ms became 0.2."""

LONGER_HALFWAY = 0.5
"""The log of the ratio of times that an engineer would call "maybe"."""

SHARING = 0.7
"""Exponent of the share of all lost time: who lost half of it is not half as much to blame."""


@dataclass(frozen=True, eq=False)
class Losses:
    """By time of a `Pace`: how surely and noticeably it grew, 0..1, and the seconds surely lost."""

    worth: Floats
    seconds: Floats

    @property
    def total(self) -> float:
        return float(sum(self.seconds.tolist()))


def losses(pace: Pace) -> Losses:
    certain = sure(pace.z, max(pace.which.size, FEWEST_TESTS)) * (pace.z > 0.0)
    ratio = (pace.now + UNSEEN_SECONDS) / (pace.before + UNSEEN_SECONDS)
    longer = squared_hill(np.log(np.maximum(ratio, 1.0)), LONGER_HALFWAY)
    return Losses(certain * longer, certain * pace.lost_seconds)


def time_blame(pace: Pace) -> dict[str, float]:
    """0..1 by service that runs, waits or is waited for; empty when no time was lost."""
    lost = losses(pace)
    total = lost.total
    if total <= 0.0:
        return {}
    count = len(pace.ways.names)
    own = pace.peers == NOBODY
    edges, first, edge = np.unique(
        pace.services[~own] * count + pace.peers[~own], return_index=True, return_inverse=True
    )
    ends = np.stack((edges // count, edges % count))
    worth = most_of_each(edge, lost.worth[~own], edges.size)
    seconds = np.bincount(edge, weights=lost.seconds[~own], minlength=edges.size)
    seen = np.argsort(first)
    agreeing = np.stack([_agreement(end[seen], worth[seen], count)[end] for end in ends])
    both = agreeing.sum(axis=0)
    shares = np.where(both > 0.0, agreeing / np.where(both > 0.0, both, 1.0), 0.0) * seconds
    services = np.concatenate((pace.services[own], ends.T.ravel()))
    answered = np.bincount(
        services, weights=np.concatenate((lost.seconds[own], shares.T.ravel())), minlength=count
    )
    most = most_of_each(
        services, np.concatenate((lost.worth[own], np.repeat(worth, len(ends)))), count
    )
    blame = most * np.minimum(1.0, answered / total) ** SHARING
    return {pace.ways.names[at]: float(blame[at]) for at in np.unique(services).tolist()}


def _agreement(ends: Ints, worth: Floats, count: int) -> Floats:
    """By service: how far all edges with it at that end are slow, 0..1."""
    edges = np.bincount(ends, minlength=count)
    agreed: Floats = np.bincount(ends, weights=worth, minlength=count) / np.maximum(edges, 1)
    return agreed
