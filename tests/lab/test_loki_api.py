"""The lab's Loki against recorded answers of Loki 3.8."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.logstore import LogStore
from lab.loki_api import respond
from tests.lab.recorded import answer_of, recording, replay

STREAM_LABELS = ("app", "container", "level", "namespace", "pod", "service_name", "stream")
START_NS = 1_795_305_000_000_000_000
SECOND = 10**9

EXACT = [
    "error_bad_direction_400",
    "error_bad_time_400",
    "error_empty_matcher_400",
    "error_empty_selector_400",
    "error_end_before_start_400",
    "error_no_query_400",
    "error_parse_400",
    "error_parse_pipe_400",
    "error_range_too_long_400",
    "error_too_many_points_400",
    "instant_log_query_400",
    "label_values_unknown",
    "labels_empty_window",
    "ready",
    "streams_limit_0",
    "streams_limit_too_big_400",
    "unknown_endpoint_404",
]
STREAMS = [
    "streams_all_apps_error",
    "streams_backward",
    "streams_boundaries",
    "streams_by_trace_id",
    "streams_detected_level_filter",
    "streams_detected_level_no_label",
    "streams_empty",
    "streams_errors",
    "streams_forward",
    "streams_json",
    "streams_json_error",
    "streams_json_level_upper",
    "streams_json_stacktrace",
    "streams_logfmt",
    "streams_not_regex",
    "streams_odd_lines",
    "streams_regex",
    "streams_rfc3339_times",
    "streams_same_ns",
    "streams_seconds_times",
    "streams_structured_metadata_by_trace_id",
    "streams_structured_metadata_filter",
]


@pytest.fixture
def store() -> LogStore:
    store = LogStore()
    for second, (app, level) in enumerate([("a", "info"), ("b", "error"), ("a", "error")] * 20):
        line = f'level={level} msg="step {second}" n={second}'
        store.append({"app": app}, START_NS + second * SECOND, line)
    return store


def ask(store: LogStore, path: str, **params: Any) -> tuple[int, str, Any]:
    return replay(respond, store, {"method": "GET", "path": path, "params": params})


def without_stats(body: dict[str, Any]) -> dict[str, Any]:
    body["data"].pop("stats", None)
    return body


@pytest.mark.parametrize("name", EXACT)
def test_answer_without_lines_equals_the_recording(name: str) -> None:
    recorded = recording("loki", name)

    assert replay(respond, LogStore(), recorded["request"]) == answer_of(recorded)


@pytest.mark.parametrize("name", STREAMS)
def test_recorded_lines_come_back_as_recorded(name: str) -> None:
    recorded = recording("loki", name)
    store = LogStore()
    for stream in recorded["response"]["body"]["data"]["result"]:
        labels = {k: v for k, v in stream["stream"].items() if k in STREAM_LABELS}
        # the frontend sends its trace ids as structured metadata
        trace_id = stream["stream"].get("trace_id") if labels["app"] == "frontend" else None
        for at_ns, line in stream["values"]:
            store.append(labels, int(at_ns), line, {"trace_id": trace_id} if trace_id else None)

    status, content_type, body = replay(respond, store, recorded["request"])

    expected = without_stats(recorded["response"]["body"])
    order = recorded["response"]["body"]["data"]["result"]
    order.sort(key=lambda stream: sorted(stream["stream"].items()))
    assert (status, content_type) == (200, "application/json; charset=UTF-8")
    assert without_stats(body) == expected


def test_keep_puts_lines_of_equal_labels_together() -> None:
    recorded = recording("loki", "streams_logfmt_keep")
    store = LogStore()
    for stream in recorded["response"]["body"]["data"]["result"]:
        labels = {k: v for k, v in stream["stream"].items() if k != "trace_id"}
        for at_ns, line in stream["values"]:
            store.append(labels, int(at_ns), line)

    _, _, body = replay(respond, store, recorded["request"])

    found = {json.dumps(s["stream"], sort_keys=True): s["values"] for s in body["data"]["result"]}
    expected = recorded["response"]["body"]["data"]["result"]
    assert found == {json.dumps(s["stream"], sort_keys=True): s["values"] for s in expected}


def test_limit_counts_lines_over_all_streams(store: LogStore) -> None:
    _, _, body = ask(store, "/loki/api/v1/query_range", query='{app=~".+"}', limit=3)

    found = [int(at) for s in body["data"]["result"] for at, _ in s["values"]]
    assert sorted(found) == [START_NS + second * SECOND for second in (57, 58, 59)]
    assert body["data"]["stats"]["summary"]["totalEntriesReturned"] == 3


def test_start_is_inclusive_and_end_exclusive(store: LogStore) -> None:
    bounds = {"start": START_NS, "end": START_NS + 3 * SECOND}

    _, _, body = ask(
        store, "/loki/api/v1/query_range", query='{app="a"}', direction="forward", **bounds
    )

    found = [int(at) - START_NS for s in body["data"]["result"] for at, _ in s["values"]]
    assert sorted(found) == [0, 2 * SECOND]


def test_metric_floors_start_and_leaves_out_empty_windows(store: LogStore) -> None:
    query = 'sum by (app) (count_over_time({app="b"}[15s]))'
    bounds = {"start": START_NS + 7 * SECOND, "end": START_NS + 95 * SECOND, "step": 15}

    _, _, body = ask(store, "/loki/api/v1/query_range", query=query, **bounds)

    start = START_NS // SECOND
    values = [[start + 15, "5"], [start + 30, "5"], [start + 45, "5"], [start + 60, "5"]]
    assert body["data"]["result"] == [{"metric": {"app": "b"}, "values": values}]


def test_instant_topk_is_sorted_by_labels(store: LogStore) -> None:
    query = 'topk(2, sum by (app, level) (count_over_time({app=~"a|b"} | logfmt [1m])))'

    _, _, body = ask(store, "/loki/api/v1/query", query=query, time=START_NS + 59 * SECOND)

    assert body["data"]["resultType"] == "vector"
    assert body["data"]["result"] == [
        {"metric": {"app": "a", "level": "error"}, "value": [1795305059, "20"]},
        {"metric": {"app": "a", "level": "info"}, "value": [1795305059, "20"]},
    ]


def test_line_that_does_not_parse_fails_a_grouped_metric(store: LogStore) -> None:
    counted = 'count_over_time({app="a"} | json [1m])'
    grouped = ask(store, "/loki/api/v1/query", query=f"sum by (app) ({counted})")
    plain = ask(store, "/loki/api/v1/query", query=f"sum({counted})")
    skipped = ask(
        store,
        "/loki/api/v1/query",
        query='sum by (app) (count_over_time({app="a"} | json | __error__="" [1m]))',
    )

    assert grouped[:2] == (400, "text/plain; charset=utf-8")
    assert grouped[2].startswith("pipeline error: 'JSONParserErr' for series: '{__error__=")
    assert plain[2]["data"]["result"] == [{"metric": {}, "value": [1795305059, "40"]}]
    assert skipped[2]["data"]["result"] == []


def test_more_than_500_series_is_refused() -> None:
    store = LogStore()
    for number in range(501):
        store.append({"app": "a"}, START_NS + number, f"id={number}")

    answer = ask(
        store,
        "/loki/api/v1/query",
        query='sum by (id) (count_over_time({app="a"} | logfmt [1m]))',
        time=START_NS + SECOND,
    )

    body = recording("loki", "error_max_series_400")["response"]["body"]
    assert answer == (400, "text/plain; charset=utf-8", body)


def test_listings_and_volume(store: LogStore) -> None:
    window = {"start": START_NS, "end": START_NS + 60 * SECOND}

    labels = ask(store, "/loki/api/v1/labels", **window)[2]
    values = ask(store, "/loki/api/v1/label/app/values", **window)[2]
    series = ask(store, "/loki/api/v1/series", **window, **{"match[]": '{app="a"}'})[2]
    volume = ask(store, "/loki/api/v1/index/volume", query='{app=~".+"}', **window)[2]

    assert labels == {"status": "success", "data": ["app", "service_name"]}
    assert values == {"status": "success", "data": ["a", "b"]}
    assert series == {"status": "success", "data": [{"app": "a", "service_name": "a"}]}
    sizes = [(found["metric"], found["value"]) for found in volume["data"]["result"]]
    assert sizes == [
        ({"app": "a"}, [1795305060, str(20 * 27 + 20 * 28 + 33 * 2)]),
        ({"app": "b"}, [1795305060, str(20 * 28 + 17 * 2)]),
    ]


@pytest.mark.parametrize(
    ("query", "construct"),
    [
        ('{app="a"} | line_format "{{.x}}"', '"| line_format"'),
        ('{app="a"} | logfmt | took > 5ms', "a label filter on a duration or size"),
        ('sum(rate({app="a"}[1m])) / 2', 'operator "/"'),
        ('quantile_over_time(0.9, {app="a"} | unwrap x [1m])', 'function "quantile_over_time"'),
        ('count_over_time({app="a"}[1m] offset 5m)', '"offset"'),
        ("1+1", "an expression of numbers or in parentheses"),
    ],
)
def test_unsupported_construct_is_400_that_says_so(query: str, construct: str) -> None:
    answer = ask(LogStore(), "/loki/api/v1/query_range", query=query)

    expected = f"parse error : {construct} is not supported by the lab"
    assert answer == (400, "text/plain; charset=utf-8", expected)


def test_patterns_are_off() -> None:
    answer = ask(LogStore(), "/loki/api/v1/patterns", query='{app="a"}')

    assert answer == (404, "text/plain; charset=utf-8", "")
