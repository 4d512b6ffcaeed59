"""Spans arranged by operation and trace: when each request ran what, waited for whom, called whom.

Traces are numbered in the order they began, so that a stretch of time is a range of numbers;
operations, and pairs of one that calls another, as their names sort.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from correlation.steps.numbering import (
    NOBODY,
    Ints,
    Members,
    found_in,
    in_order,
    looked_up,
    numbered,
    numbers,
)
from correlation.steps.places import Directory
from correlation.steps.waits import Calls, alone
from correlation.telemetry import Floats, Span
from correlation.traces.trees import shape

Operation = tuple[str, str]
"""(service, shape of the operation)."""


@dataclass(frozen=True, eq=False)
class Requests:
    """Traces by number, and what they did.

    `starts` are epoch s, ascending. `ran` is the traces of each of the `operations`, `called`
    those of each of the `pairs`, in which one operation called another. `times` are (starts,
    seconds), in time order, by operation and the service it waited for ("" for its own time).
    """

    starts: Floats
    operations: list[Operation]
    ran: Members
    pairs: list[tuple[Operation, Operation]]
    called: Members
    times: dict[tuple[Operation, str], tuple[Floats, Floats]]
    directory: Directory

    def callees(self) -> dict[str, set[str]]:
        """Which services each service called."""
        found: dict[str, set[str]] = {}
        for operation, other in self.pairs:
            if operation[0] != other[0]:
                found.setdefault(operation[0], set()).add(other[0])
        return found


def arranged(spans: Iterable[Span]) -> Requests:
    """Spans by operation; a span is known by its trace and id, the first in time counts."""
    known = list(spans)
    starts = np.array([span.start for span in known], dtype=np.float64)
    known = [known[at] for at in in_order(starts, lambda at: _told_apart(known[at])).tolist()]
    ids = [span.span_id for span in known]
    span_numbers = {name: at for at, name in enumerate(dict.fromkeys(ids))}
    trace_numbers, began = _traces(known)
    traces = numbers([span.trace_id for span in known], trace_numbers)
    keys, row_of_key = np.unique(
        traces * len(span_numbers) + numbers(ids, span_numbers), return_index=True
    )
    if keys.size < len(known):
        return arranged(known[row] for row in row_of_key.tolist())
    service_of, peer_of = [span.service for span in known], [span.peer for span in known]
    names = numbered({"", *service_of, *peer_of})
    services, peers = numbers(service_of, names), numbers(peer_of, names)
    operations, ran = _operations(known, services, list(names))

    parents = numbers([span.parent_id for span in known], span_numbers)
    key_at = found_in(keys, traces * len(span_numbers) + parents)
    parent_of = looked_up(row_of_key, np.where(parents == NOBODY, NOBODY, key_at))
    calls = Calls.of(np.where(parent_of == np.arange(len(known)), NOBODY, parent_of))
    entering = np.flatnonzero(looked_up(services, parent_of) != services)
    entries, first = np.unique(
        traces[entering] * len(names) + services[entering], return_index=True
    )
    pairs, which = np.unique(
        ran[calls.parents] * len(operations) + ran[calls.children], return_inverse=True
    )
    return Requests(
        starts=began,
        operations=operations,
        ran=Members.of(ran, traces, began.size),
        pairs=[
            (operations[pair // len(operations)], operations[pair % len(operations)])
            for pair in pairs.tolist()
        ],
        called=Members.of(which, traces[calls.parents], began.size),
        times=_times(known, calls, services, peers, ran, operations, list(names)),
        directory=Directory(
            trace_numbers,
            span_numbers,
            names,
            keys,
            ran[row_of_key],
            services[row_of_key],
            entries,
            ran[entering][first],
        ),
    )


def _told_apart(span: Span) -> tuple[str, str, str]:
    return span.span_id, span.service, span.operation


def _traces(known: list[Span]) -> tuple[dict[str, int], Floats]:
    """Number of each trace and, by number, when it began; of spans in time order."""
    first: dict[str, float] = {}
    for span in known:
        if span.trace_id not in first:
            first[span.trace_id] = span.start
    began = sorted((at, trace) for trace, at in first.items())
    return (
        {trace: number for number, (_, trace) in enumerate(began)},
        np.array([at for at, _ in began], dtype=np.float64),
    )


def _operations(
    known: list[Span], services: Ints, names: list[str]
) -> tuple[list[Operation], Ints]:
    """All operations, sorted, and the number of each span's."""
    shape_of = {name: shape(name) for name in {span.operation for span in known}}
    shapes = numbered(shape_of.values())
    shape_numbers = {name: shapes[found] for name, found in shape_of.items()}
    codes = services * len(shapes) + numbers([span.operation for span in known], shape_numbers)
    listed = list(shapes)
    found, which = np.unique(codes, return_inverse=True)
    operations = [(names[at // len(shapes)], listed[at % len(shapes)]) for at in found.tolist()]
    return operations, which


def _times(
    known: list[Span],
    calls: Calls,
    services: Ints,
    peers: Ints,
    ran: Ints,
    operations: list[Operation],
    names: list[str],
) -> dict[tuple[Operation, str], tuple[Floats, Floats]]:
    """See `Requests.times`; of spans in time order.

    A span waited for the one other service it was there to call, "" when it did work of its own.
    """
    nobody = 0  # "" sorts first
    called = looked_up(services, calls.only)
    waited = np.where((called != NOBODY) & (called != services), called, nobody)
    waited = np.where((calls.count == 0) & (peers != services), peers, waited)
    starts = np.array([span.start for span in known], dtype=np.float64)
    seconds = alone(calls, starts, np.array([span.seconds for span in known], dtype=np.float64))
    keys = ran * len(names) + waited
    order = np.argsort(keys, kind="stable")
    keys, starts, seconds = keys[order], starts[order], seconds[order]
    found, first = np.unique(keys, return_index=True)
    ends = np.append(first, keys.size)[1:].tolist()
    return {
        (operations[key // len(names)], names[key % len(names)]): (
            starts[begin:end],
            seconds[begin:end],
        )
        for key, begin, end in zip(found.tolist(), first.tolist(), ends, strict=True)
    }
