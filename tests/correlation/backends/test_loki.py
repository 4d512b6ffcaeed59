from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from correlation.backends.loki import LokiClient
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from tests.correlation.backends.recorded import BASE, names, recording, replay

RANGE = "/loki/api/v1/query_range"
RECORDED = names("loki", "streams_", "otlp_streams", "by_trace", "tenant_other", "error_", "auth_")
STREAMS = [
    n
    for n in RECORDED
    if recording("loki", n)["response"]["status"] == 200
    and recording("loki", n)["request"]["path"] == RANGE
]
REFUSED = [
    n
    for n in RECORDED
    if recording("loki", n)["response"]["status"] != 200
    and recording("loki", n)["request"]["path"] == RANGE
]


def make_client(**options: Any) -> LokiClient:
    return LokiClient(BASE["loki"], **{"retries": 0, **options})


def ask(client: LokiClient, record: dict[str, Any]) -> Any:
    params = record["request"]["params"]
    return client.lines(
        params.get("query", ""),
        1795305000,
        1795306500,
        Deadline(5),
        limit=params.get("limit", 100),
        direction=params.get("direction", "backward"),
    )


def answer_streams(*streams: Any) -> None:
    body = {"status": "success", "data": {"resultType": "streams", "result": list(streams)}}
    responses.get(BASE["loki"] + RANGE, json=body)


@responses.activate
@pytest.mark.parametrize("name", STREAMS)
def test_lines_are_merged_in_time_order(name: str) -> None:
    record = replay("loki", name)

    answer = ask(make_client(), record)

    streams = record["response"]["body"]["data"]["result"]
    sent = sorted((int(value[0]), value[1]) for stream in streams for value in stream["values"])
    assert [line.at for line in answer.lines] == [at / 1e9 for at, _ in sent]
    assert sorted(line.message for line in answer.lines) == sorted(text for _, text in sent)
    assert answer.truncated == (len(sent) >= record["request"]["params"].get("limit", 100))


@responses.activate
@pytest.mark.parametrize("name", REFUSED)
def test_lines_refused_in_plain_text_give_the_reason(name: str) -> None:
    record = replay("loki", name)

    with pytest.raises(BackendError) as caught:
        ask(make_client(), record)

    said = " ".join(record["response"]["body"].split())
    assert caught.value.status == record["response"]["status"]
    assert said[:100] in caught.value.detail


@responses.activate
@pytest.mark.parametrize(
    ("name", "service", "level", "trace_id"),
    [
        ("streams_categorize_structured", "frontend", "error", "c3e8ece4183c6fe8ebb98b26bf2fa41d"),
        ("otlp_streams_categorize", "notification", "error", "c3e8ece4183c6fe8ebb98b26bf2fa41d"),
        ("otlp_streams", "notification", "info", "c3e8ece4183c6fe8ebb98b26bf2fa41d"),
        ("streams_detected_level_no_label", "postgres", "", ""),
        (
            "streams_json_level_upper",
            "payment-processing",
            "error",
            "712c67257d5b9ed32e36a1203e7b00fe",
        ),
    ],
)
def test_lines_carry_service_level_and_trace(
    name: str, service: str, level: str, trace_id: str
) -> None:
    record = replay("loki", name)

    line = ask(make_client(), record).lines[-1]

    assert (line.service, line.level, line.trace_id) == (service, level, trace_id)


@responses.activate
def test_lines_find_the_trace_id_in_the_text() -> None:
    record = replay("loki", "streams_backward")

    line = ask(make_client(), record).lines[-1]

    assert line.trace_id == "ee3693dde7436fab60a99f82e8ea48dc"


@responses.activate
def test_lines_use_the_labels_the_caller_names() -> None:
    answer_streams({"stream": {"app": "a", "team": "b", "sev": "WARN"}, "values": [["1", "x"]]})
    client = make_client(service_labels=("team",), level_labels=("sev",))

    line = client.lines("{}", 0, 1, Deadline(5)).lines[0]

    assert (line.service, line.level) == ("b", "warn")


@responses.activate
def test_lines_of_one_instant_keep_the_order_of_their_stream() -> None:
    answer_streams({"stream": {"app": "a"}, "values": [["5", "second"], ["5", "first"]]})

    lines = make_client().lines("{}", 0, 1, Deadline(5), direction="backward").lines

    assert [line.message for line in lines] == ["first", "second"]


