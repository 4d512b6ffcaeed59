"""How far signals moved from their baselines: robust effect sizes with sane floors.

The baseline is a median and a scale (reference). Durations are measured on a log scale too, and
the smaller effect counts: one slow request among few is no outlier. Series with as many samples
are measured together, a row each: the numbers are those each would give alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from correlation.metrics.changepoint import Onset, Rows, find_onsets
from correlation.metrics.recurrence import recurrences
from correlation.metrics.reference import Reference, floors_of, medians, references
from correlation.telemetry import Floats, Series

SMALLEST_TIME = 1e-4
"""Seconds added before the logarithm: below them, nobody cares for factors."""

BLOCK = 1 << 16
"""Samples measured at a time: what fits a processor's cache."""


@dataclass(frozen=True)
class Effect:
    """How one series moved. `z` is in baseline scales, never negative; `sign` +1 up, -1 down.

    `value` is the median of the newest half of the anomalous run (a young fault is still
    growing), `duration_seconds` how long the run lasts, `n_window` its points. `recurrence` is
    how many runs as high the baseline leads to expect in a window as long (recurrence).
    """

    reference: Reference
    value: float
    z: float
    sign: int
    onset: Onset
    duration_seconds: float
    n_window: int
    recurrence: float = 0.0


def measure(
    series: Series, baseline: tuple[float, float], window: tuple[float, float], as_of: float
) -> Effect | None:
    """`measure_each` of one series."""
    return measure_each([series], baseline, window, as_of)[0]


