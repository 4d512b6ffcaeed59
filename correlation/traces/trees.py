"""Sampled spans put together as the trees they are: one a trace, whole or in part. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import attrgetter

from correlation.telemetry import Span

MATCHED_ONLY = ("trace.part", "matched spans")
"""The attribute of spans a search showed of a trace that was not fetched whole."""

SKEW_SECONDS = 0.005
"""How far a child may seem to lie outside its parent: hosts' clocks differ."""

_VARIABLE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,}|\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b|(?<![a-z])\d+",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class Tree:
    """One trace. `spans` by id and `children` by span id, in time order, `tops` those that are no
    one's; `sampled_as` every way it was found; `whole` when it was fetched by its id, not only
    seen in a search."""

    trace_id: str
    spans: dict[str, Span]
    children: dict[str, list[Span]]
    tops: list[Span]
    sampled_as: frozenset[str]
    whole: bool

    @property
    def start(self) -> float:
        return next(iter(self.spans.values())).start

    @cached_property
    def failed(self) -> bool:
        return any(span.failed for span in self.spans.values())

    @cached_property
    def root(self) -> Span:
        """The span everything else happened in: without a parent here, and the longest."""
        return max(self.tops or self.spans.values(), key=attrgetter("seconds", "span_id"))

    @cached_property
    def route(self) -> tuple[str, str]:
        """(service, operation without ids) of the root: traces of one route compare."""
        return self.root.service, shape(self.root.operation)

    def below(self, span: Span) -> list[Span]:
        """All that happened inside the span."""
        found, queue, seen = [], [span.span_id], {span.span_id}
        while queue:
            for child in self.children.get(queue.pop(), []):
                if child.span_id not in seen:
                    seen.add(child.span_id)
                    found.append(child)
                    queue.append(child.span_id)
        return found

    def self_seconds(self, span: Span) -> float:
        """How long the span was busy with none of its children: duration less their union."""
        children = self.children.get(span.span_id)
        if children is None:
            return max(0.0, span.seconds)
        end, covered = span.start + span.seconds, 0.0
        reached = span.start
        for child in children:
            begin = max(reached, child.start)
            until = min(end, child.start + child.seconds)
            if until > begin:
                covered += until - begin
                reached = until
        return max(0.0, span.seconds - covered)


def trees(spans: Iterable[Span], as_of: float) -> list[Tree]:
    """One tree a trace, in the order of their ids; spans that began after `as_of` are not there."""
    by_trace: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans:
        if span.start <= as_of:
            by_trace[span.trace_id].append(span)
    return [_tree(trace_id, by_trace[trace_id]) for trace_id in sorted(by_trace)]


@lru_cache(maxsize=16384)
def shape(operation: str) -> str:
    """An operation without the ids and numbers some write into its name: "GET /users/*"."""
    return " ".join(_VARIABLE.sub("*", operation).split())


_START = attrgetter("start")


def _tree(trace_id: str, found: list[Span]) -> Tree:
    sampled_as = frozenset({span.sampled_as for span in found})
    fetched = [span for span in found if MATCHED_ONLY not in span.attributes]
    ordered = sorted(fetched or found, key=_START)
    if len(set(map(_START, ordered))) < len(ordered):
        ordered.sort(key=_outermost_first)
    spans: dict[str, Span] = {}
    for span in ordered:
        spans.setdefault(span.span_id, span)
    children: dict[str, list[Span]] = {}
    tops: list[Span] = []
    known: list[Span] = []
    for span_id, span in spans.items():
        parent_id = span.parent_id
        if not fetched:
            if parent_id not in spans:
                around = _around(span, known)
                parent_id = around.span_id if around is not None else span_id
            known.append(span)
        if parent_id in spans and parent_id != span_id:
            children.setdefault(parent_id, []).append(span)
        else:
            tops.append(span)
    return Tree(trace_id, spans, children, tops, sampled_as, whole=bool(fetched))


def _outermost_first(span: Span) -> tuple[float, float, bool, str, str]:
    calls = span.kind in ("client", "producer")
    return (span.start, -span.seconds, not calls, span.span_id, span.sampled_as)


def _around(span: Span, earlier: list[Span]) -> Span | None:
    """The tightest span around one whose parent was not shown."""
    end = span.start + span.seconds - SKEW_SECONDS
    around = [one for one in earlier if one.start + one.seconds >= end]
    return min(reversed(around), key=lambda one: one.seconds, default=None)
