"""Calls that multiplied, were retried, or stopped; and failures that a retry made good."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from correlation.ranking import rank
from correlation.telemetry import Evidence, Span, Telemetry
from correlation.traces.evidence import origins
from correlation.traces.structure import recovered, retries, structure_evidence
from correlation.traces.trees import trees

BEGIN, END = 1000.0, 1300.0


def make_trace(name: str, start: float, calls: list[bool], **columns: Any) -> list[Span]:
    """web answers a request and calls stock once for each of `calls`: whether it went well."""
    spans = [Span(name, "0", "", "web", "GET /cart", "server", start, 1.0, **columns)]
    for number, well in enumerate(calls):
        at, call, answer = start + 0.1 * number, f"c{number}", f"s{number}"
        spans.append(Span(name, call, "0", "web", "take", "client", at, 0.05, not well))
        spans.append(Span(name, answer, call, "stock", "take", "server", at, 0.04, not well))
    return spans


def make_telemetry(before: list[list[bool]], now: list[list[bool]], **columns: Any) -> Telemetry:
    spans = [
        span
        for side, start, sampled in ((before, 200.0, "baseline"), (now, 1100.0, "usual"))
        for number, calls in enumerate(side)
        for span in make_trace(
            f"{sampled}{number}", start + number, calls, sampled_as=sampled, **columns
        )
    ]
    return Telemetry(
        target=None, started_at=BEGIN, as_of=END, baseline=(0.0, BEGIN), window=(BEGIN, END),
        trace_source="tempo", spans=tuple(spans),
    )  # fmt: skip


def _told(found: list[Evidence]) -> list[tuple[str, str | None, str, float | None, float | None]]:
    return [(e.service, e.peer, e.details["change"], e.baseline, e.value) for e in found]


@pytest.mark.parametrize(
    ("now", "change"),
    [
        ([True] * 6, ("repeated", 1.0, 6.0)),
        ([False, False, True], ("retried", 1.0, 3.0)),
        ([], ("stopped", 1.0, 0.0)),
    ],
)
def test_a_change_in_calls_a_trace_is_told_and_why(
    now: list[bool], change: tuple[str, float, float]
) -> None:
    found = structure_evidence(make_telemetry([[True]] * 8, [now] * 8))

    assert _told(found) == [("web", "stock", *change)]


@pytest.mark.parametrize("now", [[True], [True, True][:1], [False]])
def test_as_many_calls_as_before_are_no_evidence(now: list[bool]) -> None:
    assert structure_evidence(make_telemetry([[True]] * 8, [now] * 8)) == []


def test_how_many_traces_were_sampled_does_not_matter() -> None:
    assert structure_evidence(make_telemetry([[True]] * 40, [[True]] * 5)) == []
    assert structure_evidence(make_telemetry([[True]] * 5, [[True]] * 40)) == []


def test_two_traces_on_a_side_are_too_few() -> None:
    assert structure_evidence(make_telemetry([[True]] * 2, [[True] * 6] * 8)) == []
    assert structure_evidence(make_telemetry([[True]] * 8, [[True] * 6] * 2)) == []


def test_more_traces_convince_more() -> None:
    few = structure_evidence(make_telemetry([[True]] * 3, [[True] * 6] * 3))
    many = structure_evidence(make_telemetry([[True]] * 30, [[True] * 6] * 30))

    assert few[0].confidence < many[0].confidence <= 0.9


def test_calls_missing_from_failed_traces_only_have_not_stopped() -> None:
    healthy = make_telemetry([[True]] * 8, [[True]] * 8)
    failed = make_telemetry([], [[]] * 30, failed=True).spans
    spans = (*healthy.spans, *(replace(span, trace_id=f"x{span.trace_id}") for span in failed))

    assert structure_evidence(replace(healthy, spans=spans)) == []


def test_evidence_does_not_depend_on_the_order_of_spans() -> None:
    telemetry = make_telemetry([[True]] * 8, [[False, False, True]] * 8)
    shuffled = list(telemetry.spans)
    random.Random(3).shuffle(shuffled)

    other = replace(telemetry, spans=tuple(shuffled))

    assert structure_evidence(other) == structure_evidence(telemetry)


def test_attempts_are_retries_when_one_follows_a_failed_one() -> None:
    (tree,) = trees(make_trace("a", 1100.0, [False, False, True, True]), END)

    followed = {first: then.span_id for first, then in retries(tree).items()}

    assert followed == {"c0": "c1", "c1": "c2"}
    assert recovered(tree) == {"c0", "s0", "c1", "s1"}


def test_calls_made_at_once_are_no_retries() -> None:
    spans = make_trace("a", 1100.0, [False, True])
    at_once = [replace(span, start=1100.0) for span in spans]

    assert retries(trees(at_once, END)[0]) == {}


def test_a_failure_a_retry_made_good_is_not_the_origin_of_another() -> None:
    spans = make_trace("a", 1100.0, [False, True], failed=True)

    (tree,) = trees(spans, END)

    assert [(key[0], span.span_id) for key, span in origins(tree)] == [("web", "0")]


def test_failures_made_good_are_told_where_nothing_else_failed() -> None:
    (tree,) = trees(make_trace("a", 1100.0, [False, True]), END)

    assert [key[0] for key, _ in origins(tree)] == ["stock"]


def test_the_change_is_among_the_evidence_of_an_analysis() -> None:
    found = rank(make_telemetry([[True]] * 8, [[True] * 6] * 8)).evidence

    assert [item.title for item in found if item.signal == "trace_calls"] == [
        "web calls stock 6.0 times a trace, usually 1.0"
    ]
