"""From telemetry to evidence: one `Evidence` per signal that changed, and the numbers behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from correlation.magnitude import UNKNOWN_REQUESTS, confidence_of
from correlation.metrics.counters import as_rate
from correlation.metrics.effects import Effect, measure, measure_each
from correlation.metrics.silence import reports
from correlation.signal_labels import label_of
from correlation.telemetry import Evidence, Floats, Series, Telemetry
from correlation.units import humanised

REPORTED = 0.15
"""Weaker movements are noise: they are measured but not reported as evidence."""

MAX_POINTS = 120

NEVER_NEGATIVE = frozenset({"ratio", "s", "1/s", "bytes", "cores", "count"})

Key = tuple[str, str, str | None]
"""(service, signal, peer)."""

WORKLOAD_WEIGHTS = {
    # a container that does not run
    "CrashLoopBackOff": 0.97, "OOMKilled": 0.97, "OOMKilling": 0.95, "SystemOOM": 0.6,
    "Error": 0.85, "BackOff": 0.85, "ContainerCannotRun": 0.95, "StartError": 0.95,
    "ImagePullBackOff": 0.95, "ErrImagePull": 0.95, "InvalidImageName": 0.95,
    "ErrImageNeverPull": 0.95, "CreateContainerConfigError": 0.95, "CreateContainerError": 0.95,
    "RunContainerError": 0.95, "PostStartHookError": 0.9, "ContainerCreating": 0.6,
    "PodInitializing": 0.6, "Failed": 0.7, "DeadlineExceeded": 0.6,
    # a pod without a place, or that lost it
    "Unschedulable": 0.8, "FailedScheduling": 0.75, "Evicted": 0.9, "Preempted": 0.85,
    "Preempting": 0.85, "FailedMount": 0.8, "FailedAttachVolume": 0.8, "FailedCreate": 0.8,
    "FailedCreatePodSandBox": 0.8, "TaintManagerEviction": 0.8, "NodeShutdown": 0.85,
    # a pod that runs and does not serve
    "NotReady": 0.65, "Unhealthy": 0.6, "Killing": 0.4, "ProbeWarning": 0.3,
    "RolloutStuck": 0.7, "ProgressDeadlineExceeded": 0.7,
    # the ground it stands on
    "NodeNotReady": 0.85, "DiskPressure": 0.8, "MemoryPressure": 0.7, "PIDPressure": 0.7,
    "NetworkUnavailable": 0.85, "AutoscalerAtMaximum": 0.5,
    # what anyone may see on a good day: told elsewhere, or not at all
    "FailedGetResourceMetric": 0.1, "FailedComputeMetricsReplicas": 0.1,
    "FailedGetExternalMetric": 0.1, "FailedGetPodsMetric": 0.1, "ScalingReplicaSet": 0.1,
    "SuccessfulRescale": 0.1, "Stopping": 0.1, "Running": 0.0,
}  # fmt: skip
OTHER_WARNING_WEIGHT = 0.3


@dataclass(frozen=True)
class Movement:
    """What one series did: effect (None when it stayed in its band) and confidence 0..1."""

    series: Series
    effect: Effect | None
    confidence: float

    @property
    def change(self) -> float:
        """Value minus baseline in the signal's unit; 0 when nothing moved."""
        if self.effect is None:
            return 0.0
        return self.effect.value - self.effect.reference.centre

    @cached_property
    def level(self) -> float:
        """The newest typical value, moved or not; 0 for a series without samples."""
        if self.effect is not None:
            return self.effect.value
        return float(np.median(self.series.values)) if self.series.values.size else 0.0


