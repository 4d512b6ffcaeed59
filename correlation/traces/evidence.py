"""What sampled traces say: where requests fail first, and where they lose their time. Pure.

Failed traces are compared with the failed ones of the baseline by rate, as log templates are:
with n1 in T1 seconds, n0 in T0 and mu = (n0 + 1/2) T1 / T0, Anscombe's
z = 2 (sqrt(n1 + 3/8) - sqrt(mu + 3/8)) is about normal. Slow traces are compared with usual ones
span by span: self time, which is duration less the union of the children's intervals.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from correlation.magnitude import hill
from correlation.plots.bucket_counts import Covered, counted_points
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
from correlation.traces.slowness import slow_spans
from correlation.traces.structure import recovered
from correlation.traces.trees import Tree, shape, trees

ERRORS = "trace_errors"

CUT = 50
"""Failed traces asked for on each side: with this many the oldest one tells how far they reach."""

BASELINE_SECONDS = 900.0
"""The trace baseline is as long as the window, at least this long."""

NEW_Z = 2.0
"""z worth one half: three failed traces where there were none, five as well as certain."""

NO_BASELINE_CAP = 0.6
WAITED = 0.8
"""A caller that failed while its callee was busy for this share of the call gave up waiting."""

APART = ("service.version", "k8s.pod.name", "service.instance.id", "host.name")
"""What may set the failed apart from the others, most telling first."""


@dataclass
class _Origin:
    """Failed traces with one origin; a trace counts once, with its first span there."""

    spans: dict[str, Span] = field(default_factory=dict)

    def add(self, tree: Tree, span: Span) -> None:
        self.spans.setdefault(tree.trace_id, span)


def trace_baseline(
    baseline: tuple[float, float], window: tuple[float, float]
) -> tuple[float, float]:
    """The part of the baseline that traces are sampled from, (start, end)."""
    length = max(window[1] - window[0], BASELINE_SECONDS)
    return max(baseline[0], window[0] - length), window[0]


def trace_evidence(telemetry: Telemetry, sampled: list[Tree] | None = None) -> list[Evidence]:
    """Error origins and slow spans, strongest first; nothing without spans.

    `sampled` are the trees of the telemetry's spans, where they are known already.
    """
    if not any(span.failed or span.sampled_as == "slow" for span in telemetry.spans):
        return []
    if sampled is None:
        sampled = trees(telemetry.spans, telemetry.as_of)
    found = [*_error_origins(telemetry, sampled), *slow_spans(telemetry, sampled)]
    return sorted(found, key=lambda item: (-item.confidence, item.key))


def origins(tree: Tree) -> list[tuple[Key, Span]]:
    """The failed spans nothing failed inside of, with whom they blame, in time order.

    A call that failed without a failed span on the other side blames the edge to its callee: the
    callee's own span is missing, or was still busy when the caller gave up. Attempts that a retry
    made good explain a failure only where nothing else failed.
    """
    made_good = recovered(tree)
    failed = {span.span_id for span in tree.spans.values() if span.failed}
    failed = failed - made_good or failed
    found = []
    for span in tree.spans.values():
        if span.span_id not in failed:
            continue
        if any(inner.span_id in failed for inner in tree.below(span)):
            continue
        peer = _blamed(tree, span) if span.kind in CALLING else ""
        found.append(((span.service, peer, shape(span.operation)), span))
    return found


def _blamed(tree: Tree, span: Span) -> str:
    theirs = [c for c in tree.children.get(span.span_id, []) if c.service != span.service]
    if not theirs:
        return span.peer if span.peer != span.service else ""
    last = max(theirs, key=lambda child: (child.seconds, child.span_id))
    return last.service if last.seconds >= WAITED * span.seconds else ""


def _error_origins(telemetry: Telemetry, sampled: list[Tree]) -> list[Evidence]:
    border = telemetry.window[0]
    telling = [tree for tree in sampled if tree.failed and _telling(tree)]
    failed = [tree for tree in telling if tree.start >= border]
    before = [tree for tree in telling if tree.start < border]
    if not failed:
        return []
    now, earlier = _by_origin(failed), _by_origin(before)
    early = trace_baseline(telemetry.baseline, telemetry.window)
    seconds = _covered(failed, telemetry.window)
    seconds_before = _covered(before, early)
    earlier_failures = sum(tree.failed and tree.start < border for tree in sampled)
    known = any(tree.start < border for tree in sampled) and len(before) == earlier_failures
    others = [tree for tree in sampled if not tree.failed]
    complete = Covered(
        seconds_before,
        seconds,
        _complete_from(telemetry, early[0], border),
        _complete_from(telemetry, border, math.inf),
    )
    evidence = []
    for key, origin in now.items():
        n1, n0 = len(origin.spans), len(earlier[key].spans) if key in earlier else 0
        share = n1 / len(failed)
        confidence = _rate_confidence(n1, seconds, n0, seconds_before) * hill(share, 0.25, 2.0)
        if not known:
            confidence = min(confidence, NO_BASELINE_CAP)
        if confidence < REPORTED:
            continue
        evidence.append(
            replace(
                span_evidence(telemetry, key, ERRORS, confidence, origin.spans),
                baseline=round(n0 / seconds_before, 6) if known and seconds_before else None,
                value=round(n1 / seconds, 6),
                unit="1/s",
                title=_error_title(key, n1, len(failed), messages(origin.spans.values())),
                query=telemetry.trace_query,
                details={
                    **span_details(key, origin.spans, share),
                    "n": n1,
                    "failed_traces": len(failed),
                    "count_baseline": n0,
                    "window_seconds": round(seconds, 3),
                    "baseline_seconds": round(seconds_before, 3),
                    **counted_points(_moments(key, earlier, now), telemetry, complete),
                    "samples": messages(origin.spans.values()),
                    "apart": _apart(key[0], list(origin.spans.values()), others),
                },
            )
        )
    return sorted(evidence, key=lambda item: (-item.confidence, item.key))[:MOST]


def _moments(key: Key, *sides: dict[Key, _Origin]) -> list[float]:
    """When its spans failed, epoch seconds, oldest first."""
    spans = [span for side in sides if key in side for span in side[key].spans.values()]
    return sorted(span.start for span in spans)


def _telling(tree: Tree) -> bool:
    """Old servers show neither names nor services in a search: such traces have to be whole."""
    return tree.whole or all(span.operation and span.service for span in tree.spans.values())


def _by_origin(failed: Iterable[Tree]) -> dict[Key, _Origin]:
    found: dict[Key, _Origin] = {}
    for tree in failed:
        for key, span in origins(tree):
            if span.service:
                found.setdefault(key, _Origin()).add(tree, span)
    return dict(sorted(found.items()))


def _covered(failed: list[Tree], span: tuple[float, float]) -> float:
    """Seconds the failed traces stand for: from the oldest on, when there may have been more."""
    start = min(tree.start for tree in failed) if len(failed) >= CUT else span[0]
    return max(span[1] - max(start, span[0]), 1.0)


def _complete_from(telemetry: Telemetry, start: float, end: float) -> float:
    """From when on every failed trace between the two is among the spans, in epoch seconds.

    Traces that tell no origin, or that failed after `as_of`, took places in the answer as well.
    """
    first: dict[str, float] = {}
    for span in telemetry.spans:
        if span.failed and span.sampled_as != "slow" and start <= span.start < end:
            first[span.trace_id] = min(span.start, first.get(span.trace_id, math.inf))
    return min(first.values()) if len(first) >= CUT else start


def _rate_confidence(n1: int, seconds: float, n0: int, seconds_before: float) -> float:
    expected = (n0 + 0.5) * seconds / max(seconds_before, seconds, 60.0)
    z = 2.0 * (math.sqrt(n1 + 0.375) - math.sqrt(expected + 0.375))
    ratio = math.log((n1 + 0.5) / (expected + 0.5))
    if ratio <= 0.0:
        return 0.0
    return hill(ratio, 0.6, 2.0) / (1.0 + math.exp(-(z - NEW_Z) / 0.5))


def _apart(service: str, failed: list[Span], others: list[Tree]) -> list[dict[str, object]]:
    """Attributes nearly all failed spans share and spans of the service that went well do not."""
    fine = [span for tree in others for span in tree.spans.values() if span.service == service]
    told: list[dict[str, object]] = []
    for name in APART:
        bad = [value for span in failed if (value := dict(span.attributes).get(name))]
        good = [value for span in fine if (value := dict(span.attributes).get(name))]
        if len(bad) < 3 or len(good) < 2:
            continue
        value, count = sorted(Counter(bad).items(), key=lambda pair: (-pair[1], pair[0]))[0]
        among = good.count(value) / len(good)
        if count / len(bad) >= 0.8 and among <= 0.2:
            told.append(
                {
                    "attribute": name,
                    "value": value,
                    "failed": round(count / len(bad), 4),
                    "others": round(among, 4),
                }
            )
    return told


def _error_title(key: Key, n: int, failed: int, texts: list[str]) -> str:
    said = f" ({texts[0][:120]})" if texts else ""
    return f'{where(key)}: {n} of {failed} failed traces fail first in "{key[2]}"{said}'
