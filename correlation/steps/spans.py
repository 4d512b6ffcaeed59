"""Spans arranged by operation and trace: when each request ran what, waited for whom, called whom.

Traces are numbered in the order they began, so that a stretch of time is a range of numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from correlation.telemetry import Floats, Span
from correlation.traces.trees import shape

Operation = tuple[str, str]
"""(service, shape of the operation)."""


@dataclass(eq=False)
class Requests:
    """Traces by number, and what they did.

    `starts` are epoch s, ascending. `ran` is the traces of an operation, `calls` those in which
    one operation called another. `times` are (starts, seconds), in time order, by operation and
    the service it waited for ("" for its own time).
    """

    starts: Floats
    number_of: dict[str, int] = field(default_factory=dict)
    ran: dict[Operation, set[int]] = field(default_factory=dict)
    times: dict[tuple[Operation, str], tuple[Floats, Floats]] = field(default_factory=dict)
    calls: dict[tuple[Operation, Operation], set[int]] = field(default_factory=dict)
    operation_of: dict[tuple[str, str], Operation] = field(default_factory=dict)
    """By (trace id, span id)."""

    entry_of: dict[tuple[str, str], Operation] = field(default_factory=dict)
    """By (trace id, service): the operation it was entered by."""

    def callees(self) -> dict[str, set[str]]:
        """Which services each service called."""
        found: dict[str, set[str]] = {}
        for operation, other in self.calls:
            if operation[0] != other[0]:
                found.setdefault(operation[0], set()).add(other[0])
        return found


def arranged(spans: Iterable[Span]) -> Requests:
    """Spans by operation; a span is known by its trace and id, the first in time counts."""
    by_trace: defaultdict[str, dict[str, Span]] = defaultdict(dict)
    for span in sorted(spans, key=_in_time):
        by_trace[span.trace_id].setdefault(span.span_id, span)
    began = sorted(
        (min([span.start for span in known.values()]), trace_id)
        for trace_id, known in by_trace.items()
    )
    found = Requests(np.array([start for start, _ in began], dtype=float))
    operations: dict[tuple[str, str], Operation] = {}
    ran: defaultdict[Operation, set[int]] = defaultdict(set)
    calls: defaultdict[tuple[Operation, Operation], set[int]] = defaultdict(set)
    times: defaultdict[tuple[Operation, str], list[tuple[float, float]]] = defaultdict(list)
    operation_of = found.operation_of
    for number, (_, trace_id) in enumerate(began):
        found.number_of[trace_id] = number
        known = by_trace[trace_id]
        children: defaultdict[str, list[Span]] = defaultdict(list)
        for span_id, span in known.items():
            raw = (span.service, span.operation)
            operation = operations.get(raw)
            if operation is None:
                operation = operations[raw] = (span.service, shape(span.operation))
            operation_of[trace_id, span_id] = operation
            parent = known.get(span.parent_id)
            if parent is not None and parent is not span:
                children[span.parent_id].append(span)
            if parent is None or parent.service != span.service:
                found.entry_of.setdefault((trace_id, span.service), operation)
        for span_id, span in known.items():
            operation = operation_of[trace_id, span_id]
            ran[operation].add(number)
            inside = children.get(span_id, [])
            times[operation, _waited_for(span, inside)].append((span.start, _alone(span, inside)))
            for child in inside:
                calls[operation, operation_of[trace_id, child.span_id]].add(number)
    found.ran, found.calls = dict(ran), dict(calls)
    for key in sorted(times):
        table = np.array(sorted(times[key]))
        found.times[key] = table[:, 0], table[:, 1]
    return found


def _in_time(span: Span) -> tuple[float, str, str, str]:
    return span.start, span.span_id, span.service, span.operation


def _waited_for(span: Span, inside: list[Span]) -> str:
    """The one other service the span was there to call, "" when it did work of its own."""
    if len(inside) == 1 and inside[0].service != span.service:
        return inside[0].service
    if not inside and span.peer and span.peer != span.service:
        return span.peer
    return ""


def _alone(span: Span, inside: list[Span]) -> float:
    """Seconds the span was busy with none of its children."""
    if not inside:
        return span.seconds
    if len(inside) == 1:
        only = inside[0]
        until = min(span.start + span.seconds, only.start + only.seconds)
        return max(0.0, span.seconds - max(0.0, until - max(span.start, only.start)))
    end, covered, reached = span.start + span.seconds, 0.0, span.start
    for child in sorted(inside, key=lambda one: one.start):
        begin, until = max(reached, child.start), min(end, child.start + child.seconds)
        if until > begin:
            covered += until - begin
            reached = until
    return max(0.0, span.seconds - covered)
