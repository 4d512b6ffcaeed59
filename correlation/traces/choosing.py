"""Which of the traces found are worth reading, and what is slow beside a usual sample. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from correlation.backends.tempo_traces import FoundTrace

NEWEST = " with (most_recent=true)"

SLOWER = 1.5
SLOW_CLAUSES = 20
FEWEST_SPANS = 5
"""Spans of a service that can tell how long it usually takes."""


def slow_query(found: Sequence[FoundTrace], target: str) -> tuple[str, float]:
    """The TraceQL of requests slower than in a baseline sample, and the sample's own share of
    such traces; ("", 0.0) when it is too small to tell. `target` comes first, as Tempo names it."""
    took: dict[str, list[float]] = {}
    for trace in found:
        for span in trace.spans:
            took.setdefault(span.attributes.get("service.name", ""), []).append(span.seconds)
    usable = [name for name, all_of in took.items() if name and len(all_of) >= FEWEST_SPANS]
    usable.sort(key=lambda name: (name != target, -len(took[name]), name))
    limits = {
        name: max(2, math.ceil(round(SLOWER * _percentile(took[name], 0.95) * 1000.0, 3)))
        for name in usable[:SLOW_CLAUSES]
    }
    if not limits:
        return "", 0.0
    clauses = [
        f'(resource.service.name = "{quoted(name)}" && duration > {limit}ms)'
        for name, limit in limits.items()
    ]
    slow = sum(
        any(
            span.seconds * 1000.0 > limits.get(span.attributes.get("service.name", ""), math.inf)
            for span in trace.spans
        )
        for trace in found
    )
    kinds = "(kind = server || kind = consumer)"
    return f"{{ {kinds} && ({' || '.join(clauses)}) }}{NEWEST}", slow / len(found)


def quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def spread(found: Iterable[FoundTrace], most: int) -> list[FoundTrace]:
    """At most `most` traces over the routes they took, the commonest route first, in turns."""
    routes: dict[tuple[str, str], list[FoundTrace]] = {}
    for trace in found:
        routes.setdefault((trace.root_service, trace.root_name), []).append(trace)
    counts = Counter({route: len(traces) for route, traces in routes.items()})
    ordered = sorted(routes, key=lambda route: (-counts[route], route))
    chosen: list[FoundTrace] = []
    turn = 0
    while len(chosen) < most and any(len(routes[route]) > turn for route in ordered):
        chosen += [routes[route][turn] for route in ordered if len(routes[route]) > turn]
        turn += 1
    return chosen[:most]


def typical_first(found: Sequence[FoundTrace]) -> list[FoundTrace]:
    """The traces, those that took about as long as most of their route first."""
    took: dict[tuple[str, str], list[float]] = {}
    for trace in found:
        took.setdefault((trace.root_service, trace.root_name), []).append(trace.seconds)
    middle = {route: _percentile(seconds, 0.5) for route, seconds in took.items()}
    return sorted(
        found,
        key=lambda t: (abs(t.seconds - middle[t.root_service, t.root_name]), t.trace_id),
    )


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.floor(share * len(ordered)))]
