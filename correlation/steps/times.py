"""How much longer operations take, of their own and on the way to the service they wait for.

Times are compared on a log scale by Welch's t, whose error is the larger of that of the values
and of that of blocks of BLOCK_SECONDS: requests of one moment are alike. As with habits, the
minutes just before the onset have to bear a change out, where they are not silent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from correlation.steps.habits import RECENT_SECONDS
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
class _Sample:
    """Of every operation: how many values in a stretch of time, their mean and its error."""

    n: Floats
    mean: Floats
    error: Floats


class Times:
    """All times of `requests` until `as_of`; onsets are to lie on its grid of blocks."""

    def __init__(self, requests: Requests, telemetry: Telemetry) -> None:
        self._keys: list[tuple[Operation, str]] = []
        self._raw: list[tuple[Floats, Floats]] = []
        for key, (starts, seconds) in requests.times.items():
            end = int(np.searchsorted(starts, telemetry.as_of, side="right"))
            if end >= 2 * FEWEST:
                self._keys.append(key)
                self._raw.append((starts[:end], seconds[:end]))
        sizes = [starts.size for starts, _ in self._raw]
        self._which = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
        self._starts = _joined([starts for starts, _ in self._raw])
        self._logs = np.log(_joined([seconds for _, seconds in self._raw]) + SMALLEST_SECONDS)
        block = np.floor((self._starts - telemetry.started_at) / BLOCK_SECONDS).astype(np.int64)
        first = np.ones(block.size, dtype=bool)
        first[1:] = (block[1:] != block[:-1]) | (self._which[1:] != self._which[:-1])
        self._in_block = np.cumsum(first) - 1
        self._block_key = self._which[first]

    def slower(self, onset: float) -> list[Slower]:
        """How the times of each operation moved at `onset` (epoch s), whatever its size."""
        if not self._keys:
            return []
        since = self._sample(self._starts >= onset)
        past = self._starts < onset
        before = self._sample(past)
        recent = self._sample(past & (self._starts >= onset - RECENT_SECONDS))
        gap = since.mean - before.mean
        z = gap / np.hypot(since.error, before.error)
        z *= _borne_out(gap, since, recent)
        found = []
        for at in np.flatnonzero((before.n >= FEWEST) & (since.n >= FEWEST)).tolist():
            starts, seconds = self._raw[at]
            border = int(np.searchsorted(starts, onset))
            typical = now = float(np.exp(before.mean[at])) - SMALLEST_SECONDS
            if z[at] > FAINTEST_Z:
                typical, now = _trimmed(seconds[:border]), _trimmed(seconds[border:])
            executions = int(seconds.size) - border
            lost = max(0.0, now - typical) * executions
            operation, peer = self._keys[at]
            found.append(
                Slower(*operation, peer, float(z[at]), typical, now, border, executions, lost)
            )
        return found

    def _sample(self, chosen: NDArray[np.bool_]) -> _Sample:
        keys, blocks = len(self._keys), self._block_key.size
        which, logs = self._which[chosen], self._logs[chosen]
        n = np.bincount(which, minlength=keys).astype(np.float64)
        safe = np.maximum(n, 1.0)
        mean = np.bincount(which, weights=logs, minlength=keys) / safe
        square = np.bincount(which, weights=(logs - mean[which]) ** 2, minlength=keys) / safe
        plain = np.sqrt(square + USUAL_WEIGHT * USUAL_SPREAD**2 / safe) / np.sqrt(safe)
        inside = self._in_block[chosen]
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
    return float(ordered[cut : ordered.size - cut].mean())
