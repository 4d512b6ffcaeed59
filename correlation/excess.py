"""Whose own excess it is, on a call graph with coarse metrics: its own less its callees'.

For metrics in buckets of a minute or more without signals per edge. A service's excess is how many
seconds (or failures) it adds per second over what is usual; what its callees add, by the share of
their calls that it makes, is theirs. What is left over is its own. A callee without a usual value
explains nothing: a dependency never seen before was called by somebody new. What is usual is said
by the buckets just before the window, how much that wanders by the whole baseline.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from correlation.evidence import Key, Movement
from correlation.magnitude import hill
from correlation.telemetry import Floats, Series, Telemetry

COARSE_SECONDS = 60.0
RECENT_BUCKETS = 3
KINDS = (("latency_mean", 0.10, 0.001), ("error_ratio", 0.0, 0.004))
"""(signal, smallest wandering believed relative to the usual value, and absolute)."""


@dataclass(frozen=True, eq=False)
class _Flow:
    excess: dict[float, float]
    noise: float
    volume: float


def own_excess(telemetry: Telemetry, found: dict[Key, Movement]) -> dict[str, float]:
    """service -> 0..1, how much of the worst excess is its own and beyond wandering.

    Empty where it does not apply: fine steps, signals per edge, unbiased traces, or no values.
    """
    if telemetry.traces_unbiased or any(key[2] for key in found):
        return {}
    kinds: list[tuple[float, dict[str, float]]] = []
    for signal, relative, absolute in KINDS:
        series = {key[0]: movement.series for key, movement in found.items() if key[1] == signal}
        if (
            len(series) < 3
            or float(np.median([_step(s) for s in series.values()])) < COARSE_SECONDS
        ):
            continue
        rates = {k[0]: m.series for k, m in found.items() if k[1] == "request_rate"}
        flows = {
            name: flow
            for name, one in series.items()
            if (flow := _flow(telemetry, one, rates.get(name), relative, absolute)) is not None
        }
        felt = _felt(flows.get(telemetry.target or ""))
        kinds.append((felt, _shared_out(telemetry, flows)))
    most = max((felt for felt, _ in kinds), default=0.0)
    blame: dict[str, float] = {}
    for felt, worths in kinds:
        for name, worth in worths.items():
            known = worth * (felt / most if most > 0.0 else 1.0)
            blame[name] = max(blame.get(name, 0.0), known)
    return blame


def _felt(flow: _Flow | None) -> float:
    """How far the affected service shows an excess of this kind, 0..1."""
    return hill(max([0.0, *flow.excess.values()]) / flow.noise, 2.0, 2.0) if flow else 0.0


def _shared_out(telemetry: Telemetry, flows: dict[str, _Flow]) -> dict[str, float]:
    callers: dict[str, list[str]] = {}
    for caller, callee in telemetry.edges:
        if caller in flows and callee in flows:
            callers.setdefault(callee, []).append(caller)
    passed: dict[str, dict[float, float]] = {name: {} for name in flows}
    for callee, names in sorted(callers.items()):
        total = sum(flows[name].volume for name in names)
        for name in names:
            share = flows[name].volume / total if total > 0.0 else 1.0 / len(names)
            for at, seconds in flows[callee].excess.items():
                passed[name][at] = passed[name].get(at, 0.0) + share * seconds
    own, sure = {}, {}
    for name, flow in flows.items():
        left = [
            seconds - max(0.0, passed[name].get(at, 0.0)) for at, seconds in flow.excess.items()
        ]
        own[name] = max([0.0, *left])
        sure[name] = hill(own[name] / max(flow.noise, 1e-9), 4.0, 2.0)
    reach = _reach(telemetry)
    most = max((own[n] * sure[n] for n in own if not reach or n in reach), default=0.0)
    if most <= 0.0:
        return {}
    return {name: sure[name] * min(1.0, own[name] * sure[name] / most) for name in own}


def _flow(
    telemetry: Telemetry, series: Series, rate: Series | None, relative: float, absolute: float
) -> _Flow | None:
    border, end = telemetry.window[0], telemetry.as_of
    before = series.values[series.times < border]
    inside = (series.times >= border) & (series.times <= end)
    if before.size == 0 or not inside.any():
        return None
    recent = before[-RECENT_BUCKETS:]
    near = recent[
        series.times[series.times < border][-RECENT_BUCKETS:] >= border - _reach_back(series)
    ]
    if near.size == 0:
        return None
    usual = float(np.median(near))
    centre = float(np.median(before))
    wander = 1.4826 * float(np.median(np.abs(before - centre)))
    scale = max(min(wander, max(usual, absolute)), relative * usual, absolute)
    volumes = dict.fromkeys(series.times[inside].tolist(), 1.0)
    if rate is not None:
        seen = dict(zip(rate.times.tolist(), rate.values.tolist(), strict=True))
        volumes = {at: seen.get(at, 0.0) for at in volumes}
    values = dict(zip(series.times[inside].tolist(), series.values[inside].tolist(), strict=True))
    excess = {at: volumes[at] * (value - usual) for at, value in values.items()}
    volume = float(np.median(list(volumes.values())))
    return _Flow(excess, max(volume, 1e-9) * scale, volume)


def _reach_back(series: Series) -> float:
    return (RECENT_BUCKETS + 0.5) * _step(series)


def _step(series: Series) -> float:
    times: Floats = series.times
    return float(np.median(np.diff(times[-20:]))) if times.size > 1 else 0.0


def _reach(telemetry: Telemetry) -> set[str]:
    """The target and all it calls; empty when it is not in the graph."""
    below: dict[str, list[str]] = {}
    for caller, callee in telemetry.edges:
        below.setdefault(caller, []).append(callee)
    if telemetry.target is None or telemetry.target not in below:
        return set()
    seen, queue = {telemetry.target}, [telemetry.target]
    while queue:
        for name in below.get(queue.pop(), []):
            if name not in seen:
                seen.add(name)
                queue.append(name)
    return seen
