"""How much longer operations take, of their own and on the way to the service they wait for.

Times are compared on a log scale by Welch's t, whose error is the larger of that of the values
and of that of blocks of BLOCK_SECONDS: requests of one moment are alike. As with habits, the
minutes just before the onset have to bear a change out, where they are not silent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from correlation.steps.habits import RECENT_SECONDS
from correlation.steps.numbering import NOBODY, Ints, numbered, numbers
from correlation.steps.spans import Operation, Requests
from correlation.telemetry import Floats, Telemetry

BLOCK_SECONDS = 15.0
SMALLEST_SECONDS = 2e-4
"""Added before the logarithm: nobody cares for a change of microseconds."""

FEWEST = 2
"""Values needed on each side for a comparison."""

USUAL_SPREAD, USUAL_WEIGHT = 0.5, 2.0
"""Of the logarithms, and how many values that is worth: two alike are not infinitely sure."""

FEWEST_BLOCKS = 3
"""Blocks needed to tell how much they differ, and values in a block to have a mean."""

FAINTEST_Z = 0.5
"""Below this, times are as they were: nothing is lost."""


@dataclass(frozen=True)
class Slower:
    """Time of one operation: its own, or (with `peer`) on the way to the service it calls.

    `z` is signed; `before` and `now` are trimmed means in seconds, `lost_seconds` the increase
    over all `executions` since the onset.
    """

    service: str
    operation: str
    peer: str
    z: float
    before: float
    now: float
    executions_before: int
    executions: int
    lost_seconds: float


@dataclass(frozen=True, eq=False)
class Ways:
    """What takes time: operations, each with the service it waits for ("" for its own time).

    `names` are the services, sorted; `services` and `peers` their numbers, of a peer "" NOBODY.
    """

    keys: list[tuple[Operation, str]]
    names: list[str]
    services: Ints
    peers: Ints

    @classmethod
    def of(cls, keys: list[tuple[Operation, str]]) -> Ways:
        services, peers = [service for (service, _), _ in keys], [peer for _, peer in keys]
        known = numbered([*services, *filter(None, peers)])
        return cls(
            keys,
            list(known),
            numbers(services, known),
            np.where([bool(peer) for peer in peers], numbers(peers, known), NOBODY),
        )


@dataclass(frozen=True, eq=False)
class Pace:
    """How the times that can be compared moved at one moment: `which` of the `ways`.

    The rest is as in `Slower`, for each of them.
    """

    ways: Ways
    which: Ints
    z: Floats
    before: Floats
    now: Floats
    executions_before: Ints
    executions: Ints

    @property
    def services(self) -> Ints:
        return self.ways.services[self.which]

    @property
    def peers(self) -> Ints:
        return self.ways.peers[self.which]

    @property
    def lost_seconds(self) -> Floats:
        lost: Floats = np.maximum(0.0, self.now - self.before) * self.executions
        return lost

    def slower(self, at: int) -> Slower:
        """One of them, by its place."""
        (service, operation), peer = self.ways.keys[self.which[at]]
        return Slower(
            service,
            operation,
            peer,
            float(self.z[at]),
            float(self.before[at]),
            float(self.now[at]),
            int(self.executions_before[at]),
            int(self.executions[at]),
            float(self.lost_seconds[at]),
        )


@dataclass(frozen=True, eq=False)
class _Sample:
    """Of every operation: how many values in a stretch of time, their mean and its error."""

    n: Floats
    mean: Floats
    error: Floats


class Times:
    """All times of `requests` until `as_of`; onsets are to lie on its grid of blocks."""

    def __init__(self, requests: Requests, telemetry: Telemetry) -> None:
        keys: list[tuple[Operation, str]] = []
        self._raw: list[tuple[Floats, Floats]] = []
        for key, (starts, seconds) in requests.times.items():
            end = int(np.searchsorted(starts, telemetry.as_of, side="right"))
            if end >= 2 * FEWEST:
                keys.append(key)
                self._raw.append((starts[:end], seconds[:end]))
        self._ways = Ways.of(keys)
        sizes = [starts.size for starts, _ in self._raw]
        which = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
        starts = _joined([starts for starts, _ in self._raw])
        block = np.floor((starts - telemetry.started_at) / BLOCK_SECONDS).astype(np.int64)
        first = np.ones(block.size, dtype=bool)
        first[1:] = (block[1:] != block[:-1]) | (which[1:] != which[:-1])
        self._block_key = which[first]
        order = np.argsort(starts, kind="stable")
        logs = np.log(_joined([seconds for _, seconds in self._raw]) + SMALLEST_SECONDS)
        self._starts, self._which, self._logs = starts[order], which[order], logs[order]
        self._in_block = (np.cumsum(first) - 1)[order]

    def pace(self, onset: float) -> Pace:
        """How the times of each operation moved at `onset` (epoch s), whatever its size."""
        here, near = np.searchsorted(self._starts, [onset, onset - RECENT_SECONDS]).tolist()
        since = self._sample(slice(here, None))
        before = self._sample(slice(here))
        recent = self._sample(slice(near, here))
        gap = since.mean - before.mean
        z = gap / np.hypot(since.error, before.error)
        z *= _borne_out(gap, since, recent)
        which = np.flatnonzero((before.n >= FEWEST) & (since.n >= FEWEST))
        typical = np.exp(before.mean[which]) - SMALLEST_SECONDS
        now = typical.copy()
        for at in np.flatnonzero(z[which] > FAINTEST_Z).tolist():
            starts, seconds = self._raw[which[at]]
            border = int(np.searchsorted(starts, onset))
            typical[at], now[at] = _trimmed(seconds[:border]), _trimmed(seconds[border:])
        return Pace(
            self._ways,
            which,
            z[which],
            typical,
            now,
            before.n[which].astype(np.int64),
            since.n[which].astype(np.int64),
        )

    def _sample(self, stretch: slice) -> _Sample:
        """Of the values in this range, in time order."""
        keys, blocks = len(self._ways.keys), self._block_key.size
        which, logs = self._which[stretch], self._logs[stretch]
        n = np.bincount(which, minlength=keys).astype(np.float64)
        safe = np.maximum(n, 1.0)
        mean = np.bincount(which, weights=logs, minlength=keys) / safe
        square = np.bincount(which, weights=(logs - mean[which]) ** 2, minlength=keys) / safe
        plain = np.sqrt(square + USUAL_WEIGHT * USUAL_SPREAD**2 / safe) / np.sqrt(safe)
        inside = self._in_block[stretch]
        count = np.bincount(inside, minlength=blocks)
        means = np.bincount(inside, weights=logs, minlength=blocks) / np.maximum(count, 1)
        full = count >= FEWEST_BLOCKS
        owner, means = self._block_key[full], means[full]
        number = np.bincount(owner, minlength=keys).astype(np.float64)
        middle = np.bincount(owner, weights=means, minlength=keys) / np.maximum(number, 1.0)
        apart = np.bincount(owner, weights=(means - middle[owner]) ** 2, minlength=keys)
        told = number >= FEWEST_BLOCKS
        between = np.sqrt(apart / np.maximum(number - 1.0, 1.0) / np.maximum(number, 1.0))
        return _Sample(n, mean, np.where(told, np.maximum(plain, between), 1.5 * plain))


def _borne_out(gap: Floats, since: _Sample, recent: _Sample) -> Floats:
    """How far the minutes just before bear the change out, 0..1: 1 when they are silent."""
    noise = np.hypot(since.error, recent.error)
    there = recent.n >= FEWEST
    expected = np.where(there, np.abs(gap) / noise, 0.0)
    seen = np.maximum(0.0, np.sign(gap) * (since.mean - recent.mean) / noise)
    weight = np.minimum(1.0, expected / 1.5)
    doubt: Floats = weight * np.maximum(0.0, 1.0 - seen / np.maximum(expected, 1e-9))
    return 1.0 - doubt


def _joined(parts: list[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.array([], dtype=np.float64)


def _trimmed(values: Floats) -> float:
    """Mean without the largest and smallest twentieth."""
    ordered = np.sort(values)
    cut = ordered.size // 20
    return float(ordered[cut : ordered.size - cut].sum()) / (ordered.size - 2 * cut)
