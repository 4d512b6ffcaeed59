"""PromQL by hand-worked figures; test_differential compares with a real server."""

from __future__ import annotations

import math

import pytest

from lab import promql
from lab.tsdb import Tsdb


@pytest.fixture
def tsdb() -> Tsdb:
    tsdb = Tsdb()
    for at in range(0, 101, 10):
        tsdb.append("requests_total", {"pod": "a"}, at, at * 2 % 120)
        tsdb.append("level", {"pod": "a"}, at, at)
        tsdb.append("level", {"pod": "b"}, at, 100 - at)
    return tsdb


def test_rate_spans_a_counter_reset(tsdb: Tsdb) -> None:
    # 80, 100, 0, 20, 40 at 40..80: 40 - 80 and the reset's 100 make 60 in 40 s
    assert promql.instant(tsdb, "increase(requests_total[40s])", 80) == [({"pod": "a"}, 60.0)]
    assert promql.instant(tsdb, "rate(requests_total[40s])", 80) == [({"pod": "a"}, 1.5)]


def test_window_is_closed_on_both_sides(tsdb: Tsdb) -> None:
    assert promql.instant(tsdb, "count_over_time(level{pod='a'}[20s])", 50) == [({"pod": "a"}, 3.0)]


def test_lookback_is_five_minutes_and_closed(tsdb: Tsdb) -> None:
    assert promql.instant(tsdb, "requests_total", 400) == [
        ({"__name__": "requests_total", "pod": "a"}, 80.0)
    ]
    assert promql.instant(tsdb, "requests_total", 400.001) == []


def test_stale_series_leaves_at_once_and_its_marker_is_no_sample(tsdb: Tsdb) -> None:
    tsdb.mark_stale("level", {"pod": "a"}, 110)

    assert promql.instant(tsdb, "sum by (pod) (level)", 109) == [
        ({"pod": "a"}, 100.0),
        ({"pod": "b"}, 0.0),
    ]
    assert promql.instant(tsdb, "sum by (pod) (level)", 110) == [({"pod": "b"}, 0.0)]
    assert promql.instant(tsdb, "count_over_time(level{pod='a'}[20s])", 110) == [
        ({"pod": "a"}, 2.0)
    ]


def test_range_query_has_holes_and_sorted_series(tsdb: Tsdb) -> None:
    found = promql.range_query(tsdb, "sum by (pod) (level) > 60", 0, 100, 50)

    assert found == [({"pod": "a"}, [(100.0, 100.0)]), ({"pod": "b"}, [(0.0, 100.0)])]


def test_scalar_answers_without_labels(tsdb: Tsdb) -> None:
    assert promql.instant(tsdb, "scalar(requests_total) / 0", 10) == [({}, math.inf)]
    assert promql.range_query(tsdb, "time()", 1, 2, 1) == [({}, [(1.0, 1.0), (2.0, 2.0)])]


def test_zero_fill_makes_one_series_of_both_sides(tsdb: Tsdb) -> None:
    query = "sum by (pod) (level > 60) or sum by (pod) (level) * 0"

    assert promql.range_query(tsdb, query, 50, 80, 30) == [
        ({"pod": "a"}, [(50.0, 0.0), (80.0, 80.0)]),
        ({"pod": "b"}, [(50.0, 0.0), (80.0, 0.0)]),
    ]


def test_subquery_steps_are_multiples_of_its_step(tsdb: Tsdb) -> None:
    # at 30, 45, 60 and 75, each with the newest sample before it
    assert promql.instant(tsdb, "sum_over_time(level{pod='a'}[50s:15s])", 79) == [
        ({"pod": "a"}, 30.0 + 40.0 + 60.0 + 70.0)
    ]


def test_subquery_of_a_condition_counts_its_samples(tsdb: Tsdb) -> None:
    share = "sum_over_time((level < bool 50)[1m:10s]) / count_over_time(level[1m:10s])"

    assert promql.instant(tsdb, share, 100) == [({"pod": "a"}, 1 / 7), ({"pod": "b"}, 5 / 7)]


def test_subquery_of_too_many_steps_fails(tsdb: Tsdb) -> None:
    with pytest.raises(promql.ExecutionError, match="too many samples"):
        promql.instant(tsdb, "max_over_time(level[30d:1s])", 100)


@pytest.mark.parametrize(
    ("query", "construct"),
    [
        ("predict_linear(level[5m], 60)", 'function "predict_linear"'),
        ('count_values("v", level)', 'aggregation "count_values"'),
        ("level @ end()", '"@ end()"'),
        ("limitk(1, level)", 'aggregation "limitk"'),
        ("hour()", 'function "hour"'),
        ('{pod="a" or pod="b"}', '"or" between matchers'),
        ('level{pod=~"[[:alpha:]]"}', "a regular expression in the selector"),
    ],
)
def test_unsupported_construct_is_refused_by_name(tsdb: Tsdb, query: str, construct: str) -> None:
    with pytest.raises(promql.Unsupported) as refused:
        promql.instant(tsdb, query, 50)

    assert str(refused.value) == f"{construct} is not supported by the lab"


@pytest.mark.parametrize("query", ["sum(", "rate(level)", "", "nope(level)", "level[5m]", "1 > 2"])
def test_malformed_query_is_bad(tsdb: Tsdb, query: str) -> None:
    with pytest.raises(promql.BadQuery):
        promql.instant(tsdb, query, 50)


def test_backwards_range_is_refused(tsdb: Tsdb) -> None:
    with pytest.raises(ValueError, match="end must not be before start"):
        promql.range_query(tsdb, "level", 10, 5, 1)
