"""A gate whose handler subscribes to its calls: they are its siblings, not its children."""

from __future__ import annotations

from correlation.steps.spans import arranged
from correlation.telemetry import Span

ROOT = Span("t", "root", "", "gate", "serve", "", 0.0, 10.0)
HANDLER = Span("t", "handler", "root", "gate", "handle", "", 1.0, 8.0)


def call(number: int, start: float, seconds: float, service: str = "shop") -> list[Span]:
    """A call of the gate, and the span of the service called, half as long."""
    name = f"call {number}"
    return [
        Span("t", name, "root", "gate", name, "", start, seconds),
        Span("t", f"{name} served", name, service, "serve", "", start + 0.1, seconds / 2),
    ]


def own_seconds(spans: list[Span]) -> dict[str, list[float]]:
    """Of the gate's operations that did work of their own."""
    return {
        operation: seconds.round(6).tolist()
        for ((service, operation), peer), (_, seconds) in arranged(spans).times.items()
        if service == "gate" and not peer
    }


def test_span_that_waits_for_a_call_beside_it_is_not_busy() -> None:
    found = own_seconds([ROOT, HANDLER, *call(1, 2.0, 6.0)])

    assert found == {"handle": [2.0], "serve": [2.0]}


def test_several_calls_beside_a_span_are_all_waited_for() -> None:
    found = own_seconds([ROOT, HANDLER, *call(1, 2.0, 2.0), *call(2, 3.0, 4.0)])

    assert found == {"handle": [3.0], "serve": [2.0]}


def test_call_that_began_after_the_span_was_waited_for_by_nobody_but_the_parent() -> None:
    found = own_seconds([ROOT, HANDLER, *call(1, 9.5, 0.4)])

    assert found == {"handle": [8.0], "serve": [1.6]}


def test_work_beside_work_is_no_waiting() -> None:
    other = Span("t", "other", "root", "gate", "reckon", "", 2.0, 3.0)

    found = own_seconds([ROOT, HANDLER, other])

    assert found == {"handle": [8.0], "reckon": [3.0], "serve": [2.0]}


def test_two_calls_at_once_wait_each_for_its_own() -> None:
    found = arranged([ROOT, *call(1, 2.0, 6.0), *call(2, 2.5, 6.0)])

    ways = {key: seconds.round(6).tolist() for key, (_, seconds) in found.times.items() if key[1]}
    assert ways == {(("gate", "call *"), "shop"): [3.0, 3.0]}


def test_call_beside_a_span_of_another_service_is_not_that_ones() -> None:
    shop = Span("t", "elsewhere", "root", "shop", "think", "", 1.0, 8.0)

    found = arranged([ROOT, shop, *call(1, 2.0, 6.0)])

    assert found.times[("shop", "think"), ""][1].tolist() == [8.0]
