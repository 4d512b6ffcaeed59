"""Which calls multiplied or stopped: sampled traces now against those before. Pure.

Traces of one route are compared by how often one service calls another in them, so it matters not
how many were sampled, at the head or at the tail. A call that failed and was made again is a retry;
more calls without that is work repeated. Calls that stopped count in traces that went well only:
one that failed early never came to them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from hashlib import blake2b

from correlation.magnitude import hill
from correlation.telemetry import Evidence, Span, Telemetry
from correlation.traces.service_graph import CALLING
from correlation.traces.trees import SKEW_SECONDS, Tree, shape, trees

CALLS = "trace_calls"

LEAST_TRACES = 3
"""Whole traces of a route needed on each side."""

MULTIPLIED, EXTRA_CALLS = 2.0, 1.0
"""So many times as many calls in a trace, and at least so many more, are worth telling."""

USUAL_SHARE, STOPPED_SHARE = 0.8, 0.2
"""Calls stopped when they were in this share of traces, and are now in at most that."""

RETRIED_SHARE = 0.5
"""Share of the additional calls that must follow a failed attempt for them to be retries."""

MOST_CONFIDENT, STOPPED_WORTH = 0.9, 0.7
MOST = 6
"""Edges reported at most, strongest first."""

EXAMPLES = 10
"""Ids of traces given with an edge, newest first."""

Edge = tuple[str, str]


def retries(tree: Tree) -> dict[str, Span]:
    """The next attempt by the id of the failed one it repeats: same caller, callee, operation."""
    found: dict[str, Span] = {}
    for siblings in tree.children.values():
        if len(siblings) < 2 or not any(span.failed for span in siblings):
            continue
        attempts: dict[tuple[str, str, str, str], Span] = {}
        for span in sorted(siblings, key=lambda one: (one.start, one.span_id)):
            key = (span.service, span.kind, shape(span.operation), span.peer)
            last = attempts.get(key)
            over = last is not None and span.start >= last.start + last.seconds - SKEW_SECONDS
            if last is not None and last.failed and over:
                found[last.span_id] = span
            attempts[key] = span
    return found


def recovered(tree: Tree) -> set[str]:
    """Ids of failed attempts that a later attempt made good, and of all inside them."""
    following = retries(tree)
    made_good: set[str] = set()
    for span_id in following:
        last = following[span_id]
        while last.failed and last.span_id in following:
            last = following[last.span_id]
        if not last.failed:
            attempt = tree.spans[span_id]
            made_good |= {span_id, *(inner.span_id for inner in tree.below(attempt))}
    return made_good


def structure_evidence(
    telemetry: Telemetry, sampled: Iterable[Tree] | None = None
) -> list[Evidence]:
    """Edges whose calls per trace changed, strongest first; nothing without whole traces.

    `sampled` are the trees of the telemetry's spans, where they are known already.
    """
    if sampled is None:
        sampled = trees(telemetry.spans, telemetry.as_of)
    border = telemetry.window[0]
    routes: dict[tuple[str, str], tuple[list[Tree], list[Tree]]] = {}
    for tree in sampled:
        if tree.whole:
            sides = routes.setdefault(tree.route, ([], []))
            sides[tree.start >= border].append(tree)
    strongest: dict[Edge, Evidence] = {}
    for before, now in (routes[route] for route in sorted(routes)):
        if min(len(before), len(now)) < LEAST_TRACES:
            continue
        for item in _changes(telemetry, before, now):
            edge = (item.service, item.peer or "")
            if edge not in strongest or item.confidence > strongest[edge].confidence:
                strongest[edge] = item
    return sorted(strongest.values(), key=lambda item: (-item.confidence, item.key))[:MOST]


class _Calls:
    """How often each service calls each other one in some traces, by edge."""

    def __init__(self, traces: Sequence[tuple[Tree, list[Edge]]]) -> None:
        self.traces = [tree for tree, _ in traces]
        self.made: Counter[Edge] = Counter()
        self.in_traces: Counter[Edge] = Counter()
        for _, edges in traces:
            if edges:
                self.made.update(edges)
                self.in_traces.update(set(edges))

    def each(self, edge: Edge) -> float:
        """Calls a trace."""
        return self.made[edge] / len(self.traces)

    def share(self, edge: Edge) -> float:
        """Share of the traces with such a call."""
        return self.in_traces[edge] / len(self.traces)

    @cached_property
    def retried(self) -> Counter[Edge]:
        """Failed calls that were made again."""
        attempts = [(tree, tree.spans[one]) for tree in self.traces for one in retries(tree)]
        return Counter((span.service, _callee(tree, span)) for tree, span in attempts)

    @cached_property
    def newest(self) -> list[str]:
        """Ids of the newest traces."""
        ordered = sorted(self.traces, key=lambda tree: (-tree.start, tree.trace_id))
        return [tree.trace_id for tree in ordered[:EXAMPLES]]


def _changes(telemetry: Telemetry, before: list[Tree], now: list[Tree]) -> list[Evidence]:
    calls = [(tree, _edges(tree)) for tree in now]
    earlier, later = _Calls([(tree, _edges(tree)) for tree in before]), _Calls(calls)
    well = _Calls([pair for pair in calls if not pair[0].failed])
    sure = len(now) / (len(now) + 2.0) * len(before) / (len(before) + 1.0)
    found = []
    for edge in sorted(earlier.made.keys() | later.made.keys()):
        usual, recent = earlier.each(edge), later.each(edge)
        if recent >= MULTIPLIED * usual and recent - usual >= EXTRA_CALLS and usual > 0.0:
            again = later.retried[edge] / len(now)
            why = "retried" if again >= RETRIED_SHARE * (recent - usual) else "repeated"
            worth = hill(math.log(recent / usual), math.log(MULTIPLIED), 2.0) * sure
            found.append(_evidence(telemetry, edge, why, usual, recent, worth, earlier, later))
            continue
        stopped = len(well.traces) >= LEAST_TRACES and well.share(edge) <= STOPPED_SHARE
        if stopped and earlier.share(edge) >= USUAL_SHARE:
            worth, recent = STOPPED_WORTH * sure, well.each(edge)
            found.append(
                _evidence(telemetry, edge, "stopped", usual, recent, worth, earlier, later)
            )
    return found


def _edges(tree: Tree) -> list[Edge]:
    """Who called whom, once a call."""
    return [
        (span.service, callee)
        for span in tree.spans.values()
        if span.kind in CALLING and (callee := _callee(tree, span))
    ]


def _callee(tree: Tree, span: Span) -> str:
    """Whom a calling span calls, "" for one that does not leave its service."""
    if span.kind not in CALLING:
        return ""
    others = [child for child in tree.children.get(span.span_id, []) if child.service]
    named = [child.service for child in others if child.service != span.service] or [span.peer]
    return named[0] if named[0] != span.service else ""


def _evidence(
    telemetry: Telemetry,
    edge: Edge,
    why: str,
    usual: float,
    recent: float,
    worth: float,
    before: _Calls,
    now: _Calls,
) -> Evidence:
    caller, callee = edge
    name = blake2b(f"{caller}>{callee}".encode(), digest_size=6).hexdigest()
    return Evidence(
        key=f"trace:{caller}>{callee}:{CALLS}:{name}",
        type="trace",
        service=caller,
        signal=CALLS,
        confidence=round(min(worth, MOST_CONFIDENT), 4),
        onset_at=None,
        baseline=round(usual, 4),
        value=round(recent, 4),
        unit="calls",
        title=_title(edge, why, usual, recent),
        peer=callee,
        source=telemetry.trace_source,
        query=telemetry.trace_query,
        details={
            "change": why,
            "n": len(now.traces),
            "compared_with": len(before.traces),
            "trace_ids": now.newest,
        },
    )


def _title(edge: Edge, why: str, usual: float, recent: float) -> str:
    caller, callee = edge
    if why == "stopped":
        return f"{caller} no longer calls {callee}: usually {usual:.1f} calls a trace"
    how = "retries failed calls to" if why == "retried" else "calls"
    return f"{caller} {how} {callee} {recent:.1f} times a trace, usually {usual:.1f}"