@responses.activate
def test_lines_lose_nul_characters() -> None:
    answer_streams({"stream": {"app": "a\x00"}, "values": [["5", "x\x00y"]]})

    line = make_client().lines("{}", 0, 1, Deadline(5)).lines[0]

    assert (line.service, line.message) == ("a", "xy")


@responses.activate
def test_lines_are_asked_in_nanoseconds_with_tenant_and_encoding() -> None:
    answer_streams()

    make_client(tenant="team-a").lines(
        '{app="x"}', 1795305000.25, 1795306500, Deadline(5), limit=7, direction="forward"
    )

    sent = responses.calls[0].request
    assert parse_qs(urlsplit(str(sent.url)).query) == {
        "query": ['{app="x"}'],
        "start": ["1795305000250000000"],
        "end": ["1795306500000000000"],
        "limit": ["7"],
        "direction": ["forward"],
    }
    assert sent.headers["X-Scope-OrgID"] == "team-a"
    assert sent.headers["X-Loki-Response-Encoding-Flags"] == "categorize-labels"


BROKEN = {
    "values missing": {"stream": {}},
    "labels missing": {"values": []},
    "entry not a list": {"stream": {}, "values": ["x"]},
    "time a number": {"stream": {}, "values": [[5, "x"]]},
    "time not digits": {"stream": {}, "values": [["-5", "x"]]},
    "line not text": {"stream": {}, "values": [["5", None]]},
    "metadata not an object": {"stream": {}, "values": [["5", "x", []]]},
    "not an object": 5,
}


@responses.activate
@pytest.mark.parametrize("stream", BROKEN.values(), ids=BROKEN.keys())
def test_lines_of_another_shape_are_refused(stream: Any) -> None:
    answer_streams(stream)

    with pytest.raises(BackendError) as caught:
        make_client().lines("{}", 0, 1, Deadline(5))

    assert caught.value.kind == "bad_body"


@responses.activate
@pytest.mark.parametrize("name", names("loki", "matrix_", "vector_"))
def test_metric_query_keeps_every_recorded_sample(name: str) -> None:
    record = replay("loki", name)
    client = make_client()
    query = record["request"]["params"]["query"]

    if record["request"]["path"] == RANGE:
        answer = client.query_range(query, 1795305000, 1795306500, 60, Deadline(5))
    else:
        answer = client.query(query, 1795306500, Deadline(5))

    data = record["response"]["body"]["data"]
    samples = [p for row in data["result"] for p in row.get("values", [row.get("value")])]
    kept = [(t, v) for s in answer.series for t, v in zip(s.times, s.values, strict=True)]
    assert kept == [(float(t), float(v)) for t, v in samples]
    assert answer.result_type == data["resultType"]


@responses.activate
def test_metric_query_of_a_log_query_is_refused_with_the_reason() -> None:
    replay("loki", "instant_log_query_400")

    with pytest.raises(BackendError) as caught:
        make_client().query('{app="x"}', 1795306500, Deadline(5))

    assert caught.value.detail.startswith("answered 400 (bad request): log queries are not")


@responses.activate
@pytest.mark.parametrize("name", ["labels", "labels_empty_window"])
def test_labels_without_data_are_no_labels(name: str) -> None:
    record = replay("loki", name)

    labels = make_client().labels(Deadline(5), start=1795305000, end=1795306500)

    assert labels == tuple(record["response"]["body"].get("data", []))


@responses.activate
@pytest.mark.parametrize("name", names("loki", "label_values"))
def test_label_values_without_data_are_no_values(name: str) -> None:
    record = replay("loki", name)
    label = record["request"]["path"].split("/")[-2]

    values = make_client().label_values(label, Deadline(5))

    assert values == tuple(record["response"]["body"].get("data", []))


@responses.activate
@pytest.mark.parametrize(("name", "ready"), [("ready", True), ("ready_503_starting", False)])
def test_ready_is_false_while_the_server_starts(name: str, ready: bool) -> None:
    replay("loki", name)

    assert make_client().ready(Deadline(5)) is ready


@responses.activate
def test_scalar_carries_its_time_in_seconds_though_sent_in_milliseconds() -> None:
    replay("loki", "scalar")

    (found,) = make_client().query("1+1", 1795306500, Deadline(5)).series

    assert (found.times.tolist(), found.values.tolist()) == ([1795306500.0], [2.0])