def movements(telemetry: Telemetry) -> dict[Key, Movement]:
    """Every series measured once, in a stated order; the stronger of two with one key wins."""
    given = tuple(map(as_rate, telemetry.series))
    ordered = sorted(
        (*given, *_self_times(given), *reports(telemetry)),
        key=lambda s: (s.service, s.signal, s.peer or "", s.source, s.query, s.values.tobytes()),
    )
    found: dict[Key, Movement] = {}
    rates: dict[tuple[str, str | None], Series] = {
        (s.service, s.peer): s
        for s in ordered
        if s.signal in ("request_rate", "client_request_rate")
    }
    effects = measure_each(ordered, telemetry.baseline, telemetry.window, telemetry.as_of)
    for series, effect in zip(ordered, effects, strict=True):
        confidence = 0.0
        if effect is not None:
            requests = _requests(rates.get((series.service, series.peer)), effect)
            confidence = confidence_of(effect, series.signal, series.unit, len(ordered), requests)
        key = (series.service, series.signal, series.peer)
        if key not in found or confidence > found[key].confidence:
            found[key] = Movement(series, effect, confidence)
    _add_silence(telemetry, found)
    return found


def metric_evidence(
    found: dict[Key, Movement], window: tuple[float, float], as_of: float
) -> list[Evidence]:
    """The movements worth showing, in key order."""
    return [
        _evidence(movement, window, as_of)
        for movement in found.values()
        if movement.effect is not None and movement.confidence >= REPORTED
    ]


def workload_evidence(telemetry: Telemetry) -> list[Evidence]:
    """What the orchestrator reports inside the window; older states are worth less.

    One for each service, workload and reason, the strongest: pods and events may say the same.
    """
    strongest: dict[str, Evidence] = {}
    for state in sorted(
        set(telemetry.workloads), key=lambda w: (w.service, w.workload, w.reason, w.at, w.message)
    ):
        if state.at > telemetry.as_of or state.at < telemetry.window[0] - 900.0:
            continue
        weight = WORKLOAD_WEIGHTS.get(state.reason, OTHER_WARNING_WEIGHT)
        age = max(0.0, telemetry.window[0] - 60.0 - state.at)
        confidence = weight * (1.0 - 0.15 / max(state.count, 1)) * math.exp(-age / 300.0)
        key = f"kubernetes:{state.service}:{state.workload}:{state.reason}"
        known = strongest.get(key)
        if confidence < REPORTED or (known and known.confidence >= round(confidence, 4)):
            continue
        strongest[key] = Evidence(
            key=key,
            type="kubernetes",
            service=state.service,
            signal=state.reason,
            confidence=round(confidence, 4),
            onset_at=state.at,
            baseline=None,
            value=float(state.count),
            title=f"{state.service}: {state.workload} {state.reason}"
            + (f" ({state.count} times)" if state.count > 1 else ""),
            unit="count",
            source=state.source,
            details={
                **dict(state.attributes),
                "message": state.message[:500],
                "workload": state.workload,
            },
        )
    return list(strongest.values())


def possible_band(low: float, high: float, centre: float, unit: str) -> tuple[float, float]:
    """The usual range cut to what the unit can be: nothing counted or timed is below zero.

    A ratio ends at 1, or at `centre` where the baseline itself lies above (use over a request).
    """
    if unit not in NEVER_NEGATIVE:
        return low, high
    return max(low, min(0.0, centre)), min(high, max(1.0, centre)) if unit == "ratio" else high


def _self_times(series: tuple[Series, ...]) -> list[Series]:
    """latency_mean - callee_mean where both were sampled at one time: time spent in itself."""
    whole = {s.service: s for s in series if s.signal == "latency_mean" and s.peer is None}
    derived = []
    for part in series:
        total = whole.get(part.service)
        if part.signal != "callee_mean" or part.peer is not None or total is None:
            continue
        times, left, right = np.intersect1d(total.times, part.times, return_indices=True)
        if times.size == 0:
            continue
        query = f"({total.query}) - ({part.query})" if total.query and part.query else ""
        values = np.maximum(total.values[left] - part.values[right], 0.0)
        derived.append(
            replace(part, signal="self_time", times=times, values=values, query=query, unit="s")
        )
    return derived


