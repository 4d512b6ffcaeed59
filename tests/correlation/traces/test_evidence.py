from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from correlation.ranking import rank
from correlation.telemetry import Evidence, Span, Telemetry
from correlation.traces.evidence import origins, trace_evidence
from correlation.traces.trees import MATCHED_ONLY, shape, trees

BEGIN, END = 1000.0, 1300.0


def make_span(trace_id: str, span_id: str, service: str, **columns: Any) -> Span:
    given: dict[str, Any] = {
        "parent_id": "",
        "operation": f"{service} work",
        "kind": "server",
        "start": 1100.0,
        "seconds": 1.0,
        **columns,
    }
    return Span(trace_id=trace_id, span_id=span_id, service=service, **given)


def make_trace(name: str, start: float, **columns: Any) -> list[Span]:
    """web calls orders, orders calls stock; `columns` are of the innermost span."""
    sampled = {"sampled_as": columns.pop("sampled_as", "failed")}
    bad = bool(columns.get("failed"))
    outer = {**sampled, "failed": bad}
    return [
        make_span(name, "1", "web", start=start, seconds=1.0, **outer),
        make_span(name, "2", "web", parent_id="1", kind="client", start=start + 0.1,
                  seconds=0.8, **outer),
        make_span(name, "3", "orders", parent_id="2", start=start + 0.1, seconds=0.8,
                  **{**sampled, **columns}),
    ]  # fmt: skip


def make_telemetry(spans: list[Span], **columns: Any) -> Telemetry:
    given: dict[str, Any] = {
        "target": None,
        "started_at": BEGIN,
        "as_of": END,
        "baseline": (0.0, BEGIN),
        "window": (BEGIN, END),
        "trace_source": "tempo",
        "trace_query": "{ status = error }",
        **columns,
    }
    return Telemetry(spans=tuple(spans), **given)


def failing(count: int, **columns: Any) -> list[Span]:
    return [
        span
        for i in range(count)
        for span in make_trace(f"bad{i}", 1050.0 + i, failed=True, **columns)
    ]


def healthy(count: int, start: float = 500.0, **columns: Any) -> list[Span]:
    given = {"sampled_as": "baseline", **columns}
    return [span for i in range(count) for span in make_trace(f"fine{i}", start + i, **given)]


def errors_of(telemetry: Telemetry) -> list[Evidence]:
    return [item for item in trace_evidence(telemetry) if item.signal == "trace_errors"]


def test_no_spans_are_no_evidence() -> None:
    assert trace_evidence(make_telemetry([])) == []


def test_errors_are_put_down_to_the_deepest_span_that_failed() -> None:
    found = errors_of(make_telemetry([*failing(5, message="no stock"), *healthy(3)]))

    assert [(item.service, item.peer) for item in found] == [("orders", None)]
    assert found[0].title == ('orders: 5 of 5 failed traces fail first in "orders work" (no stock)')
    assert found[0].query == "{ status = error }"
    assert found[0].details["share"] == 1.0
    assert found[0].details["n"] == 5
    assert found[0].details["samples"] == ["no stock"]
    assert found[0].details["trace_ids"] == ["bad4", "bad3", "bad2", "bad1", "bad0"]
    assert found[0].onset_at is None


def test_failures_of_the_last_seconds_are_among_the_plotted() -> None:
    """A search answers with the newest failures: all of them may lie in the last few seconds."""
    newest = [
        span
        for n in range(52)
        for span in make_trace(f"bad{n}", 1292.0 + n / 10, failed=True, message="full")
    ]

    found = errors_of(make_telemetry([*newest, *healthy(3)]))

    counted = [
        (at, round(rate * found[0].details["bin_seconds"]))
        for at, rate in found[0].details["points"]
        if at >= BEGIN
    ]
    assert counted == [(1285.0, 52)]


def test_traces_that_tell_no_origin_took_places_in_the_answer_too() -> None:
    """49 that tell and one that does not: what was before them was not counted."""
    newest = [
        span
        for n in range(49)
        for span in make_trace(f"bad{n}", 1280.0 + n / 10, failed=True, message="full")
    ]
    nameless = make_span(
        "dumb", "1", "", operation="", start=1280.0, failed=True, sampled_as="failed",
        attributes=(MATCHED_ONLY,),
    )  # fmt: skip

    found = errors_of(make_telemetry([*newest, nameless, *healthy(3)]))

    assert found[0].title.startswith("orders: 49 of 49 failed traces")
    assert [at for at, _ in found[0].details["points"] if at >= BEGIN] == [1270.0, 1285.0]


