"""Requests through gate -> five services, with nothing known of before the incident."""

from __future__ import annotations

from dataclasses import replace

from correlation.ranking import rank
from correlation.steps.blame import request_findings
from correlation.telemetry import Span, Telemetry

START = 1_000.0
CALLEES = ("cart", "mail", "shop", "stock", "tax")


def make_requests(ways: dict[str, float], *, since: float = START + 5.0) -> Telemetry:
    """One request a second, from `since` on; `ways` are seconds on the way, else 2 ms."""
    spans = []
    for n in range(60):
        trace, begin = f"{n:032x}", since + n
        now = begin + 0.005
        for at, callee in enumerate(CALLEES):
            way = ways.get(callee, 0.002) + 0.0001 * (n % 3)
            spans += [
                Span(trace, f"c{at}", "root", "gate", f"call {callee}", "", now, way + 0.02),
                Span(trace, f"s{at}", f"c{at}", callee, "serve", "", now + way / 2, 0.02),
            ]
            now += way + 0.021
        spans.append(Span(trace, "root", "", "gate", "serve", "", begin, now - begin))
    return Telemetry(
        target=None,
        started_at=START,
        as_of=since + 61.0,
        baseline=(START - 600.0, START - 60.0),
        window=(START - 60.0, since + 61.0),
        spans=tuple(spans),
        edges=tuple(("gate", callee) for callee in CALLEES),
        traces_unbiased=True,
    )


def test_way_that_takes_far_longer_than_the_others_blames_its_end() -> None:
    ranking = rank(make_requests({"cart": 0.25}))

    told = [item for item in ranking.evidence if item.peer == "cart"]
    assert ranking.causes[0].service == "cart"
    assert [item.title for item in told] == [
        'gate to cart: "call cart" takes 250 ms on the way, 2.1 ms is usual between services; '
        "nothing earlier to compare with"
    ]


def test_ways_that_are_alike_blame_nobody() -> None:
    assert rank(make_requests({"cart": 0.004})).causes == ()


def test_long_way_that_hardly_any_time_is_lost_on_blames_nobody() -> None:
    telemetry = make_requests({"cart": 0.012})
    slow = tuple(
        replace(span, seconds=span.seconds + 5.0) if span.span_id == "root" else span
        for span in telemetry.spans
    )

    assert rank(replace(telemetry, spans=slow)).causes == ()


def test_way_with_a_past_is_compared_with_that_alone() -> None:
    found = request_findings(make_requests({"cart": 0.25}, since=START - 30.0))

    assert found is not None
    assert found.time == {}