def _requests(rate: Series | None, effect: Effect) -> float:
    """Requests behind a ratio since its onset: rate x duration, or what is assumed unknown."""
    if rate is None:
        return UNKNOWN_REQUESTS
    since = effect.onset.at - 1e-6
    until = effect.onset.at + effect.duration_seconds + 1e-6
    inside = rate.values[(rate.times >= since) & (rate.times <= until)]
    inside = inside[np.isfinite(inside)]
    if inside.size == 0:
        return 0.0
    return float(np.median(inside)) * effect.duration_seconds


def _add_silence(telemetry: Telemetry, found: dict[Key, Movement]) -> None:
    """A request rate that has a baseline but no sample in the window fell silent: that is data."""
    start, end = telemetry.window[0], telemetry.as_of
    heard = {
        float(at)
        for movement in found.values()
        for at in movement.series.times[-3:]
        if start <= at <= end and movement.series.signal != "error_log_rate"  # not its server's
    }
    if len(heard) < 2:
        return
    newest = max(heard)
    for key, movement in list(found.items()):
        series = movement.series
        if series.signal not in ("request_rate", "client_request_rate") or series.times.size < 8:
            continue
        step = float(np.median(np.diff(series.times)))
        if newest - float(series.times[-1]) <= max(2.5 * step, 20.0):
            continue
        zeros = np.arange(float(series.times[-1]) + step, newest + step / 2, step)
        filled = replace(
            series,
            times=np.concatenate((series.times, zeros)),
            values=np.concatenate((series.values, np.zeros_like(zeros))),
            direction="both",
        )
        effect = measure(filled, telemetry.baseline, telemetry.window, end)
        if effect is not None and effect.sign < 0:
            confidence = confidence_of(effect, series.signal, series.unit, len(found))
            found[key] = Movement(series, effect, 0.8 * confidence)


def _evidence(movement: Movement, window: tuple[float, float], as_of: float) -> Evidence:
    series, effect = movement.series, movement.effect
    assert effect is not None
    label = label_of(series.signal)
    where = f"{series.service} to {series.peer}" if series.peer else series.service
    before, now = effect.reference.centre, effect.value
    low, high = possible_band(effect.reference.low, effect.reference.high, before, series.unit)
    return Evidence(
        key=series.key,
        type="metric",
        service=series.service,
        signal=series.signal,
        confidence=round(min(movement.confidence, 0.99), 4),
        onset_at=effect.onset.at,
        baseline=_finite(before),
        value=_finite(now),
        title=f"{where}: {label} {'rose' if effect.sign > 0 else 'fell'} from "
        f"{humanised(before, series.unit)} to {humanised(now, series.unit)}",
        unit=series.unit,
        peer=series.peer,
        direction="up" if effect.sign > 0 else "down",
        source=series.source,
        query=series.query,
        details={
            "points": _points(series.times, series.values, window, as_of),
            "baseline_low": _finite(low),
            "baseline_high": _finite(high),
            "effect": _finite(effect.z),
            "n_baseline": effect.reference.n,
            "n_window": effect.n_window,
            "onset_uncertainty_seconds": _finite(effect.onset.uncertainty_seconds),
        },
    )


def _points(
    times: Floats, values: Floats, window: tuple[float, float], as_of: float
) -> list[list[float]]:
    """Samples from three window lengths before the window on, thinned to MAX_POINTS."""
    length = max(as_of - window[0], 60.0)
    keep = (times >= window[0] - 3.0 * length) & (times <= as_of) & np.isfinite(values)
    times, values = times[keep], values[keep]
    if times.size > MAX_POINTS:
        chosen = np.unique(np.linspace(0, times.size - 1, MAX_POINTS).round().astype(int))
        times, values = times[chosen], values[chosen]
    shown = (" %.6g" * values.size % tuple(values.tolist())).split()  # as `_finite`, all at once
    return [[round(at, 3), float(v)] for at, v in zip(times.tolist(), shown, strict=True)]


def _finite(value: float) -> float:
    return float(f"{float(value):.6g}") if math.isfinite(value) else 0.0