@responses.activate
@pytest.mark.parametrize("name", ["series", "otlp_labels"])
def test_series_are_the_label_sets_of_the_streams(name: str) -> None:
    record = replay("loki", name)

    found = make_client().series(["{app='x'}"], Deadline(5), start=1795305000, end=1795306500)

    assert found == tuple(record["response"]["body"]["data"])
    sent = parse_qs(urlsplit(str(responses.calls[0].request.url)).query)
    assert sent["match[]"] == ["{app='x'}"]


@responses.activate
def test_volume_is_bytes_by_label() -> None:
    replay("loki", "volume")

    found = make_client().volume("{}", 1795305000, 1795306500, Deadline(5), by=("app",))

    assert found is not None
    assert [(v.labels["app"], v.values.tolist()) for v in found] == [
        ("payment-processing", [305315.0]),
        ("frontend", [231741.0]),
        ("checkout", [148798.0]),
        ("postgres", [5007.0]),
    ]


@responses.activate
def test_volume_is_none_where_the_server_has_it_off() -> None:
    replay("loki", "volume_disabled")

    assert make_client().volume("{}", 1795305000, 1795306500, Deadline(5)) is None


@responses.activate
@pytest.mark.parametrize(
    ("name", "texts", "lines"),
    [
        ("patterns_error", 2, 1247),
        ("patterns_empty", 0, 0),
        ("patterns_json_app", 0, 0),
        ("patterns_disabled", 0, 0),
    ],
)
def test_patterns_count_lines_or_are_not_there(name: str, texts: int, lines: int) -> None:
    replay("loki", name)

    found = make_client().patterns("{}", 1795305000, 1795306500, 300, Deadline(5))

    assert (len(found), sum(n for one in found for _, n in one.counts)) == (texts, lines)


@responses.activate
def test_patterns_carry_level_and_the_start_of_each_bucket() -> None:
    replay("loki", "patterns_error")

    first = make_client().patterns("{}", 1795305000, 1795306500, 300, Deadline(5))[0]

    assert (first.level, first.step_seconds) == ("error", 300)
    assert first.counts == ((1795305900.0, 528), (1795306200.0, 604))


@responses.activate
def test_patterns_of_more_than_a_selector_are_refused_with_the_reason() -> None:
    replay("loki", "patterns_bad_query_400")

    with pytest.raises(BackendError) as caught:
        make_client().patterns("sum(x)", 0, 1, 10, Deadline(5))

    assert caught.value.detail.endswith(": only label matchers are supported")


ODD_PATTERNS = {
    "no list": {},
    "no samples": [{"pattern": "x"}],
    "no text": [{"samples": []}],
    "samples are text": [{"pattern": "x", "samples": [["1", "2"]]}],
    "item is text": ["x"],
}


@responses.activate
@pytest.mark.parametrize("data", ODD_PATTERNS.values(), ids=ODD_PATTERNS.keys())
def test_patterns_of_another_shape_are_refused(data: Any) -> None:
    body = {"status": "success", "data": data or {"x": 1}}
    responses.get(BASE["loki"] + "/loki/api/v1/patterns", json=body)

    with pytest.raises(BackendError) as caught:
        make_client().patterns("{}", 0, 1, 10, Deadline(5))

    assert caught.value.kind == "bad_body"


@responses.activate
def test_version_is_empty_where_the_build_does_not_say() -> None:
    replay("loki", "buildinfo")

    assert make_client().version(Deadline(5)) == ""


@responses.activate
def test_lines_of_mixed_streams_are_read_by_the_labels_given() -> None:
    answer_streams({"stream": {"app": "a", "team": "b"}, "values": [["1", "x"]]})

    line = make_client().reading(("team",), ()).lines("{}", 0, 1, Deadline(5)).lines[0]

    assert (line.service, line.level) == ("b", "")


@responses.activate
@pytest.mark.parametrize("name", ["unknown_endpoint_404", "push_too_old_400", "push_bad_json_400"])
def test_refusals_in_plain_text_are_told(name: str) -> None:
    record = replay("loki", name)
    request = record["request"]

    answer = make_client().http.fetch(request["method"], request["path"], {}, Deadline(5))

    assert answer.status == record["response"]["status"]
    assert answer.body.decode() == record["response"]["body"]
