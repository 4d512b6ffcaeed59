"""Where slow traces lose their time, against traces that were not slow. Pure.

Span by span: self time, which is duration less the union of the children's intervals.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from statistics import fmean

from correlation.magnitude import hill
from correlation.plots.bucket_counts import spread
from correlation.telemetry import Evidence, Span, Telemetry
from correlation.traces.report import (
    MOST,
    REPORTED,
    Key,
    messages,
    span_details,
    span_evidence,
    where,
)
from correlation.traces.service_graph import CALLING
from correlation.traces.trees import Tree, shape
from correlation.units import humanised

SLOW = "trace_slow"

SLOW_SECONDS, SLOW_SHARE = 0.005, 0.2
"""Extra self time worth reporting: this much, and this share of all that was lost. Confidence
looks at the share of all the service's operations together."""


def slow_spans(telemetry: Telemetry, sampled: list[Tree]) -> list[Evidence]:
    """Operations that take the time slow traces lose, against traces that were not slow."""
    found = [tree for tree in sampled if "slow" in tree.sampled_as]
    slow = [tree for tree in found if tree.whole]
    usual = [tree for tree in sampled if tree.whole and "slow" not in tree.sampled_as]
    usual = [tree for tree in usual if not tree.failed]
    if not slow:
        return []
    spent = [(tree, _self_times(tree)) for tree in slow]
    everywhere = _Usual()
    alike: dict[tuple[str, str], _Usual] = {}
    for tree in usual:
        times = _self_times(tree)
        everywhere.add(times)
        alike.setdefault(tree.route, _Usual()).add(times)
    lost: dict[Key, list[tuple[float, float, int]]] = {}
    for tree, times in spent:
        near = alike.get(tree.route, _Usual())
        for key, (mine, _) in times.items():
            typical, among = near.of(key) or everywhere.of(key) or (0.0, near.traces)
            lost.setdefault(key, []).append((mine, typical, among))
    extra = {
        key: sum(max(0.0, mine - typical) for mine, typical, _ in rows)
        for key, rows in lost.items()
    }
    total = sum(extra.values())
    at: dict[tuple[str, str], float] = {}
    for (service, peer, _), seconds in extra.items():
        at[service, peer] = at.get((service, peer), 0.0) + seconds
    evidence = []
    for key in sorted(extra):
        rows = lost[key]
        share = extra[key] / total if total > 0.0 else 0.0
        if share < SLOW_SHARE or extra[key] / len(rows) < SLOW_SECONDS or not key[0]:
            continue
        mine, typical = fmean(row[0] for row in rows), fmean(row[1] for row in rows)
        compared = min(row[2] for row in rows)
        n = max(len(rows), round(len(found) * len(rows) / len(slow)))
        ratio = math.log((mine + 1e-4) / (typical + 1e-4))
        confidence = min(0.9, n / (n + 1.5)) * hill(at[key[0], key[1]] / total, 0.35, 2.0)
        confidence *= hill(max(ratio, 0.0), 0.7, 2.0)
        confidence *= compared / (compared + 0.5) if compared else 0.3
        if confidence < REPORTED:
            continue
        spans = {tree.trace_id: times[key][1] for tree, times in spent if key in times}
        evidence.append(
            replace(
                span_evidence(telemetry, key, SLOW, confidence, spans),
                baseline=round(typical, 6) if compared else None,
                value=round(mine, 6),
                unit="s",
                title=_slow_title(key, mine, typical if compared else None, share),
                query=_slow_query(next(iter(spans.values())), typical),
                details={
                    **span_details(key, spans, share),
                    "n": n,
                    "compared_with": compared,
                    "seconds_before": spread(everywhere.seconds.get(key, [])),
                    "seconds_during": spread([row[0] for row in rows]),
                    "samples": messages(spans.values()),
                    "apart": [],
                },
            )
        )
    return sorted(evidence, key=lambda item: (-item.confidence, item.key))[:MOST]


class _Usual:
    """Self times in traces that were not slow, by whom they are lost at."""

    def __init__(self) -> None:
        self.traces = 0
        self.seconds: dict[Key, list[float]] = {}
        self._typical: dict[Key, float] = {}

    def add(self, times: dict[Key, tuple[float, Span]]) -> None:
        self.traces += 1
        for key, (seconds, _) in times.items():
            self.seconds.setdefault(key, []).append(seconds)

    def of(self, key: Key) -> tuple[float, int] | None:
        """(mean seconds, in how many traces); None where none has it. Ask when all are added."""
        seconds = self.seconds.get(key)
        if seconds is None:
            return None
        if key not in self._typical:
            self._typical[key] = fmean(seconds)
        return self._typical[key], len(seconds)


def _self_times(tree: Tree) -> dict[Key, tuple[float, Span]]:
    """Self time in one trace by whom it is lost at, with the longest span there.

    A call without a span of the callee spends its time there; with one, on the way.
    """
    times: dict[Key, tuple[float, Span]] = {}
    for span in tree.spans.values():
        alone = span.kind in CALLING and not tree.children.get(span.span_id)
        peer = span.peer if alone and span.peer != span.service else ""
        key = (span.service, peer, shape(span.operation))
        seconds, longest = times.get(key, (0.0, span))
        longest = span if span.seconds > longest.seconds else longest
        times[key] = (seconds + tree.self_seconds(span), longest)
    return times


def _slow_title(key: Key, mine: float, typical: float | None, share: float) -> str:
    usually = humanised(typical, "s") if typical else "not called"
    before = "" if typical is None else f", usually {usually}"
    return (
        f'{where(key)}: "{key[2]}" takes {humanised(mine, "s")}{before}: '
        f"{share:.0%} of what slow traces lose"
    )


def _slow_query(span: Span, typical: float) -> str:
    """The TraceQL that finds spans like this one that took longer than they usually do."""
    name = dict(span.attributes).get("service.name", span.service)
    least = max(1, math.ceil(typical * 1500.0))
    return (
        f"{{ resource.service.name = {json.dumps(name)} && name = {json.dumps(span.operation)} "
        f"&& duration > {least}ms }}"
    )
