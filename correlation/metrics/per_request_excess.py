"""Whose own rise it is where requests were not counted: a request's seconds, not a second's.

How many calls stand behind a rise is unknown, so sizes of different services do not compare, but
courses do: what a callee adds to its caller has the callee's course through the buckets, times
the calls a request makes of it. Those are at most as many as fit in the caller's usual time.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from correlation.magnitude import hill
from correlation.metrics.flows import Flow
from correlation.metrics.hidden_callees import ancestors
from correlation.telemetry import Floats, Telemetry

MOST_CALLS = 8.0
"""Calls of one callee a request may make before a match of courses is taken for a coincidence."""
SURE = 4.0
"""Beyond noise by this many times, a rise is as likely as not."""

LEAST_SURE = 0.05
"""Rises less sure than this are nothing to account for."""


def own_rises(telemetry: Telemetry, flows: dict[str, Flow], felt: float) -> dict[str, float]:
    """service -> 0..1: of the affected service's rise what is each one's own, by its course.

    Less for who leaves much of the other rises unexplained. As far as the affected service shows
    no rise (`felt`, 0..1), by how far each is beyond noise.
    """
    sure = {
        name: hill(float(flow.added.max()) / flow.noise, SURE, 2.0) for name, flow in flows.items()
    }
    risen = {name: flow for name, flow in flows.items() if sure[name] > LEAST_SURE}
    callers = ancestors(telemetry.edges)
    direct = set(telemetry.edges)
    target = telemetry.target if telemetry.target in flows else None
    if target is not None and not direct:  # whoever calls whom, it is on top
        direct = {(target, name) for name in flows if name != target}
        callers = {name: {target} for _, name in direct}
    broad = _breadth(risen, callers, sure)
    own = {}
    for name, flow in flows.items():
        explained = max(
            (
                follows(flow, risen[callee]) * sure[callee]
                for callee in risen
                if callee != name and (name, callee) in direct
            ),
            default=0.0,
        )
        worth = sure[name]
        if target is not None:
            like = 1.0 if name == target else follows(flows[target], flow)
            worth = felt * like + (1.0 - felt) * worth
        own[name] = worth * (1.0 - explained) * broad.get(name, 0.0)
    return own


def _breadth(
    risen: Mapping[str, Flow], callers: Mapping[str, set[str]], sure: Mapping[str, float]
) -> dict[str, float]:
    """service -> 0..1: how much of all rises it accounts for, its own and its callers'."""
    found = {}
    for name, flow in risen.items():
        found[name] = sure[name] + sum(
            sure[caller] * follows(risen[caller], flow)
            for caller in sorted(callers.get(name, ()))
            if caller in risen and caller != name
        )
    most = max(found.values(), default=0.0)
    return {name: value / most for name, value in found.items()}


def follows(caller: Flow, callee: Flow) -> float:
    """0..1, how much of the caller's rise the callee's may be, at the best number of calls."""
    whole, square = float(caller.added.sum()), float(np.dot(callee.added, callee.added))
    if whole <= 0.0 or square <= 0.0:
        return 0.0
    most = MOST_CALLS
    if callee.usual > 0.0:
        most = min(most, max(1.0, caller.usual / callee.usual))
    calls = min(most, float(np.dot(caller.added, callee.added)) / square)
    shown: Floats = np.minimum(caller.added, calls * callee.added)
    return float(shown.sum()) / whole
