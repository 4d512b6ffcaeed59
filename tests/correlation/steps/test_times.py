"""Times of one edge, before a moment and since."""

from __future__ import annotations

from correlation.steps.spans import arranged
from correlation.steps.times import Slower, Times
from correlation.telemetry import Span, Telemetry

ONSET = 1_000.0


def make_spans(before: list[float], since: list[float]) -> list[Span]:
    """The gate calls the shop every ten seconds; these are the seconds on the way."""
    spans = []
    for n, way in enumerate([*before, *since]):
        start, trace = ONSET + 10.0 * (n - len(before)), f"{n:032x}"
        spans.append(Span(trace, "1", "", "gate", "call", "", start, 0.05 + way))
        spans.append(Span(trace, "2", "1", "shop", "serve", "", start, 0.05))
    return spans


def slower(before: list[float], since: list[float]) -> dict[str, Slower]:
    """By the service that is waited for."""
    spans = make_spans(before, since)
    end = ONSET + 10.0 * len(since)
    telemetry = Telemetry(
        None, ONSET, end, (0.0, ONSET), (ONSET, end), spans=tuple(spans), traces_unbiased=True
    )
    pace = Times(arranged(spans), telemetry).pace(ONSET)
    return {one.peer: one for one in map(pace.slower, range(pace.which.size))}


def test_time_on_the_way_is_the_edges() -> None:
    found = slower([0.002] * 12, [0.302] * 12)

    assert (found["shop"].service, found["shop"].executions, found["shop"].z > 8.0) == (
        "gate",
        12,
        True,
    )
    assert (round(found["shop"].before, 6), round(found["shop"].now, 6)) == (0.002, 0.302)
    assert round(found["shop"].lost_seconds, 6) == 3.6
    assert found[""].z == 0.0


def test_two_values_tell_a_change_by_a_hundred_but_not_by_two() -> None:
    much, little = slower([0.003, 0.009], [2.0] * 8), slower([0.003, 0.003], [0.006] * 8)

    assert much["shop"].z > 5.0
    assert little["shop"].z < 2.0


def test_one_value_before_is_no_comparison() -> None:
    assert slower([0.003], [2.0] * 8) == {}
