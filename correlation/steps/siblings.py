"""Calls that a service waits for beside a span, not inside it.

Where code does not call but subscribes (reactive gateways, promises), the span of a call is no
child of the one that waits for it: both begin under one parent, and one lasts as long as the
other. The time is lost once, on the way of the call.
"""

from __future__ import annotations

import numpy as np

from correlation.steps.numbering import NOBODY, Ints, looked_up
from correlation.steps.waits import Calls
from correlation.telemetry import Floats

FURTHEST = 8
"""How many siblings before a call are looked at for the one that waits for it."""


def with_siblings(
    calls: Calls, services: Ints, waited: Ints, nobody: int, starts: Floats, seconds: Floats
) -> Calls:
    """`calls`, and those that began beside an earlier span of the service that was still open.

    `waited` is, by row, the service a span was there to call, `nobody` when it did work of its
    own; rows are in time order. A call belongs to the nearest such sibling.
    """
    ends = starts + seconds
    waiting = np.full(calls.children.size, NOBODY, dtype=np.int64)
    places = np.arange(calls.children.size)
    for back in range(1, FURTHEST + 1):
        before = places - back
        same = before >= 0
        same[same] = calls.parents[before[same]] == calls.parents[same]
        if not same.any():
            break
        child, sibling = calls.children[same], calls.children[before[same]]
        fits = (
            (waiting[same] == NOBODY)
            & (waited[child] != nobody)
            & (waited[sibling] == nobody)
            & (services[sibling] == services[child])
            & (looked_up(services, calls.parents[same]) == services[child])
            & (ends[sibling] > starts[child])
        )
        waiting[np.flatnonzero(same)[fits]] = sibling[fits]
    beside = waiting != NOBODY
    if not beside.any():
        return calls
    parents = np.concatenate((calls.parents, waiting[beside]))
    children = np.concatenate((calls.children, calls.children[beside]))
    order = np.lexsort((children, parents))
    parents, children = parents[order], children[order]
    count = np.bincount(parents, minlength=starts.size)
    return Calls(parents, children, np.cumsum(count) - count, count)
