"""Spans by operation and trace."""

from __future__ import annotations

from correlation.steps.spans import Requests, arranged
from correlation.telemetry import LogLine, Span


def make_span(
    trace: str, span: str, parent: str, service: str, start: float, seconds: float, peer: str = ""
) -> Span:
    return Span(trace, span, parent, service, f"serve {span}", "", start, seconds, peer=peer)


def times(requests: Requests) -> dict[tuple[str, str], list[float]]:
    """Seconds by shape of the operation and service it waited for."""
    return {
        (operation[1], peer): seconds.round(6).tolist()
        for (operation, peer), (_, seconds) in requests.times.items()
    }


def test_traces_are_numbered_as_they_began() -> None:
    found = arranged(
        [
            make_span("b", "x", "", "shop", 20.0, 1.0),
            make_span("a", "x", "", "shop", 30.0, 1.0),
            make_span("c", "x", "", "shop", 10.0, 1.0),
        ]
    )

    assert found.directory.trace_numbers == {"c": 0, "b": 1, "a": 2}
    assert found.starts.tolist() == [10.0, 20.0, 30.0]


def test_time_of_its_own_is_what_no_child_covers() -> None:
    found = arranged(
        [
            make_span("a", "p", "", "shop", 0.0, 10.0),
            make_span("a", "q", "p", "cart", 1.0, 3.0),
            make_span("a", "r", "p", "cart", 2.0, 4.0),
            make_span("a", "s", "p", "cart", 3.0, 1.0),
            make_span("a", "t", "p", "cart", 8.0, 9.0),
        ]
    )

    assert times(found) == {
        ("serve p", ""): [3.0],
        ("serve q", ""): [3.0],
        ("serve r", ""): [4.0],
        ("serve s", ""): [1.0],
        ("serve t", ""): [9.0],
    }


def test_span_around_one_call_waits_for_the_service_called() -> None:
    found = arranged(
        [
            make_span("a", "p", "", "shop", 0.0, 5.0),
            make_span("a", "q", "p", "cart", 1.0, 3.0),
            make_span("a", "r", "q", "cart", 2.0, 1.0),
            make_span("a", "s", "r", "cart", 2.0, 1.0, peer="store"),
        ]
    )

    assert times(found) == {
        ("serve q", ""): [2.0],
        ("serve r", ""): [0.0],
        ("serve s", "store"): [1.0],
        ("serve p", "cart"): [2.0],
    }
    assert found.callees() == {"shop": {"cart"}}


def test_span_known_twice_counts_once_the_first_in_time() -> None:
    spans = [
        make_span("a", "p", "", "shop", 5.0, 9.0),
        make_span("a", "p", "", "shop", 4.0, 1.0),
        make_span("b", "p", "", "shop", 6.0, 2.0),
    ]

    assert times(arranged(spans)) == times(arranged(spans[::-1])) == {("serve p", ""): [1.0, 2.0]}


def test_calls_are_by_pair_of_operations_and_trace() -> None:
    found = arranged(
        [
            make_span(trace, span, parent, service, at, 1.0)
            for at, trace in ((0.0, "a"), (5.0, "b"))
            for span, parent, service in (("p", "", "shop"), ("q", "p", "cart"))
        ]
        + [make_span("b", "r", "p", "cart", 6.0, 0.1)]
    )

    shop = ("shop", "serve p")
    assert found.pairs == [(shop, ("cart", "serve q")), (shop, ("cart", "serve r"))]
    assert (found.called.groups.tolist(), found.called.traces.tolist()) == ([0, 0, 1], [0, 1, 1])


def test_line_belongs_to_its_span_or_to_what_entered_its_service() -> None:
    found = arranged(
        [
            make_span("a", "p", "", "shop", 0.0, 5.0),
            make_span("a", "q", "p", "cart", 1.0, 3.0),
            make_span("a", "r", "q", "cart", 2.0, 1.0),
        ]
    )

    places = found.directory.places(
        [
            LogLine("cart", 2.0, "of its span", "", "a", "r"),
            LogLine("cart", 2.0, "of its caller's span", "", "a", "p"),
            LogLine("cart", 2.0, "of no span", "", "a"),
            LogLine("till", 2.0, "of another service", "", "a", "r"),
            LogLine("cart", 2.0, "of no trace", "", "", "r"),
        ]
    )

    assert places.lines.tolist() == [0, 1, 2]
    assert [found.operations[at][1] for at in places.operations.tolist()] == [
        "serve r",
        "serve q",
        "serve q",
    ]


def test_without_spans_there_is_nothing() -> None:
    found = arranged([])

    assert (found.operations, found.pairs, found.times) == ([], [], {})
    assert found.directory.places([LogLine("shop", 1.0, "x", "", "a")]).lines.tolist() == []
