"""Requests through gate -> shop -> cart, compared before and since a fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from correlation.ranking import rank
from correlation.steps.blame import request_findings
from correlation.telemetry import LogLine, Span, Telemetry

START = 1_000.0

Fault = Callable[[int, str], tuple[float, float]]
"""(request, service) -> (seconds of its own, seconds on the way to it)."""


def make_requests(fault: Fault, since: int = 60, total: int = 120) -> Telemetry:
    """One request a second; each service logs a line, and the cart one more while it is well."""
    spans: list[Span] = []
    lines: list[LogLine] = []
    for n in range(total):
        bad = n >= since
        begin, trace = START - since + n, f"{n:032x}"
        own, way = {}, {}
        for service in ("gate", "shop", "cart"):
            more = fault(n, service) if bad else (0.0, 0.0)
            own[service] = 0.005 + 0.0005 * (n % 5) + more[0]
            way[service] = 0.001 + 0.0002 * (n % 3) + more[1]
        cart = own["cart"]
        shop = own["shop"] + way["cart"] + cart
        gate = own["gate"] + way["shop"] + shop
        for at, (service, peer, seconds, span, parent) in enumerate(
            (
                ("gate", "", gate, "1", ""),
                ("gate", "shop", way["shop"] + shop, "2", "1"),
                ("shop", "", shop, "3", "2"),
                ("shop", "cart", way["cart"] + cart, "4", "3"),
                ("cart", "", cart, "5", "4"),
            )
        ):
            name = f"call {peer}" if peer else f"serve {service}"
            begins = begin + 0.0001 * at
            spans.append(Span(trace, span, parent, service, name, "", begins, seconds))
        lines.append(LogLine("shop", begin, "order taken", "info", trace, "3"))
        lines.append(LogLine("cart", begin, "basket opened", "info", trace, "5"))
    return Telemetry(
        target=None,
        started_at=START,
        as_of=START + total - since + 1.0,
        baseline=(START - since, START - 30.0),
        window=(START - 30.0, START + total - since + 1.0),
        spans=tuple(spans),
        logs=tuple(lines),
        edges=(("gate", "shop"), ("shop", "cart")),
        traces_unbiased=True,
    )


def slow_shop(n: int, service: str) -> tuple[float, float]:
    return (0.08, 0.0) if service == "shop" else (0.0, 0.0)


def far_cart(n: int, service: str) -> tuple[float, float]:
    return (0.0, 0.3) if service == "cart" else (0.0, 0.0)


def nothing(n: int, service: str) -> tuple[float, float]:
    return (0.0, 0.0)


def test_time_of_its_own_blames_the_service_that_lost_it() -> None:
    ranking = rank(make_requests(slow_shop))

    assert ranking.causes[0].service == "shop"


def test_time_on_the_way_blames_the_leaf_that_is_far() -> None:
    found = request_findings(make_requests(far_cart))

    assert found is not None
    assert max(found.time, key=lambda name: found.time[name]) == "cart"


def test_line_that_vanished_blames_the_service_that_wrote_it() -> None:
    telemetry = make_requests(nothing)
    kept = tuple(
        line for line in telemetry.logs if line.message != "basket opened" or line.at < START
    )

    ranking = rank(replace(telemetry, logs=kept))

    assert ranking.causes[0].service == "cart"
    vanished = [item for item in ranking.evidence if item.type == "log"]
    assert [(item.service, item.direction) for item in vanished] == [("cart", "down")]


def test_fewer_requests_are_no_deviation() -> None:
    telemetry = make_requests(nothing)
    kept = {span.trace_id for span in telemetry.spans if span.start < START or int(span.start) % 3}
    fewer = replace(
        telemetry,
        spans=tuple(span for span in telemetry.spans if span.trace_id in kept),
        logs=tuple(line for line in telemetry.logs if line.trace_id in kept),
    )

    ranking = rank(fewer)

    assert (ranking.causes, ranking.inconclusive) == ((), True)


def test_findings_do_not_depend_on_the_order_of_spans_and_lines() -> None:
    telemetry = make_requests(slow_shop)
    turned = replace(telemetry, spans=telemetry.spans[::-1], logs=telemetry.logs[::-1])

    assert rank(turned) == rank(telemetry)


def test_searched_traces_are_not_compared() -> None:
    assert request_findings(replace(make_requests(slow_shop), traces_unbiased=False)) is None


def make_steps(*, bad: str) -> Telemetry:
    """The cart logs a second line after its first; since the start it logs `bad` ("": nothing)."""
    telemetry = make_requests(nothing)
    lines = [*telemetry.logs]
    for line in telemetry.logs:
        if line.service == "cart":
            well = line.at < START
            text = "basket sent" if well else bad
            if text:
                level = "info" if well else "error"
                lines.append(replace(line, at=line.at + 0.001, message=text, level=level))
    return replace(telemetry, logs=tuple(lines))


def test_operation_that_ends_early_blames_its_service() -> None:
    found = request_findings(make_steps(bad=""))

    assert found is not None
    assert max(found.lines, key=lambda name: found.lines[name]) == "cart"
    assert [item.title for item in found.evidence if item.type == "log"] == [
        'cart: vanished log pattern "basket sent" after "basket opened" (in 0 of 60 requests, '
        "60 of 60 before)"
    ]


def test_service_that_got_better_is_not_to_blame() -> None:
    worse = request_findings(make_steps(bad="basket lost"))
    telemetry = make_steps(bad="basket lost")
    turned = [
        replace(line, message="basket sent", level="info")
        if line.level == "error"
        else replace(line, message="basket lost", level="error")
        if line.message == "basket sent"
        else line
        for line in telemetry.logs
    ]

    better = request_findings(replace(telemetry, logs=tuple(turned)))

    assert worse is not None
    assert better is not None
    assert worse.lines["cart"] > 0.8
    assert better.lines["cart"] < 0.3


def test_fault_noticed_late_is_found_all_the_same() -> None:
    telemetry = make_requests(slow_shop, since=200, total=320)
    late = replace(telemetry, started_at=START + 90.0)

    ranking = rank(late)

    assert ranking.causes[0].service == "shop"


def test_moment_at_which_hardly_any_time_is_lost_tells_of_little() -> None:
    def fault(n: int, service: str) -> tuple[float, float]:
        at_last = 0.01 if service == "cart" and n >= 290 else 0.0
        return (0.8, 0.0) if service == "shop" else (at_last, 0.0)

    telemetry = replace(make_requests(fault, total=320), started_at=START + 200.0)

    found = request_findings(telemetry)

    assert found is not None
    assert max(found.time, key=lambda name: found.time[name]) == "shop"
    assert found.time.get("cart", 0.0) < 0.05
