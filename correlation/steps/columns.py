"""Spans as columns of numbers, in time order, with the names that the numbers stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from correlation.steps.numbering import Ints, in_order, numbered, numbers
from correlation.telemetry import Floats, Span
from correlation.traces.trees import shape


@dataclass(frozen=True, eq=False)
class Columns:
    """Each span once: known by its trace and id, the first in time counts.

    Services (of peers too, "" for none), and shapes of operations, are numbered as they sort; ids
    as they come, which nothing that is compared depends on. A parent is NOBODY where no span has
    that id. Times are epoch s and s.
    """

    trace_ids: list[str]
    span_numbers: dict[str, int]
    service_names: list[str]
    shape_names: list[str]
    traces: Ints
    spans: Ints
    parents: Ints
    services: Ints
    peers: Ints
    shapes: Ints
    starts: Floats
    seconds: Floats
    failed: NDArray[np.bool_]

    def at(self, rows: Ints) -> Columns:
        """These of them, in this order."""
        return replace(
            self,
            traces=self.traces[rows],
            spans=self.spans[rows],
            parents=self.parents[rows],
            services=self.services[rows],
            peers=self.peers[rows],
            shapes=self.shapes[rows],
            starts=self.starts[rows],
            seconds=self.seconds[rows],
            failed=self.failed[rows],
        )


def read(spans: Sequence[Span]) -> Columns:
    """The columns of spans in any order.

    They are numbered before they are sorted: those of a trace mostly lie together in memory.
    """
    traces, ids = [span.trace_id for span in spans], [span.span_id for span in spans]
    services, peers = [span.service for span in spans], [span.peer for span in spans]
    operations = [span.operation for span in spans]
    trace_numbers, span_numbers = _as_they_come(traces), _as_they_come(ids)
    service_numbers = numbered({"", *services, *peers})
    shape_of = {name: shape(name) for name in set(operations)}
    shape_numbers = numbered(shape_of.values())
    found = Columns(
        list(trace_numbers),
        span_numbers,
        list(service_numbers),
        list(shape_numbers),
        numbers(traces, trace_numbers),
        numbers(ids, span_numbers),
        numbers([span.parent_id for span in spans], span_numbers),
        numbers(services, service_numbers),
        numbers(peers, service_numbers),
        numbers(operations, {name: shape_numbers[known] for name, known in shape_of.items()}),
        np.array([span.start for span in spans], dtype=np.float64),
        np.array([span.seconds for span in spans], dtype=np.float64),
        np.array([span.failed for span in spans], dtype=np.bool_),
    )
    order = in_order(found.starts, lambda at: _told_apart(spans[at]))
    keys = found.traces * len(span_numbers) + found.spans
    _, first = np.unique(keys[order], return_index=True)
    return found.at(order[np.sort(first)])


def _as_they_come(names: Iterable[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(dict.fromkeys(names))}


def _told_apart(span: Span) -> tuple[str, str, str]:
    return span.span_id, span.service, span.operation
