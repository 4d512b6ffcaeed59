"""What requests did differently, by operation: time, time on the way, calls made, lines logged.

Only for traces chosen without looking at them (`Telemetry.traces_unbiased`). Every comparison is
within one operation of one service and per trace that ran it, so a service that is merely called
less, or by other requests, shows nothing:

- self time: duration less the union of the children's, before and since the onset;
- edge time: what a call span lasts beyond the one span it waited for, which is the network and
  the queue between the two;
- habits: whether a trace that ran the operation also made a call, or logged a statement.

Times are compared on a log scale by Welch's t, whose error is the larger of that of the values
and of that of blocks of BLOCK_SECONDS: requests of one moment are alike. Habits are compared by
the Cochran-Mantel-Haenszel statistic over the operations, divided by how far the baseline itself
wandered: what was already changing is not the incident.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from correlation.telemetry import Floats, Span, Telemetry
from correlation.trace_trees import shape

BLOCK_SECONDS = 15.0
SMALLEST_SECONDS = 2e-4
"""Added before the logarithm: nobody cares for a change of microseconds."""

RECENT_SECONDS = 120.0
"""What lies this long before the onset has to bear a change out."""

FEWEST = 4
"""Traces needed on each side for a comparison."""

Operation = tuple[str, str]
"""(service, shape of the operation)."""


@dataclass(frozen=True)
class Slower:
    """Time of one operation: its own, or (with `peer`) on the way to the service it calls.

    `z` is signed; `before` and `now` are trimmed means in seconds, `lost_seconds` the increase
    over all `executions` since the onset.
    """

    service: str
    operation: str
    peer: str
    z: float
    before: float
    now: float
    executions_before: int
    executions: int
    lost_seconds: float


@dataclass(frozen=True)
class Habit:
    """How often traces through a service do one thing: `n0` of `of0` before, `n1` of `of1` since.

    `z` is signed (up: more often) and already divided by the baseline's own wandering.
    """

    service: str
    what: Hashable
    z: float
    n0: int
    of0: int
    n1: int
    of1: int

    @property
    def ratio(self) -> float:
        """Log of the odds now to the odds before, half a trace added to each."""
        now = (self.n1 + 0.5) / (self.of1 - self.n1 + 0.5)
        before = (self.n0 + 0.5) / (self.of0 - self.n0 + 0.5)
        return math.log(now / before)


@dataclass(eq=False)
class Requests:
    """Spans arranged by operation and trace, in time order."""

    starts: dict[str, float] = field(default_factory=dict)
    """When each trace began."""

    ran: dict[Operation, set[str]] = field(default_factory=dict)
    """The traces that ran an operation."""

    times: dict[tuple[Operation, str], tuple[Floats, Floats]] = field(default_factory=dict)
    """(starts, seconds) by operation and the service it waited for ("" for its own time)."""

    calls: dict[tuple[Operation, Operation], set[str]] = field(default_factory=dict)
    operation_of: dict[tuple[str, str], Operation] = field(default_factory=dict)
    """By (trace id, span id)."""

    entry_of: dict[tuple[str, str], Operation] = field(default_factory=dict)
    """By (trace id, service): the operation it was entered by."""


def arranged(spans: Iterable[Span]) -> Requests:
    """Spans by operation; a span is known by its trace and id, the first one counts."""
    found = Requests()
    by_trace: dict[str, list[Span]] = {}
    for span in spans:
        by_trace.setdefault(span.trace_id, []).append(span)
    shapes: dict[str, str] = {}
    times: dict[tuple[Operation, str], list[tuple[float, float]]] = {}
    for trace_id in sorted(by_trace):
        known = {span.span_id: span for span in by_trace[trace_id]}
        found.starts[trace_id] = min(span.start for span in known.values())
        children: dict[str, list[Span]] = {}
        for span in known.values():
            if span.parent_id in known and span.parent_id != span.span_id:
                children.setdefault(span.parent_id, []).append(span)
            name = shapes.get(span.operation)
            if name is None:
                name = shapes[span.operation] = shape(span.operation)
            operation = (span.service, name)
            found.operation_of[trace_id, span.span_id] = operation
            parent = known.get(span.parent_id)
            if parent is None or parent.service != span.service:
                found.entry_of.setdefault((trace_id, span.service), operation)
        for span in known.values():
            operation = found.operation_of[trace_id, span.span_id]
            found.ran.setdefault(operation, set()).add(trace_id)
            inside = children.get(span.span_id, [])
            peer = ""
            if len(inside) == 1 and inside[0].service != span.service:
                peer = inside[0].service
            elif not inside and span.peer and span.peer != span.service:
                peer = span.peer
            times.setdefault((operation, peer), []).append((span.start, _alone(span, inside)))
            for child in inside:
                call = (operation, found.operation_of[trace_id, child.span_id])
                found.calls.setdefault(call, set()).add(trace_id)
    for key in sorted(times):
        table = np.array(sorted(times[key]))
        found.times[key] = table[:, 0], table[:, 1]
    return found


def slower(requests: Requests, telemetry: Telemetry, onset: float) -> list[Slower]:
    """How the times of each operation moved at `onset` (epoch s), whatever its size, by name."""
    found = []
    for (operation, peer), (starts, seconds) in requests.times.items():
        border = int(np.searchsorted(starts, onset))
        end = int(np.searchsorted(starts, telemetry.as_of, side="right"))
        if border < FEWEST or end - border < FEWEST:
            continue
        logs = np.log(seconds[:end] + SMALLEST_SECONDS)
        before, since = logs[:border], logs[border:]
        error = math.hypot(_error(before, starts[:border]), _error(since, starts[border:end]))
        z = float(since.mean() - before.mean()) / max(error, 1e-6)
        typical, now = _trimmed(seconds[:border]), _trimmed(seconds[border:end])
        lost = max(0.0, now - typical) * (end - border)
        found.append(Slower(*operation, peer, z, typical, now, border, end - border, lost))
    return found


def habits(
    requests: Requests,
    onset: float,
    done: Mapping[tuple[str, Hashable], Mapping[Operation, set[str]]],
) -> list[Habit]:
    """Each thing in `done` ((service, what) -> operation -> traces), compared at `onset`."""
    ran = {
        operation: sorted((requests.starts[t], t) for t in traces)
        for operation, traces in requests.ran.items()
    }
    found = []
    for (service, what), by_operation in done.items():
        strata = [
            ([start for start, _ in ran[op]], [t in traces for _, t in ran[op]])
            for op, traces in sorted(by_operation.items())
            if op in ran
        ]
        z, _, counts = _compared(strata, -math.inf, onset, math.inf)
        if min(counts[1], counts[3]) < FEWEST:
            continue
        wandered = max(
            abs(_compared(strata, -math.inf, at, onset)[0]) for at in _inner(strata, onset)
        )
        z /= math.sqrt(max(1.0, wandered * wandered / 2.0))
        z *= _confirmed(strata, onset, z)
        found.append(Habit(service, what, z, *counts))
    return found


def _confirmed(strata: list[tuple[list[float], list[bool]]], onset: float, z: float) -> float:
    """How far the minutes just before the onset bear a change out, 0..1: 1 when they are silent.

    A reference from another time may differ for reasons of its own. Were the change real, the
    recent part alone would show a z smaller by the root of its share of the variance.
    """
    _, whole, _ = _compared(strata, -math.inf, onset, math.inf)
    recent, part, _ = _compared(strata, onset - RECENT_SECONDS, onset, math.inf)
    if whole <= 0.0 or z == 0.0:
        return 1.0
    expected = abs(z) * math.sqrt(part / whole)
    seen = max(0.0, math.copysign(1.0, z) * recent)
    weight = min(1.0, expected / 1.5)
    return 1.0 - weight * max(0.0, 1.0 - seen / max(expected, 1e-9))


def call_habits(requests: Requests) -> dict[tuple[str, Hashable], dict[Operation, set[str]]]:
    """What `habits` reads, for the calls between operations."""
    found: dict[tuple[str, Hashable], dict[Operation, set[str]]] = {}
    for (operation, called), traces in sorted(requests.calls.items()):
        found[operation[0], (operation[1], *called)] = {operation: traces}
    return found


def _compared(
    strata: list[tuple[list[float], list[bool]]], begin: float, border: float, end: float
) -> tuple[float, float, tuple[int, int, int, int]]:
    """Cochran-Mantel-Haenszel z since `border`, its variance, and (n0, of0, n1, of1)."""
    surplus = variance = 0.0
    totals = [0, 0, 0, 0]
    for starts, did in strata:
        n0 = of0 = n1 = of1 = 0
        for start, yes in zip(starts, did, strict=True):
            if begin <= start < border:
                of0, n0 = of0 + 1, n0 + yes
            elif border <= start < end:
                of1, n1 = of1 + 1, n1 + yes
        for i, value in enumerate((n0, of0, n1, of1)):
            totals[i] += value
        of, n = of0 + of1, n0 + n1
        if of < 2 or not of0 or not of1:
            continue
        surplus += n1 - n * of1 / of
        variance += n * (of - n) * of0 * of1 / (of * of * (of - 1.0))
    z = surplus / math.sqrt(variance + 0.25) if variance > 0.0 else 0.0
    return z, variance, (totals[0], totals[1], totals[2], totals[3])


def _inner(strata: list[tuple[list[float], list[bool]]], onset: float) -> list[float]:
    """Moments that part the baseline's traces into thirds and halves."""
    moments = sorted(start for starts, _ in strata for start in starts if start < onset)
    n = len(moments)
    return [moments[n // 3], moments[n // 2], moments[(2 * n) // 3]]


def _error(values: Floats, starts: Floats) -> float:
    """Standard error of the mean: of values, or of blocks of time where those differ more."""
    spread = max(float(values.std()), 0.05)
    plain = spread / math.sqrt(values.size)
    blocks = np.floor((starts - starts[0]) / BLOCK_SECONDS).astype(int)
    _, where = np.unique(blocks, return_inverse=True)
    counts = np.bincount(where)
    sums = np.bincount(where, weights=values)
    full = counts >= 3
    if int(full.sum()) < 3:
        return plain * 1.5
    means = sums[full] / counts[full]
    return max(plain, float(means.std(ddof=1)) / math.sqrt(int(full.sum())))


def _trimmed(values: Floats) -> float:
    """Mean without the largest and smallest twentieth."""
    ordered = np.sort(values)
    cut = ordered.size // 20
    return float(ordered[cut : ordered.size - cut].mean())


def _alone(span: Span, inside: list[Span]) -> float:
    """Seconds the span was busy with none of its children."""
    if not inside:
        return span.seconds
    end, covered, reached = span.start + span.seconds, 0.0, span.start
    for child in sorted(inside, key=lambda one: one.start):
        begin, until = max(reached, child.start), min(end, child.start + child.seconds)
        if until > begin:
            covered += until - begin
            reached = until
    return max(0.0, span.seconds - covered)
