"""The course of operations, as their lines tell it."""

from __future__ import annotations

from dataclasses import replace

from correlation.steps.flow import ENDED, ENTERED, flow, statement_of
from correlation.steps.habits import Key, Practice
from correlation.steps.spans import arranged
from correlation.telemetry import LogLine, Span, Telemetry


def make_telemetry(*said: tuple[str, ...]) -> Telemetry:
    """One trace for each of `said`, all through the shop, which logs these messages."""
    spans = [
        Span(f"{n:032x}", "1", "", "shop", "buy", "", 10.0 * n, 1.0) for n, _ in enumerate(said)
    ]
    lines = [
        LogLine("shop", 10.0 * n + 0.1 * at, message, "info", f"{n:032x}", "1")
        for n, messages in enumerate(said)
        for at, message in enumerate(messages)
    ]
    lines.append(LogLine("shop", 0.5, "of no trace"))
    end = 10.0 * len(said)
    return Telemetry(
        None, end, end + 10.0, (0.0, end), (end, end + 10.0), spans=tuple(spans), logs=tuple(lines)
    )


def taken(steps: Practice) -> dict[Key, dict[int, list[int]]]:
    """By step and number of its stratum: the traces that took it."""
    found: dict[Key, dict[int, list[int]]] = {}
    for row, trace in zip(steps.did.groups.tolist(), steps.did.traces.tolist(), strict=True):
        strata = found.setdefault(steps.keys[steps.habits[row]], {})
        strata.setdefault(int(steps.strata[row]), []).append(trace)
    return found


def test_steps_are_by_what_came_before() -> None:
    telemetry = make_telemetry(("asked", "paid", "sent"), ("asked", "refused"))

    found = flow(telemetry, arranged(telemetry.spans))

    entered, asked, paid, refused, sent = range(5)
    assert taken(found.steps) == {
        ("shop", (ENTERED, "asked")): {entered: [0, 1]},
        ("shop", ("asked", "paid")): {asked: [0]},
        ("shop", ("asked", "refused")): {asked: [1]},
        ("shop", ("paid", "sent")): {paid: [0]},
        ("shop", ("refused", ENDED)): {refused: [1]},
        ("shop", ("sent", ENDED)): {sent: [0]},
    }
    assert len(found.lines_seen) == 5


def test_trace_in_which_nobody_logged_says_nothing() -> None:
    telemetry = make_telemetry(("asked",), ())

    found = flow(telemetry, arranged(telemetry.spans))

    assert found.steps.ran.groups.tolist() == [0, 1]
    assert found.steps.ran.traces.tolist() == [0, 0]


def test_operation_that_says_nothing_where_others_do_ends_at_once() -> None:
    telemetry = make_telemetry(("asked",), ())
    telemetry = replace(
        telemetry,
        spans=(*telemetry.spans, Span(f"{1:032x}", "2", "1", "cart", "open", "", 10.1, 0.1)),
        logs=(*telemetry.logs, LogLine("cart", 10.1, "opened", "info", f"{1:032x}", "2")),
    )

    found = flow(telemetry, arranged(telemetry.spans))

    assert taken(found.steps) == {
        ("cart", (ENTERED, "opened")): {0: [1]},
        ("cart", ("opened", ENDED)): {1: [1]},
        ("shop", (ENTERED, ENDED)): {2: [1]},
        ("shop", (ENTERED, "asked")): {2: [0]},
        ("shop", ("asked", ENDED)): {3: [0]},
    }


def test_statement_is_its_code_location_or_its_first_words() -> None:
    assert statement_of("c.s.Contacts#37 TraceID: <hex> found") == "c.s.Contacts#37"
    assert statement_of("order <id> taken in <dur>") == "order taken in"
