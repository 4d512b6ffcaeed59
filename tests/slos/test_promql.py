from __future__ import annotations

import promql_parser
import pytest

from slos.definition import Latency, Ratio, Wrong, check_counter
from slos.promql import (
    Counter,
    Shape,
    counters,
    duration_of,
    grouped,
    grouped_exact,
    member,
    samples,
    seconds_of,
)


@pytest.mark.parametrize(
    ("query", "count", "rate"),
    [
        ('x{a="b"}', 'sum(increase(x{a="b"}[5m]))', 'sum(rate(x{a="b"}[5m]))'),
        ("sum(rate(x[{{.window}}]))", "sum(increase(x[5m]))", "sum(rate(x[5m]))"),
        (
            'sum( increase(x{a=~"b}|c"} [ {{.window}} ]) )',
            'sum(increase(x{a=~"b}|c"}[5m]))',
            'sum(rate(x{a=~"b}|c"}[5m]))',
        ),
        (
            "sum(rate(x[{{.window}}])) + sum(rate(y[{{.window}}]))",
            "(sum(rate(x[5m])) + sum(rate(y[5m]))) * 300",
            "sum(rate(x[5m])) + sum(rate(y[5m]))",
        ),
        (
            "sum(increase(x[{{.window}}] offset 1m))",
            "sum(increase(x[5m] offset 1m))",
            "(sum(increase(x[5m] offset 1m))) / 300",
        ),
    ],
)
def test_counter_gives_events_and_events_a_second(query: str, count: str, rate: str) -> None:
    counter = Counter(query)

    assert (counter.count("5m"), counter.rate("5m")) == (count, rate)


@pytest.mark.parametrize(
    ("seconds", "part"),
    [
        (0.2, 'd_bucket{service="a",le="0.2"}'),
        (1, 'd_bucket{service="a",le=~"1(\\\\.0)?"}'),  # 1 here, 1.0 there
    ],
)
def test_latency_counts_the_bucket_of_all(seconds: float, part: str) -> None:
    found = counters(Latency('d{service="a"}', seconds))

    assert found is not None
    assert (found.part.query, found.total.query) == (part, 'd_count{service="a"}')


def test_rate_s_sum_has_the_shape_of_its_selector() -> None:
    plain = member(Counter('x{code="500",service="a"}'))

    summed = member(Counter('sum(rate(x{code="500",service="a"}[{{.window}}]))'))

    assert summed == plain


@pytest.mark.parametrize(
    ("value", "pattern"), [("a-b", "a-b"), ("a.b", "a\\\\.b"), ("a\\b", "a\\\\\\\\b")]
)
def test_values_are_matched_as_the_texts_they_are(value: str, pattern: str) -> None:
    asked = grouped(Shape("x{}", "service"), [value], "5m")

    assert asked == f'sum by (service) (increase(x{{service=~"{pattern}"}}[5m]))'


def test_exact_counts_of_many_metrics_are_scaled_increases() -> None:
    asked = grouped_exact(Shape('{__name__=~"a|b"}', "service"), ["c"], 300, 15)

    assert asked == (
        'sum by (service) (increase({__name__=~"a|b",service=~"c"}[314999ms]) * 0.952383975822)'
    )


def test_indicators_that_differ_by_service_have_one_shape() -> None:
    a, b = (member(Counter(f'x{{code=~"5..",service="{name}"}}')) for name in ("a", "b"))

    assert a.shape == b.shape
    assert (a.value, b.value) == ("a", "b")


@pytest.mark.parametrize(
    "other",
    [
        'x{code="500",service="a"}',
        'y{code=~"5..",service="a"}',
        'x{code=~"5..",job="a"}',
        'x{code=~"5..",service=~"a"}',
        'sum(rate(x{code=~"5..",service="a"}[{{.window}}])) + 1',
    ],
)
def test_indicators_that_differ_elsewhere_do_not(other: str) -> None:
    first = member(Counter('x{code=~"5..",service="a"}'))

    assert member(Counter(other)).shape != first.shape


def test_shape_is_asked_once_for_all_its_members() -> None:
    shape = member(Counter('x{service="a.b",code="5\\"0"}')).shape

    query = grouped(shape, ["a.b", "c", "c"], "1h")

    assert query == ('sum by (service) (increase(x{code="5\\"0",service=~"a\\\\.b|c"}[1h]))')
    promql_parser.parse(query)


def test_shape_without_matchers_takes_one() -> None:
    query = grouped(member(Counter('x{service="a"}')).shape, ["a"], "5m")

    assert query == 'sum by (service) (increase(x{service=~"a"}[5m]))'


def test_gauge_is_counted_by_its_samples() -> None:
    good, total = samples("up", "gte", 1, "1h", "30s")

    assert good == "sum(sum_over_time(((up) >= bool 1)[1h:30s]))"
    assert total == "sum(count_over_time((up)[1h:30s]))"
    for query in (good, total):
        promql_parser.parse(query)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "sum(",
        "up + 1",
        "sum(rate(x[5m]))",
        'sum(x{a="{{.window}}"})',
        "sum(rate(x[{{.window}}])) / sum(increase(y[{{.window}}]))",
        "x offset 5m",
    ],
)
def test_query_that_does_not_count_over_the_window_is_refused(query: str) -> None:
    with pytest.raises(Wrong, match=r"indicator\.total"):
        check_counter("indicator.total", query)


@pytest.mark.parametrize(
    ("seconds", "text"), [(300, "5m"), (5400, "90m"), (90, "90s"), (86400, "1d"), (0.5, "500ms")]
)
def test_durations_are_written_and_read(seconds: float, text: str) -> None:
    assert duration_of(seconds) == text
    assert seconds_of(text) == seconds


def test_bad_events_are_counted_as_such() -> None:
    found = counters(Ratio("total", bad="failed"))

    assert found is not None
    assert found.bad
