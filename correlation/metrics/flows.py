"""What each service adds over what is usual: seconds, or failures, a second of time.

An excess is volume x (value - usual). What is usual is said by the buckets just before the
window, for the whole baseline may be months older; how far a bucket strays from the buckets
before it when nothing is wrong is said by the whole baseline, tail included.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from correlation.telemetry import Floats, Series, Telemetry

RECENT_BUCKETS = 3
TAIL = 0.02
"""Share of the baseline's buckets from which on its tail is read and carried on."""
FAULT_BUCKETS = 4
"""Buckets of the baseline that may be an earlier fault's: what is recent catches up with it."""
RARE = 1e-3
"""How seldom a bucket of health may stray as far as the tail is carried on to."""
LONGEST_TAIL = 20.0
"""The tail counts up to this many times the bulk: the baseline may hold more than one fault."""


@dataclass(frozen=True, eq=False)
class Flow:
    """One signal of one service: `excess` a bucket of the window (0 where nothing was sampled).

    `noise` is the scale of a bucket's excess in health, `usual` seconds or failures a second of
    time, `volume` requests a second.
    """

    excess: Floats
    noise: float
    usual: float
    volume: float

    @property
    def added(self) -> Floats:
        """The excess where it is one, 0 elsewhere."""
        return np.maximum(self.excess, 0.0)


def flows_of(
    telemetry: Telemetry,
    series: dict[str, Series],
    rates: dict[str, Series],
    relative: float,
    absolute: float,
) -> dict[str, Flow]:
    """service -> its flow, over one grid of buckets; without a value before the window, none.

    `relative` and `absolute` (in the signal's unit) are the least noise believed. A service whose
    requests are not counted gets the middle volume of those that are; where none are, it is 1:
    excesses are then a request's, and sizes of different services do not compare.
    """
    border, end = telemetry.window[0], telemetry.as_of
    usual = [float(np.median(rate.values)) for rate in rates.values() if rate.values.size]
    spare = float(np.median(usual)) if usual else 1.0
    moments = [one.times[(one.times >= border) & (one.times <= end)] for one in series.values()]
    grid: Floats = np.unique(np.concatenate(moments)) if moments else np.empty(0)
    if not grid.size:
        return {}
    found = {}
    for name in sorted(series):
        flow = _flow(series[name], rates.get(name), spare, border, grid, relative, absolute)
        if flow is not None:
            found[name] = flow
    return found


def step_of(series: Series) -> float:
    """Usual seconds between samples; 0 with fewer than two."""
    times: Floats = series.times
    return _at(np.sort(np.diff(times[-20:])), 0.5) if times.size > 1 else 0.0


def _flow(
    series: Series,
    rate: Series | None,
    spare: float,
    border: float,
    grid: Floats,
    relative: float,
    absolute: float,
) -> Flow | None:
    before = series.times < border
    inside = np.isin(series.times, grid)
    if not before.any() or not inside.any():
        return None
    times, values = series.times[before], series.values[before]
    near = values[-RECENT_BUCKETS:][
        times[-RECENT_BUCKETS:] >= border - (RECENT_BUCKETS + 0.5) * step_of(series)
    ]
    if near.size == 0:
        return None
    usual = _at(np.sort(near), 0.5)
    strays = values - _recent(values)
    volumes = _volumes(rate, spare, series.times[inside])
    volume = _at(np.sort(volumes), 0.5)
    excess = np.zeros(grid.size)
    excess[np.searchsorted(grid, series.times[inside])] = volumes * (series.values[inside] - usual)
    noise = max(volume, 1e-9) * _scale(values, strays, usual, relative, absolute)
    return Flow(excess, noise, volume * usual, volume)


def _volumes(rate: Series | None, spare: float, times: Floats) -> Floats:
    if rate is None:
        return np.full(times.size, spare)
    seen = dict(zip(rate.times.tolist(), rate.values.tolist(), strict=True))
    return np.array([seen.get(at, 0.0) for at in times.tolist()])


def _recent(values: Floats) -> Floats:
    """Of each value, the median of the RECENT_BUCKETS before it; the first ones their own."""
    padded = np.concatenate((np.repeat(values[:1], RECENT_BUCKETS), values[:-1]))
    shifted = np.stack([padded[k : k + values.size] for k in range(RECENT_BUCKETS)])
    return np.asarray(np.sort(shifted, axis=0)[RECENT_BUCKETS // 2])


def _scale(values: Floats, strays: Floats, usual: float, relative: float, absolute: float) -> float:
    """The noise of a bucket's value: of the bulk, or of the tail where that is heavier."""
    centre = _at(np.sort(values), 0.5)
    wander = 1.4826 * _at(np.sort(np.abs(values - centre)), 0.5)
    bulk = max(wander, relative * usual, absolute)
    far = max(TAIL, FAULT_BUCKETS / strays.size)
    near = min(0.5, 5.0 * far)
    if far >= near:
        return bulk
    ordered = np.sort(strays)
    at_near, at_far = _at(ordered, 1.0 - near), _at(ordered, 1.0 - far)
    to_near, to_far = _NORMAL.inv_cdf(1.0 - near), _NORMAL.inv_cdf(1.0 - far)
    steep = _carried_on(at_near, at_far, near, far) / _carried_on(to_near, to_far, near, far)
    tail = max(steep, at_far / to_far)
    return max(bulk, min(tail, LONGEST_TAIL * bulk))


def _at(ordered: Floats, share: float) -> float:
    """The value below which this share of the ordered ones lies, between neighbours linearly."""
    place = share * (ordered.size - 1)
    low = int(place)
    high = min(low + 1, ordered.size - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


def _carried_on(at_near: float, at_far: float, near: float, far: float) -> float:
    """What a share RARE exceeds, if the tail goes on exponentially from `near` over `far`."""
    return at_far + (at_far - at_near) * math.log(far / RARE) / math.log(near / far)


_NORMAL = NormalDist()
