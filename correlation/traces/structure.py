"""Which calls multiplied or stopped: sampled traces now against those before. Pure.

Traces of one route are compared by how often one service calls another in them, so it matters not
how many were sampled, at the head or at the tail. A call that failed and was made again is a retry;
more calls without that is work repeated. Calls that stopped count in traces that went well only:
one that failed early never came to them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b
from statistics import fmean

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

Edge = tuple[str, str]


def retries(tree: Tree) -> dict[str, Span]:
    """The next attempt by the id of the failed one it repeats: same caller, callee, operation."""
    found: dict[str, Span] = {}
    for siblings in tree.children.values():
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


def structure_evidence(telemetry: Telemetry) -> list[Evidence]:
    """Edges whose calls per trace changed, strongest first; nothing without whole traces."""
    whole = [tree for tree in trees(telemetry.spans, telemetry.as_of) if tree.whole]
    border = telemetry.window[0]
    routes: dict[tuple[str, str], tuple[list[Tree], list[Tree]]] = {}
    for tree in whole:
        root = tree.root
        sides = routes.setdefault((root.service, shape(root.operation)), ([], []))
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


def _changes(telemetry: Telemetry, before: list[Tree], now: list[Tree]) -> list[Evidence]:
    earlier, later = [_calls(tree) for tree in before], [_calls(tree) for tree in now]
    well = [calls for tree, calls in zip(now, later, strict=True) if not tree.failed]
    found = []
    for edge in sorted({edge for calls in (*earlier, *later) for edge in calls}):
        usual, recent = _mean(earlier, edge), _mean(later, edge)
        sure = len(later) / (len(later) + 2.0) * len(earlier) / (len(earlier) + 1.0)
        if recent >= MULTIPLIED * usual and recent - usual >= EXTRA_CALLS and usual > 0.0:
            again = fmean(_retried(tree, edge) for tree in now)
            why = "retried" if again >= RETRIED_SHARE * (recent - usual) else "repeated"
            worth = hill(math.log(recent / usual), math.log(MULTIPLIED), 2.0) * sure
            found.append(_evidence(telemetry, edge, why, usual, recent, worth, before, now))
            continue
        stopped = len(well) >= LEAST_TRACES and _share(well, edge) <= STOPPED_SHARE
        if stopped and _share(earlier, edge) >= USUAL_SHARE:
            worth, recent = STOPPED_WORTH * sure, _mean(well, edge)
            found.append(_evidence(telemetry, edge, "stopped", usual, recent, worth, before, now))
    return found


def _calls(tree: Tree) -> dict[Edge, int]:
    """How often each service calls each other one in a trace."""
    counts: dict[Edge, int] = {}
    for span in tree.spans.values():
        callee = _callee(tree, span)
        if callee:
            edge = (span.service, callee)
            counts[edge] = counts.get(edge, 0) + 1
    return counts


def _callee(tree: Tree, span: Span) -> str:
    """Whom a calling span calls, "" for one that does not leave its service."""
    if span.kind not in CALLING:
        return ""
    others = [child for child in tree.children.get(span.span_id, []) if child.service]
    named = [child.service for child in others if child.service != span.service] or [span.peer]
    return named[0] if named[0] != span.service else ""


def _retried(tree: Tree, edge: Edge) -> int:
    attempts = (tree.spans[span_id] for span_id in retries(tree))
    return sum((span.service, _callee(tree, span)) == edge for span in attempts)


def _mean(traces: Sequence[dict[Edge, int]], edge: Edge) -> float:
    return fmean(calls.get(edge, 0) for calls in traces)


def _share(traces: Sequence[dict[Edge, int]], edge: Edge) -> float:
    return sum(edge in calls for calls in traces) / len(traces)


def _evidence(
    telemetry: Telemetry,
    edge: Edge,
    why: str,
    usual: float,
    recent: float,
    worth: float,
    before: list[Tree],
    now: list[Tree],
) -> Evidence:
    caller, callee = edge
    newest = sorted(now, key=lambda tree: (-tree.start, tree.trace_id))
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
            "n": len(now),
            "compared_with": len(before),
            "trace_ids": [tree.trace_id for tree in newest[:10]],
        },
    )


def _title(edge: Edge, why: str, usual: float, recent: float) -> str:
    caller, callee = edge
    if why == "stopped":
        return f"{caller} no longer calls {callee}: usually {usual:.1f} calls a trace"
    how = "retries failed calls to" if why == "retried" else "calls"
    return f"{caller} {how} {callee} {recent:.1f} times a trace, usually {usual:.1f}"
