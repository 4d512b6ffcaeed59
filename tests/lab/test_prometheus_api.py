"""The lab's Prometheus against recorded answers of Prometheus 2.42."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.prometheus_api import respond
from lab.tsdb import Tsdb
from tests.lab.recorded import answer_of, recording, replay

EXACT = [
    "label_values_bad_name_400",
    "label_values_unknown",
    "query_absent",
    "query_bad_no_range_400",
    "query_bad_parse_400",
    "query_bad_time_400",
    "query_empty",
    "query_inf",
    "query_missing_query_400",
    "query_post_form",
    "query_stale_instance_gone",
    "query_string",
    "query_timeout_bad_400",
    "query_timeout_ok",
    "range_empty",
    "range_end_before_start_400",
    "range_instant_only_400",
    "range_no_step_400",
    "range_too_many_points_400",
    "range_zero_step_400",
    "ready",
    "series_no_match_400",
    "unknown_endpoint_404",
]


@pytest.fixture
def tsdb() -> Tsdb:
    tsdb = Tsdb()
    for at in range(0, 31, 10):
        tsdb.append("level", {"pod": "b"}, at + 0.25, float("nan") if at == 10 else at / 3)
        tsdb.append("level", {"pod": "a"}, at + 0.25, 1e-7)
    tsdb.describe("level", "gauge", "How full it is.")
    return tsdb


def ask(tsdb: Tsdb, path: str, method: str = "GET", **params: Any) -> tuple[int, str, Any]:
    return replay(respond, tsdb, {"method": method, "path": path, "params": params})


@pytest.mark.parametrize("name", EXACT)
def test_answer_without_samples_equals_the_recording(name: str) -> None:
    recorded = recording("prometheus", name)

    assert replay(respond, Tsdb(), recorded["request"]) == answer_of(recorded)


@pytest.mark.parametrize("name", ["query_matrix_instant", "query_lookback_ghost"])
def test_recorded_samples_come_back_as_recorded(name: str) -> None:
    recorded = recording("prometheus", name)
    data = recorded["response"]["body"]["data"]
    tsdb = Tsdb()
    for series in data["result"]:
        labels = {k: v for k, v in series["metric"].items() if k != "__name__"}
        for at, value in series.get("values") or [series["value"]]:
            tsdb.append(
                recorded["request"]["params"]["query"].split("{")[0], labels, at, float(value)
            )

    answer = replay(respond, tsdb, recorded["request"])

    assert answer == answer_of(recorded)


def test_numbers_are_written_as_prometheus_writes_them(tsdb: Tsdb) -> None:
    status, content_type, body = respond(
        tsdb,
        "GET",
        "/api/v1/query_range",
        {"query": ["level"], "start": ["0.25"], "end": ["20.25"], "step": ["10"]},
    )

    series = [
        '{"metric":{"__name__":"level","pod":"a"},'
        '"values":[[0.25,"1e-07"],[10.25,"1e-07"],[20.25,"1e-07"]]}',
        '{"metric":{"__name__":"level","pod":"b"},'
        '"values":[[0.25,"0"],[10.25,"NaN"],[20.25,"6.666666666666667"]]}',
    ]
    data = f'{{"resultType":"matrix","result":[{",".join(series)}]}}'
    assert (status, content_type) == (200, "application/json")
    assert body.decode() == f'{{"status":"success","data":{data}}}'


def test_query_without_time_answers_for_the_newest_moment(tsdb: Tsdb) -> None:
    _, _, body = ask(tsdb, "/api/v1/query", query="scalar(level{pod='b'})")

    assert body["data"] == {"resultType": "scalar", "result": [30.25, "10"]}


def test_times_may_be_rfc3339_and_steps_durations(tsdb: Tsdb) -> None:
    asked = {"query": "time()", "start": "1970-01-01T00:00:01.5Z", "end": "2.5", "step": "1s"}

    _, _, body = ask(tsdb, "/api/v1/query_range", method="POST", **asked)

    assert body["data"]["result"] == [{"metric": {}, "values": [[1.5, "1.5"], [2.5, "2.5"]]}]


def test_unsupported_function_is_bad_data_that_says_so(tsdb: Tsdb) -> None:
    answer = ask(tsdb, "/api/v1/query", query="predict_linear(level[1m], 5)")

    error = 'invalid parameter "query": function "predict_linear" is not supported by the lab'
    expected = {"status": "error", "errorType": "bad_data", "error": error}
    assert answer == (400, "application/json", expected)


def test_many_to_many_match_is_an_execution_error(tsdb: Tsdb) -> None:
    status, _, body = ask(tsdb, "/api/v1/query", query="level / on() level")

    assert (status, body["errorType"]) == (422, "execution")
    assert body["error"].startswith("found duplicate series for the match group {} on the right")


def test_listings_metadata_and_buildinfo(tsdb: Tsdb) -> None:
    described = {"level": [{"type": "gauge", "help": "How full it is.", "unit": ""}]}

    assert ask(tsdb, "/api/v1/labels")[2]["data"] == ["__name__", "pod"]
    assert ask(tsdb, "/api/v1/label/pod/values")[2]["data"] == ["a", "b"]
    assert ask(tsdb, "/api/v1/series", **{"match[]": ['level{pod="a"}', "nope"]})[2]["data"] == [
        {"__name__": "level", "pod": "a"}
    ]
    assert ask(tsdb, "/api/v1/metadata")[2]["data"] == described
    assert ask(tsdb, "/api/v1/metadata", metric="nope")[2]["data"] == {}
    assert ask(tsdb, "/api/v1/status/buildinfo")[2]["data"]["version"] == "2.42.0-lab"


def test_every_answer_is_json_that_a_strict_reader_takes(tsdb: Tsdb) -> None:
    _, _, body = respond(tsdb, "GET", "/api/v1/query", {"query": ["1/0"], "time": ["1"]})

    assert json.loads(body)["data"]["result"] == [1, "+Inf"]