def measure_each(
    series: Sequence[Series],
    baseline: tuple[float, float],
    window: tuple[float, float],
    as_of: float,
) -> list[Effect | None]:
    """The strongest movement of each series inside the window, in its bad direction.

    None when baseline or window hold no finite sample, or when nothing left the band. Series
    with as many samples before and inside are measured together.
    """
    alike: dict[tuple[int, int], list[tuple[int, _Cut]]] = {}
    for place, cut in enumerate(_cuts(series, baseline, window, as_of)):
        if cut is not None:
            alike.setdefault((cut.usual.size, cut.inside.size), []).append((place, cut))
    found: list[Effect | None] = [None] * len(series)
    for (before, inside), cuts in alike.items():
        rows = max(1, BLOCK // (before + inside))
        for first in range(0, len(cuts), rows):
            block = cuts[first : first + rows]
            places = [place for place, _ in block]
            for row, effect in _measured([series[n] for n in places], [cut for _, cut in block]):
                known = found[places[row]]
                if known is None or effect.z > known.z:
                    found[places[row]] = effect
    return found


class _Cut(NamedTuple):
    """One series: times and values of the baseline and of the window, seconds a sample."""

    earlier: Floats
    usual: Floats
    moments: Floats
    inside: Floats
    step: float


class _Bounds(NamedTuple):
    """Where baseline and window begin and end among the samples."""

    begin: int
    end: int
    first: int
    last: int
    step: float


def _cuts(
    series: Iterable[Series],
    baseline: tuple[float, float],
    window: tuple[float, float],
    as_of: float,
) -> Iterable[_Cut | None]:
    """Each series cut in two, None where a side is empty; most share their times."""
    until = min(as_of, max(window[1], window[0]))
    known: dict[bytes, _Bounds] = {}
    for one in series:
        times, values = one.times, one.values
        finite = np.isfinite(values)
        if not finite.all():
            times, values = times[finite], values[finite]
        same = times.tobytes()
        if same not in known:
            first = int(np.searchsorted(times, window[0], side="left"))
            last = int(np.searchsorted(times, until, side="right"))
            begin = int(np.searchsorted(times, baseline[0], side="left"))
            end = min(int(np.searchsorted(times, baseline[1], side="right")), first)
            known[same] = _Bounds(begin, end, first, last, _step(times))
        at = known[same]
        if at.last <= at.first or at.end <= at.begin:
            yield None
            continue
        before, inside = slice(at.begin, at.end), slice(at.first, at.last)
        yield _Cut(times[before], values[before], times[inside], values[inside], at.step)


def _measured(series: list[Series], cuts: list[_Cut]) -> Iterable[tuple[int, Effect]]:
    """(row, effect) of the series that left their band, those that rose before those that fell."""
    usual, inside = np.array([cut.usual for cut in cuts]), np.array([cut.inside for cut in cuts])
    moments, steps = np.array([cut.moments for cut in cuts]), np.array([cut.step for cut in cuts])
    found = references(usual, [floors_of(one.signal, one.unit) for one in series])
    centre, scale = found.centre[:, None], found.scale[:, None]
    for sign, direction in ((1, "up"), (-1, "down")):
        facing = np.flatnonzero([one.direction in (direction, "both") for one in series])
        deviations = sign * (inside[facing] - centre[facing]) / scale[facing]
        onsets = [
            (int(facing[row]), onset)
            for row, onset in find_onsets(moments[facing], deviations, steps[facing])
        ]
        if not onsets:
            continue
        rows: Rows = np.array([row for row, _ in onsets])
        runs = [onset for _, onset in onsets]
        before = np.array([cuts[row].earlier for row, _ in onsets])
        strays = sign * (usual[rows] - centre[rows]) / scale[rows]
        again = recurrences(before, strays, runs, steps[rows], inside.shape[1])
        values, newest = _newest(inside[rows], runs)
        logs = _log_scales(usual, rows, series) if sign > 0 else {}
        for n, (row, onset) in enumerate(onsets):
            usually, scale_of_log = found.one(row), logs.get(row)
            yield (
                row,
                _described(
                    cuts[row], usually, onset, sign, values[n], newest[n], again[n], scale_of_log
                ),
            )


def _newest(inside: Floats, onsets: list[Onset]) -> tuple[list[float], list[int]]:
    """The median of the newest half of each run, and how many points that half has."""
    stop = np.array([onset.stop for onset in onsets])
    start = np.array([onset.start for onset in onsets])
    start = start + (stop - start) // 2
    places = np.arange(inside.shape[1])
    kept = (places >= start[:, None]) & (places < stop[:, None])
    ordered = np.sort(np.where(kept, inside, np.inf), axis=1)
    count, each = stop - start, np.arange(stop.size)
    upper, lower = ordered[each, count // 2], ordered[each, (count - 1) // 2]
    middle = np.where(count % 2 == 1, upper, (lower + upper) / 2.0)
    return middle.tolist(), count.tolist()


def _log_scales(usual: Floats, rows: Rows, series: list[Series]) -> dict[int, float]:
    """The scales of durations on a log scale: they vary by factors, and up more than down."""
    timed = [int(row) for row in rows if series[row].unit == "s"]
    if not timed:
        return {}
    logs = np.log(np.maximum(usual[timed], 0.0) + SMALLEST_TIME)
    scales = references(logs, [floors_of("", "log")] * len(timed)).scale
    return dict(zip(timed, scales.tolist(), strict=True))


def _described(
    cut: _Cut,
    found: Reference,
    onset: Onset,
    sign: int,
    value: float,
    newest: int,
    recurrence: float,
    log_scale: float | None,
) -> Effect:
    # Neighbouring points of a rate share samples: n points are worth about 1 + (n-1)/4,
    # and no more than 4, or a long window would make any drift significant.
    weight = math.sqrt(min(1.0 + (newest - 1) / 4.0, 4.0))
    z = max(0.0, sign * (value - found.centre) / found.scale) * weight
    if log_scale is not None:
        ratio = math.log(max(value, 0.0) + SMALLEST_TIME) - math.log(found.centre + SMALLEST_TIME)
        z = min(z, max(0.0, ratio) / log_scale * weight)
    duration = float(cut.moments[onset.stop - 1] - cut.moments[onset.start]) + cut.step
    return Effect(found, value, z, sign, onset, duration, onset.stop - onset.start, recurrence)


def _step(times: Floats) -> float:
    """Usual distance of samples in seconds; 15 when it cannot be known."""
    if times.size < 2:
        return 15.0
    return max(float(medians(np.sort(np.diff(times))[None, :])[0]), 1e-3)
