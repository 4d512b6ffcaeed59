"""Where a call leads: to the operation of another service that was run for it, the last of them.

A call may stay in its service for a while, as a span around a client's or a function's work. What
it led to mostly is what counts: requests that broke on the way led nowhere.
"""

from __future__ import annotations

import numpy as np

from correlation.steps.numbering import NOBODY, Ints, looked_up
from correlation.steps.spans import Requests, Rows
from correlation.steps.waits import Calls

DEEPEST = 64
"""Spans inside each other within a service: more are a loop."""


def leads(requests: Requests, waited: Calls) -> tuple[Ints, Ints, Ints]:
    """By call: the operation, what it called (NOBODY: nothing yet), the operation that led to.

    Calls that lead nowhere are left out. Of an operation that is nothing but one call of another
    service, calling nothing yet leads there, too.
    """
    spans, count = requests.spans, len(requests.operations)
    callers, callees = waited.parents, waited.children
    abroad = spans.services[callees] != spans.services[callers]
    led = np.where(abroad, spans.operations[callees], _leaving(spans, waited)[callees])
    kinds = spans.operations[callers] * count + spans.operations[callees]
    ways, times = np.unique(kinds * (count + 1) + led + 1, return_counts=True)
    kind, there = ways // (count + 1), ways % (count + 1) - 1
    order = np.lexsort((there, -times, kind))
    mostly, first = np.unique(kind[order], return_index=True)
    there = there[order][first]
    operations, called = mostly // max(count, 1), mostly % max(count, 1)
    _, of, kinds_of = np.unique(operations, return_inverse=True, return_counts=True)
    away = np.zeros(mostly.size, dtype=np.bool_)
    away[np.searchsorted(mostly, kinds[abroad])] = True
    only = np.flatnonzero((kinds_of[of] == 1) & away)
    known = np.flatnonzero(there != NOBODY)
    return (
        np.concatenate((operations[known], operations[only])),
        np.concatenate((called[known], np.full(only.size, NOBODY, dtype=np.int64))),
        np.concatenate((there[known], called[only])),
    )


def _leaving(spans: Rows, waited: Calls) -> Ints:
    """By span: the operation of another service run last inside it, or in the last of its own."""
    rows = np.flatnonzero(waited.count)
    last = np.full(spans.starts.size, NOBODY, dtype=np.int64)
    last[rows] = waited.children[(waited.first + waited.count - 1)[rows]]
    own = looked_up(spans.services, last) == spans.services
    found = np.where((last != NOBODY) & ~own, looked_up(spans.operations, last), NOBODY)
    inner = np.flatnonzero((last != NOBODY) & own)
    for _ in range(DEEPEST):
        deeper = found[last[inner]]
        if np.array_equal(found[inner], deeper):
            break
        found[inner] = deeper
    return found
