"""Spans arranged by operation and trace: when each request ran what, waited for whom, called whom.

Traces are numbered in the order they began, so that a stretch of time is a range of numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from correlation.telemetry import Floats, Span
from correlation.trace_trees import shape

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
    """Spans by operation; a span is known by its trace and id, the first one counts."""
    by_trace: dict[str, dict[str, Span]] = {}
    for span in spans:
        by_trace.setdefault(span.trace_id, {})[span.span_id] = span
    began = sorted(
        (min(span.start for span in known.values()), trace_id)
        for trace_id, known in by_trace.items()
    )
    found = Requests(np.array([start for start, _ in began], dtype=float))
    shapes: dict[str, str] = {}
    times: dict[tuple[Operation, str], list[tuple[float, float]]] = {}
    for number, (_, trace_id) in enumerate(began):
        found.number_of[trace_id] = number
        known = by_trace[trace_id]
        children: dict[str, list[Span]] = {}
        for span in known.values():
            parent = known.get(span.parent_id)
            if parent is not None and parent is not span:
                children.setdefault(span.parent_id, []).append(span)
            name = shapes.get(span.operation)
            if name is None:
                name = shapes[span.operation] = shape(span.operation)
            operation = (span.service, name)
            found.operation_of[trace_id, span.span_id] = operation
            if parent is None or parent.service != span.service:
                found.entry_of.setdefault((trace_id, span.service), operation)
        for span in known.values():
            operation = found.operation_of[trace_id, span.span_id]
            found.ran.setdefault(operation, set()).add(number)
            inside = children.get(span.span_id, [])
            times.setdefault((operation, _waited_for(span, inside)), []).append(
                (span.start, _alone(span, inside))
            )
            for child in inside:
                call = (operation, found.operation_of[trace_id, child.span_id])
                found.calls.setdefault(call, set()).add(number)
    for key in sorted(times):
        table = np.array(sorted(times[key]))
        found.times[key] = table[:, 0], table[:, 1]
    return found


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
