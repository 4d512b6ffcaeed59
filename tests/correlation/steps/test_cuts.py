"""Requests through gate -> shop -> cart, stock, mail, and desk -> cart, mail: some cut short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from correlation.ranking import rank
from correlation.steps.blame import request_findings
from correlation.telemetry import Span, Telemetry

START = 1_000.0
CALLS: Mapping[str, Sequence[str]] = {
    "gate": ("shop",),
    "shop": ("cart", "stock", "mail"),
    "desk": ("cart", "mail"),
    "cart": ("store",),
}
EDGES = tuple((caller, callee) for caller, callees in CALLS.items() for callee in callees)


def make_orders(
    since: Mapping[str, Sequence[str]], *, before: Mapping[str, Sequence[str]] | None = None
) -> Telemetry:
    """One request a second, a third of them to the desk; `since` the start some call less."""
    spans: list[Span] = []
    for n in range(120):
        calls = {**CALLS, **((before or {}) if n < 60 else since)}
        entry = "gate" if n % 3 else "desk"
        spans += make_spans(f"{n:032x}", START - 60.0 + n, entry, calls)
    return Telemetry(
        target=None,
        started_at=START,
        as_of=START + 61.0,
        baseline=(START - 60.0, START - 30.0),
        window=(START - 30.0, START + 61.0),
        spans=tuple(spans),
        edges=EDGES,
        traces_unbiased=True,
    )


def make_spans(
    trace: str, begin: float, entry: str, calls: Mapping[str, Sequence[str]]
) -> Iterable[Span]:
    """A span of each service, and one around each call to it: 10 ms each, one after another."""
    found: list[Span] = []

    def run(service: str, at: float, parent: str) -> float:
        span, inside = f"{len(found):x}", len(found)
        found.append(Span(trace, span, parent, service, f"serve {service}", "", at, 0.0))
        now = at + 0.002
        for callee in calls.get(service, ()):
            way = f"{len(found):x}"
            found.append(Span(trace, way, span, service, f"call {callee}", "", now, 0.0))
            end = run(callee, now + 0.001, way) + 0.001
            known = next(n for n, one in enumerate(found) if one.span_id == way)
            found[known] = replace(found[known], seconds=end - now)
            now = end + 0.001
        found[inside] = replace(found[inside], seconds=now + 0.001 - at)
        return now + 0.001

    run(entry, begin, "")
    return found


def blamed(telemetry: Telemetry) -> dict[str, float]:
    found = request_findings(telemetry)
    assert found is not None
    return {service: worth for service, worth in found.cuts.items() if worth > 0.1}


def test_caller_that_stops_after_a_call_others_go_on_after_is_to_blame() -> None:
    ranking = rank(make_orders({"shop": ("cart",)}))

    told = [item for item in ranking.evidence if item.signal == "cut_short"]
    assert ranking.causes[0].service == "shop"
    assert [(item.service, item.peer, item.title) for item in told] == [
        (
            "shop",
            None,
            'shop: "serve shop" makes no further call after "call cart" in 100% of its requests, '
            "0% before",
        )
    ]


def test_callee_whose_callers_all_stop_is_to_blame() -> None:
    ranking = rank(make_orders({"shop": ("cart",), "desk": ("cart",)}))

    assert ranking.causes[0].service == "cart"
    assert {item.peer for item in ranking.evidence if item.signal == "cut_short"} == {"cart"}


def test_callee_whose_calls_failed_is_to_blame() -> None:
    telemetry = make_orders({"shop": ("cart",)})
    spans = [
        replace(one, failed=one.operation == "call cart" and one.start >= START)
        for one in telemetry.spans
    ]

    worths = blamed(replace(telemetry, spans=tuple(spans)))

    assert max(worths, key=lambda name: worths[name]) == "cart"


def test_cut_further_down_explains_those_above_it() -> None:
    cut = {"cart": (), "shop": ("cart",), "desk": ("cart",)}

    worths = blamed(make_orders(cut))

    assert max(worths, key=lambda name: worths[name]) == "cart"
    assert worths["cart"] > 0.8


def test_operation_that_makes_no_call_at_all_is_to_blame_itself() -> None:
    worths = blamed(make_orders({"shop": ()}))

    assert max(worths, key=lambda name: worths[name]) == "shop"


def test_call_that_no_longer_arrives_blames_who_is_called() -> None:
    telemetry = make_orders({})
    kept = [one for one in telemetry.spans if one.service != "mail" or one.start < START]

    worths = blamed(replace(telemetry, spans=tuple(kept)))

    assert max(worths, key=lambda name: worths[name]) == "mail"


def test_course_that_goes_on_again_is_no_cut() -> None:
    assert blamed(make_orders({}, before={"shop": ("cart",)})) == {}


def test_error_no_longer_handled_is_no_cut() -> None:
    before = {"shop": ("cart", "error-page")}

    assert blamed(make_orders({"shop": ("cart",)}, before=before)) == {}


def test_other_mix_of_requests_is_no_cut() -> None:
    telemetry = make_orders({})
    kept = {
        one.trace_id
        for one in telemetry.spans
        if one.start < START or (one.service == "desk" and not one.parent_id)
    }
    desk_only = tuple(one for one in telemetry.spans if one.trace_id in kept)

    assert blamed(replace(telemetry, spans=desk_only)) == {}


def test_what_begins_after_a_span_has_ended_is_no_part_of_its_course() -> None:
    telemetry = make_orders({})
    late = [
        Span(one.trace_id, f"late{one.span_id}", one.span_id, "audit", "note", "",
             one.start + one.seconds + 1.0, 0.01)
        for one in telemetry.spans
        if one.operation == "serve shop" and one.start < START
    ]  # fmt: skip

    assert blamed(replace(telemetry, spans=(*telemetry.spans, *late))) == {}


def test_findings_do_not_depend_on_the_order_of_spans() -> None:
    telemetry = make_orders({"shop": ("cart",)})

    assert rank(replace(telemetry, spans=telemetry.spans[::-1])) == rank(telemetry)
