"""Spans arranged by operation and trace: when each request ran what, waited for whom, called whom.

Traces are numbered in the order they began, so that a stretch of time is a range of numbers;
operations, and pairs of one that calls another, as their names sort.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from correlation.steps.columns import Columns, read
from correlation.steps.numbering import NOBODY, Ints, Members, found_in, in_order, looked_up
from correlation.steps.places import Directory
from correlation.steps.siblings import with_siblings
from correlation.steps.waits import Calls, alone
from correlation.telemetry import Floats, Span

Operation = tuple[str, str]
"""(service, shape of the operation)."""


@dataclass(frozen=True, eq=False)
class Rows:
    """All spans in time order: numbers of their traces, services and operations, and who waited.

    `starts` are epoch s.
    """

    traces: Ints
    services: Ints
    operations: Ints
    starts: Floats
    seconds: Floats
    failed: NDArray[np.bool_]
    calls: Calls


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
    spans: Rows

    def callees(self) -> dict[str, set[str]]:
        """Which services each service called."""
        found: dict[str, set[str]] = {}
        for operation, other in self.pairs:
            if operation[0] != other[0]:
                found.setdefault(operation[0], set()).add(other[0])
        return found


def arranged(spans: Iterable[Span]) -> Requests:
    """Spans by operation; a span is known by its trace and id, the first in time counts."""
    rows = read(list(spans))
    services, shapes, span_numbers = rows.service_names, rows.shape_names, rows.span_numbers
    _, first, traces = np.unique(rows.traces, return_index=True, return_inverse=True)
    order = in_order(rows.starts[first], lambda at: rows.trace_ids[at])
    began = rows.starts[first][order]
    trace_numbers = {rows.trace_ids[at]: number for number, at in enumerate(order.tolist())}
    traces = np.argsort(order)[traces]
    keys, row_of_key = np.unique(traces * len(span_numbers) + rows.spans, return_index=True)
    known, ran = np.unique(rows.services * len(shapes) + rows.shapes, return_inverse=True)
    operations = [(services[at // len(shapes)], shapes[at % len(shapes)]) for at in known.tolist()]

    key_at = found_in(keys, traces * len(span_numbers) + rows.parents)
    parent_of = looked_up(row_of_key, np.where(rows.parents == NOBODY, NOBODY, key_at))
    calls = Calls.of(np.where(parent_of == np.arange(parent_of.size), NOBODY, parent_of))
    pairs, which = np.unique(
        ran[calls.parents] * len(operations) + ran[calls.children], return_inverse=True
    )
    entering = np.flatnonzero(looked_up(rows.services, parent_of) != rows.services)
    entries, first = np.unique(
        traces[entering] * len(services) + rows.services[entering], return_index=True
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
        times=_times(rows, calls, ran, operations),
        directory=Directory(
            trace_numbers,
            span_numbers,
            {name: at for at, name in enumerate(services)},
            keys,
            ran[row_of_key],
            rows.services[row_of_key],
            entries,
            ran[entering][first],
        ),
        spans=Rows(traces, rows.services, ran, rows.starts, rows.seconds, rows.failed, calls),
    )


def _times(
    rows: Columns, calls: Calls, ran: Ints, operations: list[Operation]
) -> dict[tuple[Operation, str], tuple[Floats, Floats]]:
    """See `Requests.times`.

    A span waited for the one other service it was there to call, "" when it did work of its own.
    """
    services, nobody = rows.service_names, 0  # "" sorts first
    called = looked_up(rows.services, calls.only)
    waited = np.where((called != NOBODY) & (called != rows.services), called, nobody)
    waited = np.where((calls.count == 0) & (rows.peers != rows.services), rows.peers, waited)
    beside = with_siblings(calls, rows.services, waited, nobody, rows.starts, rows.seconds)
    seconds = alone(beside, rows.starts, rows.seconds)
    keys = ran * len(services) + waited
    order = np.argsort(keys, kind="stable")
    keys, starts, seconds = keys[order], rows.starts[order], seconds[order]
    found, first = np.unique(keys, return_index=True)
    ends = np.append(first, keys.size)[1:].tolist()
    return {
        (operations[key // len(services)], services[key % len(services)]): (
            starts[begin:end],
            seconds[begin:end],
        )
        for key, begin, end in zip(found.tolist(), first.tolist(), ends, strict=True)
    }
