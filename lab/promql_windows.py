"""Functions over a range of samples: rate, increase, *_over_time and their like.

Every function takes one series' samples as a `Windows` and answers (values (T,), present (T,)).
Formulas: promql/functions.go of Prometheus 2.42. A window is closed on both sides, as in 2.x.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lab.promql_vector import Floats, Integers, Mask

Answer = tuple[Floats, Mask]


@dataclass(slots=True)
class Windows:
    """One series' samples, and for each step the half-open index range that its window holds."""

    times: Integers  # ms, without staleness markers
    values: Floats
    low: Integers
    high: Integers
    starts: Integers  # ms, the window's left edge at each step
    ends: Integers  # ms, its right edge

    @property
    def counts(self) -> Integers:
        """Samples in each window."""
        return self.high - self.low


def _changes_between(events: Floats, windows: Windows) -> Floats:
    """Sum of events[i] over the second to the last sample of each window; events[0] is ignored."""
    total = np.concatenate([[0.0], np.cumsum(events)])
    filled = windows.counts > 0
    first = np.where(filled, windows.low + 1, 0)
    return np.asarray(np.where(filled, total[windows.high] - total[first], 0.0))


def _ends_of(windows: Windows, least: int) -> tuple[Mask, Integers, Integers]:
    enough = windows.counts >= least
    return enough, np.where(enough, windows.low, 0), np.where(enough, windows.high - 1, 0)


def extrapolated(windows: Windows, *, counter: bool, per_second: bool) -> Answer:
    """rate (counter, per_second), increase (counter) and delta, as extrapolatedRate does it."""
    enough, first, last = _ends_of(windows, 2)
    if not enough.any():
        return np.zeros(len(enough)), enough
    times, values = windows.times, windows.values
    change = values[last] - values[first]
    if counter:
        change = change + _resets(windows)
    sampled = (times[last] - times[first]) / 1000.0
    to_start = (times[first] - windows.starts) / 1000.0
    to_end = (windows.ends - times[last]) / 1000.0
    average = sampled / (windows.counts - 1)
    if counter:
        to_zero = sampled * (values[first] / change)
        cut = (change > 0) & (values[first] >= 0) & (to_zero < to_start)
        to_start = np.where(cut, to_zero, to_start)
    threshold = average * 1.1
    interval = sampled + np.where(to_start < threshold, to_start, average / 2)
    interval = interval + np.where(to_end < threshold, to_end, average / 2)
    factor = interval / sampled
    if per_second:
        factor = factor / ((windows.ends - windows.starts) / 1000.0)
    return change * factor, enough


def _resets(windows: Windows) -> Floats:
    """What counter resets hide: the value before each drop, summed over each window."""
    values = windows.values
    lost = np.zeros(len(values))
    lost[1:] = np.where(values[1:] < values[:-1], values[:-1], 0.0)
    if np.isfinite(lost).all():
        return _changes_between(lost, windows) if lost.any() else np.zeros(len(windows.low))
    sums = [lost[a + 1 : b].sum() for a, b in zip(windows.low, windows.high, strict=True)]
    return np.asarray(sums, dtype=np.float64)


def last_two(windows: Windows, *, rate: bool) -> Answer:
    """irate (rate=True: counter, per second) and idelta, from the last two samples."""
    enough, _, last = _ends_of(windows, 2)
    if not enough.any():
        return np.zeros(len(enough)), enough
    before = np.where(enough, last - 1, 0)
    now, then = windows.values[last], windows.values[before]
    change = np.where(now < then, now, now - then) if rate else now - then
    if rate:
        change = change / ((windows.times[last] - windows.times[before]) / 1000.0)
    return change, enough


def reduced(windows: Windows, reduce: np.ufunc) -> Answer:
    """A ufunc (add, fmin, fmax) folded over each window."""
    present = windows.counts > 0
    answer = np.zeros(len(present))
    if present.any():
        edges = np.stack([windows.low[present], windows.high[present]], axis=1).ravel()
        padded = np.append(windows.values, 0.0)  # reduceat wants every index inside the array
        answer[present] = reduce.reduceat(padded, edges)[::2]
    return answer, present