def test_errors_convince_more_the_more_traces_there_are() -> None:
    seen = [errors_of(make_telemetry([*failing(count), *healthy(3)])) for count in (1, 2, 3, 5, 12)]

    confidences = [found[0].confidence if found else 0.0 for found in seen]
    assert confidences == sorted(set(confidences))
    assert confidences[0] < 0.3
    assert confidences[-1] > 0.85


def test_errors_as_frequent_before_are_no_evidence() -> None:
    before = [
        span
        for i in range(12)
        for span in make_trace(f"old{i}", 300.0 + 50 * i, failed=True, sampled_as="baseline")
    ]

    assert errors_of(make_telemetry([*failing(4), *before])) == []


def test_errors_without_any_baseline_stay_unsure() -> None:
    known = errors_of(make_telemetry([*failing(12), *healthy(1)]))[0]
    unknown = errors_of(make_telemetry(failing(12)))[0]

    assert known.confidence > unknown.confidence == 0.6
    assert unknown.baseline is None


def test_errors_stay_unsure_when_earlier_ones_cannot_be_told_apart() -> None:
    old = make_span("old", "1", "", start=500.0, failed=True, attributes=(MATCHED_ONLY,))

    found = errors_of(make_telemetry([*failing(12), *healthy(3), old]))

    assert found[0].confidence == 0.6


def test_a_call_refused_blames_the_edge() -> None:
    spans = [
        span
        for i in range(5)
        for span in (
            make_span(f"t{i}", "1", "web", failed=True),
            make_span(f"t{i}", "2", "web", parent_id="1", kind="client", failed=True,
                      peer="orders", message="connection refused"),
        )
    ]  # fmt: skip

    found = errors_of(make_telemetry(spans))

    assert [(item.service, item.peer) for item in found] == [("web", "orders")]


@pytest.mark.parametrize(("busy", "peer"), [(0.95, "orders"), (0.1, "")])
def test_a_caller_that_gave_up_blames_a_callee_that_was_still_busy(busy: float, peer: str) -> None:
    spans = [
        make_span("t", "1", "web", kind="client", failed=True),
        make_span("t", "2", "orders", parent_id="1", seconds=busy),
    ]

    (key, _), *more = origins(trees(spans, END)[0])

    assert (key[:2], more) == (("web", peer), [])


def test_spans_a_search_showed_are_nested_by_their_times() -> None:
    matched = [
        replace(span, parent_id="", attributes=(MATCHED_ONLY,))
        for span in make_trace("t", 1100.0, failed=True)
    ]

    tree = trees(matched, END)[0]

    assert not tree.whole
    assert [(key[0], span.span_id) for key, span in origins(tree)] == [("orders", "3")]


def test_a_trace_read_whole_takes_the_place_of_what_the_search_showed() -> None:
    whole = make_trace("t", 1100.0, failed=True)
    matched = [
        replace(span, parent_id="", attributes=(MATCHED_ONLY,), sampled_as="slow") for span in whole
    ]

    tree = trees([*matched, *whole], END)[0]

    assert tree.whole
    assert tree.sampled_as == {"failed", "slow"}
    assert [span.parent_id for span in tree.spans.values()] == ["", "1", "2"]


def test_spans_after_the_moment_asked_about_are_not_there() -> None:
    assert trees(make_trace("t", 1100.0), as_of=1099.0) == []


def test_what_only_the_failed_have_is_told() -> None:
    new, old = (("service.version", "2.0"),), (("service.version", "1.9"),)
    spans = [*failing(5, attributes=new), *healthy(4, attributes=old)]

    found = errors_of(make_telemetry(spans))[0]

    assert found.details["apart"] == [
        {"attribute": "service.version", "value": "2.0", "failed": 1.0, "others": 0.0}
    ]


def test_what_the_others_have_too_is_not_told() -> None:
    same = (("service.version", "2.0"),)

    found = errors_of(make_telemetry([*failing(5, attributes=same), *healthy(4, attributes=same)]))[
        0
    ]

    assert found.details["apart"] == []


