"""Where a log line belongs among the requests: to which trace, operation and span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from correlation.steps.numbering import NOBODY, Ints, found_in, looked_up, numbers
from correlation.telemetry import LogLine


@dataclass(frozen=True, eq=False)
class Places:
    """The lines that belong to an operation of a trace: their places among all, ascending.

    With the numbers of their traces, operations, services and spans. A line that names no span of
    its service belongs to the operation its service was entered by, and to no span.
    """

    lines: Ints
    traces: Ints
    operations: Ints
    services: Ints
    spans: Ints


@dataclass(frozen=True, eq=False)
class Directory:
    """All spans, and all services of each trace, by ascending keys.

    A span's key is its trace's number times the number of span ids, plus its id's; that of a
    service in a trace likewise. `operations` and `services` are by span, `entered_by` by service
    of a trace.
    """

    trace_numbers: dict[str, int]
    span_numbers: dict[str, int]
    service_numbers: dict[str, int]
    keys: Ints
    operations: Ints
    services: Ints
    entries: Ints
    entered_by: Ints

    def places(self, lines: Sequence[LogLine]) -> Places:
        """Where each of the lines belongs."""
        traces = numbers([line.trace_id for line in lines], self.trace_numbers)
        at = np.flatnonzero(traces != NOBODY)
        near, traces = [lines[place] for place in at.tolist()], traces[at]
        spans = numbers([line.span_id for line in near], self.span_numbers)
        services = numbers([line.service for line in near], self.service_numbers)
        row = found_in(self.keys, traces * len(self.span_numbers) + spans)
        row[spans == NOBODY] = NOBODY
        row[looked_up(self.services, row) != services] = NOBODY
        entry = found_in(self.entries, traces * len(self.service_numbers) + services)
        entry[services == NOBODY] = NOBODY
        of_span = row != NOBODY
        operations = np.where(
            of_span, looked_up(self.operations, row), looked_up(self.entered_by, entry)
        )
        spans = np.where(of_span, spans, self.span_numbers.get("", len(self.span_numbers)))
        known = operations != NOBODY
        return Places(at[known], traces[known], operations[known], services[known], spans[known])
