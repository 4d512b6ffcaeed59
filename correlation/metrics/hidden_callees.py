"""What callees that the graph does not name may account for of a service's excess.

Time and failures shrink on the way up: a caller that adds nothing of its own shows at most what
its callees added. So where one service's excess covers another's bucket by bucket, and is no
smaller, it may be the other's callee. What is known of the calls decides the rest: the affected
service is nobody's callee, who calls a service is not called by it, and an excess that known
callers show already is not somebody else's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from correlation.magnitude import hill
from correlation.metrics.flows import Flow
from correlation.telemetry import Floats, Telemetry

CALLERS_KNOWN = 0.6
"""Factor for a callee whose callers are known, some of them: an orphan's must be somebody."""

NESTED = 3.0
"""A caller's usual time and noise hold its callee's: said from this factor on, for callees serve
others too, and not everything is waited for."""

ALIKE = 0.03
"""Excesses of one course this close relative to the larger are the same: sampling, rounding."""


@dataclass(frozen=True, eq=False)
class SharedOut:
    """One kind of excess after known calls: bucket by bucket, by service.

    `left` is what known callees do not account for, `free` what no known caller shows.
    """

    flows: Mapping[str, Flow]
    left: Mapping[str, Floats]
    free: Mapping[str, Floats]


def hidden_shares(telemetry: Telemetry, kinds: Sequence[SharedOut]) -> list[dict[str, float]]:
    """Kind by kind, service -> 0..1: how much of what is left a hidden callee accounts for.

    Cost grows with the square of the services whose excess stands out of the noise.
    """
    names = sorted(
        {
            name
            for kind in kinds
            for name, flow in kind.flows.items()
            if float(flow.added.max()) > flow.noise
        }
    )
    callers = ancestors(telemetry.edges)
    above = np.array([[one in callers.get(two, ()) for two in names] for one in names], dtype=bool)
    lower = _lower(names, kinds)
    return [_shares(telemetry.target, names, kind, above, lower) for kind in kinds]


def ancestors(edges: Sequence[tuple[str, str]]) -> dict[str, set[str]]:
    """service -> all that call it, directly or not."""
    callers: dict[str, list[str]] = {}
    for caller, callee in edges:
        callers.setdefault(callee, []).append(caller)
    found = {}
    for name in callers:
        seen: set[str] = set()
        queue = [name]
        while queue:
            for caller in callers.get(queue.pop(), []):
                if caller not in seen:
                    seen.add(caller)
                    queue.append(caller)
        found[name] = seen
    return found


def _shares(
    target: str | None,
    names: list[str],
    kind: SharedOut,
    above: NDArray[np.bool_],
    lower: Floats,
) -> dict[str, float]:
    here = [n for n, name in enumerate(names) if name in kind.flows]
    share = dict.fromkeys(kind.flows, 0.0)
    if not here:
        return share
    flows = [kind.flows[names[n]] for n in here]
    left = np.array([kind.left[names[n]] for n in here])
    free = np.array([kind.free[names[n]] for n in here])
    above, lower = above[np.ix_(here, here)], lower[np.ix_(here, here)]
    known = np.where(above.any(axis=0), CALLERS_KNOWN, 1.0)
    known[[names[n] == target for n in here]] = 0.0  # it is nobody's callee
    sure = np.array(
        [hill(float(f.max()) / flow.noise, 4.0, 2.0) for f, flow in zip(free, flows, strict=True)]
    )
    added = np.array([float(flow.added.sum()) for flow in flows])
    unclaimed = known * free.sum(axis=1) / np.maximum(added, 1e-12)
    below = np.stack(
        [lower[:, [*np.flatnonzero(above[j]), j]].max(axis=1) for j in range(len(here))], axis=1
    )  # a callee, or what it calls
    for i, n in enumerate(here):
        whole = float(left[i].sum())
        if whole <= 0.0:
            continue
        cover = np.minimum(left[i], free).sum(axis=1) / whole
        # or the other way round: its excess, or its callers', may be whose callers are not known
        over = np.append(np.flatnonzero(above[:, i]), i)
        down, up = below[i] * unclaimed, (below[:, over] * unclaimed[over]).max(axis=1)
        likely = np.where(above[i], 1.0, down / np.maximum(down + up, 1e-12))
        fit = cover * sure * known * likely * ~above[:, i]
        fit[i] = 0.0
        share[names[n]] = float(fit.max())
    return share


def _lower(names: list[str], kinds: Sequence[SharedOut]) -> Floats:
    """[caller, callee] -> 0..1: how likely that order is, as far as both show one course.

    By whose excess is the larger, and whose usual time could hold the other's; over all kinds,
    for who calls whom is one fact.
    """
    logit = np.zeros((len(names), len(names)))
    for kind in kinds:
        here = [n for n, name in enumerate(names) if name in kind.flows]
        if not here:
            continue
        flows = [kind.flows[names[n]] for n in here]
        added = np.array([flow.added for flow in flows])
        total = added.sum(axis=1)
        noise = np.array([flow.noise for flow in flows])
        usual = np.log([flow.usual if flow.usual > 0.0 else np.nan for flow in flows])
        for i, n in enumerate(here):
            alike = np.minimum(added[i], added).sum(axis=1)
            alike /= np.maximum(np.maximum(total, total[i]), 1e-12)
            scale = np.hypot(noise, noise[i]) * math.sqrt(added.shape[1])
            scale = np.hypot(scale, ALIKE * np.maximum(total, total[i]))
            holds = _beyond(usual[i] - usual) + _beyond(np.log(noise[i] / noise))
            logit[n, here] += alike * ((total - total[i]) / scale + holds)
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -40.0, 40.0))))


def _beyond(ratio: Floats) -> Floats:
    """What of a logarithm lies beyond NESTED, either way; 0 where it is not known."""
    return np.asarray(
        np.nan_to_num(np.sign(ratio) * np.maximum(np.abs(ratio) - math.log(NESTED), 0.0))
    )