def slow_traces(count: int, seconds: float, sampled_as: str, start: float) -> list[Span]:
    """web waits for orders, which calls a database that keeps no traces for `seconds`."""
    return [
        span
        for i in range(count)
        for span in (
            make_span(f"{sampled_as}{i}", "1", "web", start=start + i, seconds=seconds + 0.2,
                      sampled_as=sampled_as),
            make_span(f"{sampled_as}{i}", "2", "orders", parent_id="1", start=start + i + 0.1,
                      seconds=seconds + 0.1, sampled_as=sampled_as),
            make_span(f"{sampled_as}{i}", "3", "orders", parent_id="2", kind="client",
                      operation="SELECT 1", start=start + i + 0.15, seconds=seconds, peer="db",
                      sampled_as=sampled_as),
        )
    ]  # fmt: skip


def test_slow_time_is_found_where_it_is_lost_by_itself() -> None:
    spans = [*slow_traces(4, 2.0, "slow", 1100.0), *slow_traces(3, 0.02, "baseline", 500.0)]

    found = trace_evidence(make_telemetry(spans))

    assert [(item.signal, item.service, item.peer) for item in found] == [
        ("trace_slow", "orders", "db")
    ]
    assert (found[0].value, found[0].baseline, found[0].unit) == (2.0, 0.02, "s")
    assert found[0].confidence > 0.5
    assert found[0].query == (
        '{ resource.service.name = "orders" && name = "SELECT 1" && duration > 30ms }'
    )


def test_slow_traces_convince_more_with_more_of_them_and_with_something_to_compare() -> None:
    def confidences(slow: int, usual: int) -> list[float]:
        spans = slow_traces(slow, 2.0, "slow", 1100.0) + slow_traces(usual, 0.02, "usual", 1200.0)
        return [item.confidence for item in trace_evidence(make_telemetry(spans))]

    assert confidences(1, 0) == []
    grades = [*confidences(1, 1), *confidences(3, 1), *confidences(3, 3), *confidences(12, 3)]
    assert len(grades) == 4
    assert grades == sorted(set(grades))


def test_slow_traces_as_slow_as_usual_are_no_evidence() -> None:
    spans = [*slow_traces(4, 2.0, "slow", 1100.0), *slow_traces(3, 2.0, "baseline", 500.0)]

    assert trace_evidence(make_telemetry(spans)) == []


def test_self_time_leaves_out_the_union_of_children() -> None:
    spans = [
        make_span("t", "1", "web", start=10.0, seconds=10.0),
        make_span("t", "2", "a", parent_id="1", start=11.0, seconds=4.0),
        make_span("t", "3", "b", parent_id="1", start=13.0, seconds=4.0),
        make_span("t", "4", "c", parent_id="1", start=19.0, seconds=9.0),
    ]
    tree = trees(spans, END)[0]

    assert tree.self_seconds(tree.spans["1"]) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("GET /v1/users/12345", "GET /v1/users/*"),
        ("GET /o/3f2b8c1d-1111-2222-3333-444455556666/x", "GET /o/*/x"),
        ("job 0a1b2c3d4e5f", "job *"),
        ("deadbeef tasks", "deadbeef tasks"),
    ],
)
def test_shape_leaves_out_ids_and_keeps_versions(operation: str, expected: str) -> None:
    assert shape(operation) == expected


def test_evidence_does_not_depend_on_the_order_of_spans() -> None:
    spans = [*failing(5), *healthy(3), *slow_traces(3, 2.0, "slow", 1100.0)]
    shuffled = list(spans)
    random.Random(3).shuffle(shuffled)

    assert trace_evidence(make_telemetry(spans)) == trace_evidence(make_telemetry(shuffled))
    json.dumps([item.details for item in trace_evidence(make_telemetry(spans))], allow_nan=False)


def test_traces_alone_name_the_cause_and_are_cited() -> None:
    spans = [*failing(12, message="connection pool exhausted"), *healthy(3)]

    ranking = rank(make_telemetry(spans, edges=(("web", "orders"),)))

    first = ranking.causes[0]
    assert (first.service, first.kind) == ("orders", "connection_pool_exhaustion")
    assert first.supporting == tuple(item.key for item in ranking.evidence)


def test_a_refused_call_accuses_the_callee_more_than_the_caller() -> None:
    spans = [
        span
        for i in range(12)
        for span in (
            make_span(f"t{i}", "1", "web", failed=True),
            make_span(f"t{i}", "2", "web", parent_id="1", kind="client", failed=True,
                      peer="orders", message="refused"),
        )
    ]  # fmt: skip

    ranking = rank(make_telemetry([*spans, *healthy(3)]))

    assert [(cause.service, cause.kind) for cause in ranking.causes][:1] == [
        ("orders", "unavailable")
    ]