def averaged(windows: Windows) -> Answer:
    """avg_over_time."""
    total, present = reduced(windows, np.add)
    return total / np.maximum(windows.counts, 1), present


def counted(windows: Windows) -> Answer:
    """count_over_time."""
    return windows.counts.astype(np.float64), windows.counts > 0


def newest(windows: Windows) -> Answer:
    """last_over_time."""
    present, _, last = _ends_of(windows, 1)
    if not present.any():
        return np.zeros(len(present)), present
    return windows.values[last], present


def stepped(windows: Windows, *, only_down: bool) -> Answer:
    """resets (only_down) and changes: how often the value fell, or changed."""
    values = windows.values
    events = np.zeros(len(values))
    if only_down:
        events[1:] = values[1:] < values[:-1]
    else:
        both_nan = np.isnan(values[1:]) & np.isnan(values[:-1])
        events[1:] = (values[1:] != values[:-1]) & ~both_nan
    return _changes_between(events, windows), windows.counts > 0


def _each(windows: Windows, least: int, answer_of: Callable[[Integers, Floats], float]) -> Answer:
    present = windows.counts >= least
    answer = np.zeros(len(present))
    for step in np.flatnonzero(present):
        held = slice(windows.low[step], windows.high[step])
        answer[step] = answer_of(windows.times[held], windows.values[held])
    return answer, present


def slope(windows: Windows) -> Answer:
    """deriv: least-squares slope per second."""

    def of(times: Integers, values: Floats) -> float:
        if np.all(values == values[0]):
            return math.nan if math.isinf(values[0]) else 0.0
        x = (times - times[0]) / 1000.0
        n = len(x)
        sum_x, sum_y = math.fsum(x), math.fsum(values)
        covariance = math.fsum(x * values) - sum_x * sum_y / n
        return covariance / (math.fsum(x * x) - sum_x * sum_x / n)

    return _each(windows, 2, of)


def spread(windows: Windows, *, root: bool) -> Answer:
    """stddev_over_time (root) and stdvar_over_time, of the population."""
    deviation = np.std if root else np.var
    return _each(windows, 1, lambda _, values: float(deviation(values)))


def quantile(rank: float, values: Floats) -> float:
    """Prometheus' quantile of a set of values: linear between neighbours, NaN sorts first."""
    if len(values) == 0 or math.isnan(rank):
        return math.nan
    if rank < 0:
        return -math.inf
    if rank > 1:
        return math.inf
    ordered = np.concatenate([values[np.isnan(values)], np.sort(values[~np.isnan(values)])])
    position = rank * (len(ordered) - 1)
    lower = max(0, math.floor(position))
    upper = min(len(ordered) - 1, lower + 1)
    weight = position - math.floor(position)
    return float(ordered[lower] * (1 - weight) + ordered[upper] * weight)


def quantiled(windows: Windows, ranks: Floats) -> Answer:
    """quantile_over_time, with one rank for each step."""
    present = windows.counts > 0
    answer = np.zeros(len(present))
    for step in np.flatnonzero(present):
        held = windows.values[windows.low[step] : windows.high[step]]
        answer[step] = quantile(float(ranks[step]), held)
    return answer, present


FUNCTIONS: dict[str, Callable[[Windows], Answer]] = {
    "rate": lambda w: extrapolated(w, counter=True, per_second=True),
    "increase": lambda w: extrapolated(w, counter=True, per_second=False),
    "delta": lambda w: extrapolated(w, counter=False, per_second=False),
    "irate": lambda w: last_two(w, rate=True),
    "idelta": lambda w: last_two(w, rate=False),
    "deriv": slope,
    "avg_over_time": averaged,
    "min_over_time": lambda w: reduced(w, np.fmin),
    "max_over_time": lambda w: reduced(w, np.fmax),
    "sum_over_time": lambda w: reduced(w, np.add),
    "count_over_time": counted,
    "last_over_time": newest,
    "present_over_time": lambda w: (np.ones(len(w.low)), w.counts > 0),
    "stddev_over_time": lambda w: spread(w, root=True),
    "stdvar_over_time": lambda w: spread(w, root=False),
    "changes": lambda w: stepped(w, only_down=False),
    "resets": lambda w: stepped(w, only_down=True),
}
