"""The course of operations, as their lines tell it."""

from __future__ import annotations

from correlation.steps.flow import ENDED, ENTERED, flow, statement_of
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


def test_steps_are_by_what_came_before() -> None:
    telemetry = make_telemetry(("asked", "paid", "sent"), ("asked", "refused"))

    found = flow(telemetry, arranged(telemetry.spans))

    buy = ("shop", "buy")
    assert {what: strata for (_, what), strata in found.done.items()} == {
        (ENTERED, "asked"): {(buy, ENTERED): {0, 1}},
        ("asked", "paid"): {(buy, "asked"): {0}},
        ("asked", "refused"): {(buy, "asked"): {1}},
        ("paid", "sent"): {(buy, "paid"): {0}},
        ("refused", ENDED): {(buy, "refused"): {1}},
        ("sent", ENDED): {(buy, "sent"): {0}},
    }
    assert len(found.lines_seen) == 5


def test_trace_in_which_nobody_logged_says_nothing() -> None:
    telemetry = make_telemetry(("asked",), ())

    found = flow(telemetry, arranged(telemetry.spans))

    assert found.ran == {(("shop", "buy"), ENTERED): {0}, (("shop", "buy"), "asked"): {0}}


def test_statement_is_its_code_location_or_its_first_words() -> None:
    assert statement_of("c.s.Contacts#37 TraceID: <hex> found") == "c.s.Contacts#37"
    assert statement_of("order <id> taken in <dur>") == "order taken in"
