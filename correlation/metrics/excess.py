"""Whose own excess it is, on a call graph with coarse metrics: its own less its callees'.

For metrics in buckets of a minute or more without signals per edge. A service's excess is how many
seconds (or failures) it adds per second over what is usual (flows); what its callees add, by the
share of their calls that it makes, is theirs; so is what a callee that the graph does not name may
add (hidden_callees). What is left over is its own. A callee without a usual value explains
nothing: a dependency never seen before was called by somebody new. Where requests were not
counted, courses are compared instead of sizes (per_request_excess).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from correlation.evidence import Key, Movement
from correlation.magnitude import hill, significance
from correlation.metrics.flows import Flow, flows_of, step_of
from correlation.metrics.hidden_callees import SharedOut, hidden_shares
from correlation.metrics.per_request_excess import own_rises
from correlation.telemetry import Floats, Series, Telemetry

COARSE_SECONDS = 60.0
KINDS = (("latency_mean", 0.10, 0.001), ("error_ratio", 0.0, 0.004))
"""(signal, smallest wandering believed relative to the usual value, and absolute)."""

CALM = 0.4
"""What an excess elsewhere is worth when the affected service is measured and shows none."""

LEAST_FELT = 0.1
"""Kinds of which the affected service shows less than this are told apart by their size alone."""

AKIN = 0.5
"""A service that covers this much of the affected one's excess is taken to be below it."""


@dataclass(frozen=True)
class Excess:
    """`own` is service -> 0..1, how much of the worst excess is its own and beyond wandering.

    `akin` are services whose excess covers the affected one's: known calls or not, it feels them.
    """

    own: Mapping[str, float] = field(default_factory=dict)
    akin: frozenset[str] = frozenset()


def own_excess(telemetry: Telemetry, found: dict[Key, Movement]) -> Excess:
    """The excess of every service that is its own.

    Empty where it does not apply: fine steps, signals per edge, unbiased traces, or no values.
    """
    if telemetry.traces_unbiased or any(key[2] for key in found):
        return Excess()
    rates = {key[0]: move.series for key, move in found.items() if key[1] == "request_rate"}
    kinds = [flows for kind in KINDS if (flows := _flows(telemetry, found, rates, *kind))]
    felt = [_felt(flows.get(telemetry.target or "")) for flows in kinds]
    if not rates:
        worths = [_by_course(telemetry, *pair) for pair in zip(kinds, felt, strict=True)]
        return Excess(_joined(telemetry.target, kinds, felt, worths))
    covers = [_covers(flows, telemetry.target) for flows in kinds]
    worths = _by_volume(telemetry, kinds, felt, covers)
    akin = {
        name
        for feels, cover in zip(felt, covers, strict=True)
        for name, share in cover.items()
        if share * feels >= AKIN
    }
    return Excess(_joined(telemetry.target, kinds, felt, worths), frozenset(akin))


def _joined(
    target: str | None,
    kinds: list[dict[str, Flow]],
    felt: list[float],
    worths: list[dict[str, float]],
) -> dict[str, float]:
    """The worse of both kinds, each as far as the affected service feels it."""
    most = max(felt, default=0.0)
    shown = any(target in flows for flows in kinds)
    calm = CALM + (1.0 - CALM) * most if shown else 1.0
    blame: dict[str, float] = {}
    for feels, worth in zip(felt, worths, strict=True):
        for name, value in worth.items():
            known = value * calm * (feels + LEAST_FELT) / (most + LEAST_FELT)
            blame[name] = max(blame.get(name, 0.0), known)
    return blame


def _flows(
    telemetry: Telemetry,
    found: dict[Key, Movement],
    rates: dict[str, Series],
    signal: str,
    relative: float,
    absolute: float,
) -> dict[str, Flow]:
    series = {key[0]: movement.series for key, movement in found.items() if key[1] == signal}
    if len(series) < 3 or np.median([step_of(s) for s in series.values()]) < COARSE_SECONDS:
        return {}
    return flows_of(telemetry, series, rates, relative, absolute)


def _felt(flow: Flow | None) -> float:
    """How far the affected service shows an excess of this kind, 0..1."""
    return hill(float(flow.added.max()) / flow.noise, 2.0, 2.0) if flow else 0.0


def _covers(flows: dict[str, Flow], target: str | None) -> dict[str, float]:
    """How much of the affected service's excess each one's could be, bucket by bucket, 0..1."""
    felt = flows.get(target or "")
    whole = float(felt.added.sum()) if felt else 0.0
    if felt is None or whole <= 0.0:
        return {}
    return {
        name: float(np.minimum(flow.added, felt.added).sum()) / whole
        for name, flow in flows.items()
    }


def _by_course(telemetry: Telemetry, flows: dict[str, Flow], felt: float) -> dict[str, float]:
    added = {name: flow.added for name, flow in flows.items()}
    return _confirmed(flows, added, own_rises(telemetry, flows, felt))


def _by_volume(
    telemetry: Telemetry,
    kinds: list[dict[str, Flow]],
    felt: list[float],
    covers: list[dict[str, float]],
) -> list[dict[str, float]]:
    shared = [_shared_out(telemetry, flows) for flows in kinds]
    reach = _reach(telemetry)
    worths = []
    for kind, hidden, feels, cover in zip(
        shared, hidden_shares(telemetry, shared), felt, covers, strict=True
    ):
        own = {name: float(over.max()) * (1.0 - hidden[name]) for name, over in kind.left.items()}
        like = {name: feels * cover.get(name, 0.0) for name in own}
        near = {
            name: 1.0 if not reach or name in reach or like[name] >= AKIN else like[name]
            for name in own
        }
        akin = {
            name: 1.0 if name in reach or not cover else 1.0 - feels * (1.0 - cover[name])
            for name in own
        }
        worth = _confirmed(kind.flows, kind.left, own, near)
        worths.append({name: value * akin[name] for name, value in worth.items()})
    return worths


def _confirmed(
    flows: Mapping[str, Flow],
    left: Mapping[str, Floats],
    own: dict[str, float],
    near: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Own excesses as shares of the largest (of those `near`), by how sure an excess it is."""
    sure = {
        name: significance(float(left[name].max()) / flow.noise, len(KINDS) * len(flows))
        for name, flow in flows.items()
    }
    most = max((own[n] * sure[n] * (near[n] if near else 1.0) for n in own), default=0.0)
    if most <= 0.0:
        return {}
    return {name: sure[name] * min(1.0, own[name] * sure[name] / most) for name in own}


def _shared_out(telemetry: Telemetry, flows: dict[str, Flow]) -> SharedOut:
    """Each callee's excess goes to its known callers by their volumes."""
    callers: dict[str, list[str]] = {}
    for caller, callee in telemetry.edges:
        if caller in flows and callee in flows and caller != callee:
            callers.setdefault(callee, []).append(caller)
    left: dict[str, Floats] = {name: flow.excess.copy() for name, flow in flows.items()}
    free: dict[str, Floats] = {name: flow.added.copy() for name, flow in flows.items()}
    for callee, names in sorted(callers.items()):
        total = sum(flows[name].volume for name in names)
        for name in names:
            share = flows[name].volume / total if total > 0.0 else 1.0 / len(names)
            left[name] -= share * flows[callee].added
            free[callee] -= np.minimum(share * flows[callee].added, flows[name].added)
    return SharedOut(
        flows,
        {name: np.maximum(over, 0.0) for name, over in left.items()},
        {name: np.maximum(over, 0.0) for name, over in free.items()},
    )


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
