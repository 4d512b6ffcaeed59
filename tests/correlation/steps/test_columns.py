"""Spans as columns."""

from __future__ import annotations

import pytest

from correlation.steps.columns import read
from correlation.steps.numbering import NOBODY
from correlation.telemetry import Span


def make_span(trace: str, span: str, start: float, *, parent: str = "", peer: str = "") -> Span:
    return Span(trace, span, parent, "shop", f"buy {span}", "", start, 1.0, peer=peer)


@pytest.mark.parametrize("turned", [False, True])
def test_spans_are_in_time_order_each_once(turned: bool) -> None:
    spans = [
        make_span("a", "y", 3.0, parent="x"),
        make_span("a", "x", 2.0, parent="lost", peer="bank"),
        make_span("b", "x", 3.0),
        make_span("a", "y", 1.0),
    ]

    found = read(spans[::-1] if turned else spans)

    ids = {number: name for name, number in found.span_numbers.items()}
    assert found.starts.tolist() == [1.0, 2.0, 3.0]
    assert [ids[number] for number in found.spans.tolist()] == ["y", "x", "x"]
    assert [found.trace_ids[number] for number in found.traces.tolist()] == ["a", "a", "b"]
    assert found.parents.tolist() == [NOBODY, NOBODY, NOBODY]
    assert [found.service_names[number] for number in found.peers.tolist()] == ["", "bank", ""]


def test_no_spans_are_no_rows() -> None:
    found = read([])

    assert (found.starts.tolist(), found.service_names) == ([], [""])
