"""How far a signal moved from its baseline: robust effect sizes with sane floors.

The baseline is a median and a scale. The scale is the largest of 1.4826 x MAD (a normal
standard deviation, Rousseeuw & Croux 1993), the upper tail (q90 - median) / 1.2816, held to
three times the former so that an earlier fault inside the baseline cannot hide this one, and a
floor per signal: a baseline that never moved is not infinite evidence. Durations are measured on
a log scale too, and the smaller effect counts: one slow request among few is no outlier.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from correlation.metrics.changepoint import Onset, find_onset, runs_as_high, without_last_run
from correlation.telemetry import Floats, Series

FLOORS_BY_SIGNAL: dict[str, tuple[float, float]] = {
    "error_ratio": (0.008, 0.0),
    "client_error_ratio": (0.008, 0.0),
    "cpu_saturation": (0.04, 0.10),
    "memory_saturation": (0.03, 0.05),
    "pool_saturation": (0.06, 0.10),
    "pool_waiting": (0.5, 0.25),
    "cpu_throttling": (0.04, 0.10),
    "event_loop_lag": (0.01, 0.25),
    "restarts": (0.1, 0.0),
    "error_log_rate": (0.1, 0.25),
    "oom_kills": (0.1, 0.0),
    "replicas_ready": (0.04, 0.0),
}
FLOORS_BY_UNIT: dict[str, tuple[float, float]] = {
    "ratio": (0.02, 0.05),
    "s": (0.003, 0.12),
    "1/s": (0.3, 0.12),
    "bytes": (2e6, 0.04),
    "cores": (0.02, 0.15),
    "count": (0.5, 0.10),
    "log": (0.12, 0.0),
}
"""(absolute, relative to the median): the smallest scale believed, in the signal's unit; "log" is
that of a logarithm of seconds."""

DEFAULT_FLOOR = (1e-9, 0.10)

SMALLEST_TIME = 1e-4
"""Seconds added before the logarithm: below them, nobody cares for factors."""

RECURS = 0.7
"""A run of the baseline this high, of the one found, is of its kind."""


@dataclass(frozen=True)
class Reference:
    """A healthy baseline: median, robust scale, the band of ordinary values, sample count."""

    centre: float
    scale: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Effect:
    """How one series moved. `z` is in baseline scales, never negative; `sign` +1 up, -1 down.

    `value` is the median of the newest half of the anomalous run (a young fault is still
    growing), `duration_seconds` how long the run lasts, `n_window` its points. `recurrence` is
    how many runs as high the baseline leads to expect in a window as long; a single one was an
    earlier fault, and leads to expect none.
    """

    reference: Reference
    value: float
    z: float
    sign: int
    onset: Onset
    duration_seconds: float
    n_window: int
    recurrence: float = 0.0


def reference_of(values: Floats, signal: str, unit: str) -> Reference | None:
    """Median and scale of baseline `values`; None without samples."""
    n = int(values.size)
    if n == 0:
        return None
    ordered = np.sort(values)
    centre = _middle(ordered)
    spread = 1.4826 * _middle(np.sort(np.abs(ordered - centre)))
    absolute, relative = FLOORS_BY_SIGNAL.get(signal) or FLOORS_BY_UNIT.get(unit, DEFAULT_FLOOR)
    scale = max(spread, absolute, relative * abs(centre))
    q10, q90 = float(ordered[(n - 1) // 10]), float(ordered[n - 1 - (n - 1) // 10])
    tail = max(q90 - centre, centre - q10) / 1.2816
    scale = max(scale, min(tail, 3.0 * scale))
    scale *= 1.0 + 2.0 / n  # few samples know their own scale badly
    return Reference(centre, scale, min(q10, centre - 2 * scale), max(q90, centre + 2 * scale), n)


def measure(
    series: Series, baseline: tuple[float, float], window: tuple[float, float], as_of: float
) -> Effect | None:
    """The strongest movement of `series` inside the window, in its bad direction.

    None when baseline or window hold no finite sample, or when nothing left the band.
    """
    times, values = series.times, series.values
    finite = np.isfinite(values)
    if not finite.all():
        times, values = times[finite], values[finite]
    first = int(np.searchsorted(times, window[0], side="left"))
    last = int(np.searchsorted(times, min(as_of, max(window[1], window[0])), side="right"))
    if last <= first:
        return None
    begin = int(np.searchsorted(times, baseline[0], side="left"))
    end = min(int(np.searchsorted(times, baseline[1], side="right")), first)
    found = reference_of(values[begin:end], series.signal, series.unit)
    if found is None:
        return None
    log_scale = _log_scale(values[begin:end]) if series.unit == "s" else None
    inside = values[first:last]
    moments = times[first:last]
    step = _step(times)
    best: Effect | None = None
    for sign in {"up": (1,), "down": (-1,), "both": (1, -1)}[series.direction]:
        deviations = sign * (inside - found.centre) / found.scale
        onset = find_onset(moments, deviations, step)
        if onset is None:
            continue
        usual = sign * (values[begin:end] - found.centre) / found.scale
        earlier = (
            without_last_run(usual) if onset.start == 0 else usual
        )  # seen late, not seen twice
        again = max(runs_as_high(earlier, RECURS * onset.score) - 1, 0)  # one is an earlier fault
        recurrence = again * inside.size / max(usual.size, 1)
        effect = _describe(found, inside, moments, onset, sign, step, recurrence, log_scale)
        if best is None or effect.z > best.z:
            best = effect
    return best


def _log_scale(seconds: Floats) -> float | None:
    """The scale of durations on a log scale: they vary by factors, and up more than down."""
    found = reference_of(np.log(np.maximum(seconds, 0.0) + SMALLEST_TIME), "", "log")
    return found.scale if found else None


def _describe(
    found: Reference,
    inside: Floats,
    moments: Floats,
    onset: Onset,
    sign: int,
    step: float,
    recurrence: float,
    log_scale: float | None,
) -> Effect:
    run = inside[onset.start : onset.stop]
    newest = np.sort(run[run.size // 2 :])
    value = _middle(newest)
    # Neighbouring points of a rate share samples: n points are worth about 1 + (n-1)/4,
    # and no more than 4, or a long window would make any drift significant.
    weight = math.sqrt(min(1.0 + (newest.size - 1) / 4.0, 4.0))
    z = max(0.0, sign * (value - found.centre) / found.scale) * weight
    if sign > 0 and log_scale is not None:
        ratio = math.log(max(value, 0.0) + SMALLEST_TIME) - math.log(found.centre + SMALLEST_TIME)
        z = min(z, max(0.0, ratio) / log_scale * weight)
    duration = float(moments[onset.stop - 1] - moments[onset.start]) + step
    return Effect(found, value, z, sign, onset, duration, int(run.size), recurrence)


def _middle(ordered: Floats) -> float:
    half = ordered.size // 2
    if ordered.size % 2:
        return float(ordered[half])
    return float(ordered[half - 1] + ordered[half]) / 2.0


def _step(times: Floats) -> float:
    """Usual distance of samples in seconds; 15 when it cannot be known."""
    if times.size < 2:
        return 15.0
    return max(_middle(np.sort(np.diff(times))), 1e-3)
