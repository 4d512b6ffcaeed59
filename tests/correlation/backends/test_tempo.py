from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from correlation.backends.tempo import TempoClient
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from tests.correlation.backends.recorded import BASE, names, recording, replay

SEARCH = "/api/search"
RANGE = "/api/metrics/query_range"
FAILED = "c3e8ece4183c6fe8ebb98b26bf2fa41d"
FINE = "0c5c7fd0a6a3a4506513270e269e0d37"
START, END = 1795305000, 1795306500


def is_ok(name: str, path: str) -> bool:
    record = recording("tempo", name)
    return record["response"]["status"] == 200 and record["request"]["path"] == path


def is_refused(name: str) -> bool:
    record = recording("tempo", name)
    asked = record["request"]["path"].startswith((SEARCH, "/api/metrics"))
    return asked and record["response"]["status"] >= 400


RECORDED = names("tempo", "")
SEARCHES = [name for name in RECORDED if is_ok(name, SEARCH)]
RANGES = [name for name in RECORDED if is_ok(name, RANGE)]
INSTANTS = [name for name in RECORDED if is_ok(name, "/api/metrics/query")]
REFUSED = [name for name in RECORDED if is_refused(name)]


def make_client(**options: Any) -> TempoClient:
    return TempoClient(BASE["tempo"], **{"retries": 0, **options})


def sent(call: int = 0) -> dict[str, list[str]]:
    return parse_qs(urlsplit(str(responses.calls[call].request.url)).query)


def answer(path: str, body: Any, status: int = 200) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    responses.get(BASE["tempo"] + path, body=text, status=status)


@responses.activate
@pytest.mark.parametrize("name", SEARCHES)
def test_search_reads_every_trace_with_its_spans(name: str) -> None:
    record = replay("tempo", name)
    limit = int(record["request"]["params"].get("limit", 20))

    found = make_client().search("{}", START, END, Deadline(5), limit=limit)

    raw = record["response"]["body"]["traces"]
    sets = [one.get("spanSets", []) for one in raw]
    ids = [[{s["spanID"] for part in parts for s in part["spans"]}] for parts in sets]
    assert [t.trace_id for t in found.traces] == [t["traceID"].zfill(32) for t in raw]
    assert [[{span.span_id for span in t.spans}] for t in found.traces] == ids
    assert [t.matched for t in found.traces] == [sum(p["matched"] for p in s) for s in sets]
    assert found.truncated == (len(raw) >= limit)
    assert found.partial == ""


@responses.activate
def test_search_pads_the_ids_whose_leading_zeros_tempo_drops() -> None:
    replay("tempo", "search_slow")

    found = make_client().search("{}", START, END, Deadline(5), limit=10)

    assert found.traces[0].trace_id == "51ed96bf661fbd949d1b07df567fc29".zfill(32)
    assert {len(trace.trace_id) for trace in found.traces} == {32}


@responses.activate
def test_search_gives_names_attributes_and_durations_of_spans() -> None:
    replay("tempo", "search_select")

    trace = make_client().search("{}", START, END, Deadline(5)).traces[0]

    assert (trace.root_service, trace.root_name, trace.seconds) == (
        "frontend",
        "POST /checkout",
        5.065,
    )
    span = trace.spans[0]
    assert (span.name, span.seconds) == ("db.pool.acquire", 5003824640 / 1e9)
    assert span.attributes["db.pool.max"] == "10"
    assert span.attributes["statusMessage"] == "timed out after 5000ms"


@responses.activate
def test_search_is_asked_in_whole_seconds_with_tenant_limit_and_spans() -> None:
    replay("tempo", "search_empty")
    client = make_client(tenant="team-a")

    found = client.search("{ q }", START + 0.6, END - 0.6, Deadline(5), limit=7, spans=9)

    assert found.traces == ()
    assert sent() == {
        "q": ["{ q }"],
        "start": [str(START)],
        "end": [str(END)],
        "limit": ["7"],
        "spss": ["9"],
    }
    assert responses.calls[0].request.headers["X-Scope-OrgID"] == "team-a"


@responses.activate
def test_search_says_when_part_of_the_store_was_not_searched() -> None:
    answer(SEARCH, {"traces": [], "metrics": {"completedJobs": 3, "totalJobs": 5}})

    found = make_client().search("{}", START, END, Deadline(5))

    assert found.partial == "only 3 of 5 parts of the trace store were searched"


@responses.activate
@pytest.mark.parametrize("name", REFUSED)
def test_refusals_in_plain_text_give_the_reason(name: str) -> None:
    record = replay("tempo", name)
    client, deadline = make_client(), Deadline(5)
    asks = {
        SEARCH: lambda: client.search("{}", START, END, deadline),
        RANGE: lambda: client.metrics("{} | rate()", START, END, 60, deadline),
    }

    with pytest.raises(BackendError) as caught:
        asks[record["request"]["path"]]()

    said = " ".join(record["response"]["body"].split())
    assert caught.value.status == record["response"]["status"]
    assert said[:100] in caught.value.detail


@responses.activate
@pytest.mark.parametrize(
    ("name", "trace_id"),
    [
        ("trace_failed_v2", FAILED),
        ("trace_v2_json_accept", FAILED),
        ("trace_ok_v2", FINE),
        ("trace_failed_v1", FAILED),
        ("trace_ok_v1", FINE),
    ],
)
def test_trace_reads_both_shapes_alike(name: str, trace_id: str) -> None:
    if "v1" in name:
        answer(f"/api/v2/traces/{trace_id}", "404 page not found", 404)
    replay("tempo", name)

    spans = make_client().trace(trace_id, Deadline(5)).spans

    assert spans is not None
    assert {span.trace_id for span in spans} == {trace_id}
    assert {len(span.span_id) for span in spans} == {16}
    assert [span.name for span in spans if not span.parent_id] == ["POST /checkout"]
    ids = {span.span_id for span in spans}
    assert all(span.parent_id in ids for span in spans if span.parent_id)


@responses.activate
def test_trace_reads_kind_status_message_exception_and_numbers() -> None:
    replay("tempo", "trace_failed_v2")

    spans = make_client().trace(FAILED, Deadline(5)).spans or ()

    by_name = {span.name: span for span in spans}
    acquire, charge = by_name["db.pool.acquire"], by_name["POST /v1/charges"]
    assert (acquire.kind, acquire.failed, acquire.message) == (
        "internal",
        True,
        "timed out after 5000ms",
    )
    assert acquire.exception == (
        "com.example.payments.pool.PoolExhaustedException: "
        "connection pool exhausted: payments (10/10 in use)"
    )
    assert acquire.span_id == "46006fddc2f7201a"
    assert (charge.kind, charge.service) == ("server", "payment-processing")
    assert charge.attributes["http.response.status_code"] == "503"
    assert charge.resource["service.version"] == "v2.4.1"
    assert not by_name["validate cart"].failed


@responses.activate
@pytest.mark.parametrize("name", ["trace_v2_not_found", "trace_v2_outside_window"])
def test_trace_not_found_is_none(name: str) -> None:
    record = replay("tempo", name)
    trace_id = record["request"]["path"].rpartition("/")[2]

    found = make_client().trace(trace_id, Deadline(5))

    assert (found.spans, found.requests) == (None, 1)


@responses.activate
@pytest.mark.parametrize("name", ["trace_v1_not_found_404", "trace_v1_outside_window_404"])
def test_trace_not_found_by_an_old_server_is_none(name: str) -> None:
    record = recording("tempo", name)
    trace_id = record["request"]["path"].rpartition("/")[2]
    answer(f"/api/v2/traces/{trace_id}", "404 page not found", 404)
    replay("tempo", name)

    found = make_client().trace(trace_id, Deadline(5))

    assert (found.spans, found.requests) == (None, 2)


@responses.activate
def test_trace_asks_an_old_server_by_v1_from_then_on() -> None:
    answer(f"/api/v2/traces/{FAILED}", "404 page not found", 404)
    replay("tempo", "trace_failed_v1")
    client = make_client()

    requests = [client.trace(FAILED, Deadline(5)).requests for _ in range(2)]

    assert requests == [2, 1]


@responses.activate
def test_trace_takes_a_short_id_and_its_time() -> None:
    answer("/api/v2/traces/" + "abc123".zfill(32), {"trace": {}})

    make_client().trace("ABC123", Deadline(5), start=START + 0.5, end=END)

    assert sent() == {"start": [str(START)], "end": [str(END)]}


@responses.activate
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_trace_with_a_bad_id_is_refused_with_the_reason(version: str) -> None:
    record = recording("tempo", f"trace_{version}_bad_id_400")
    path = "/api/v2/traces/" if version == "v2" else "/api/traces/"
    if version == "v1":
        answer("/api/v2/traces/" + "ab".zfill(32), "404 page not found", 404)
    answer(path + "ab".zfill(32), record["response"]["body"], 400)

    with pytest.raises(BackendError, match="trace IDs can only contain hex characters"):
        make_client().trace("ab", Deadline(5))


@responses.activate
def test_trace_in_part_says_so() -> None:
    record = recording("tempo", "trace_failed_v2")["response"]["body"]
    body = {**record, "status": "PARTIAL", "message": "trace exceeds max size"}
    answer(f"/api/v2/traces/{FAILED}", body)

    found = make_client().trace(FAILED, Deadline(5))

    assert found.partial == "a trace came in part: trace exceeds max size"


@responses.activate
def test_trace_reads_enums_by_number_and_ids_in_hex() -> None:
    span = {
        "traceId": "ab",
        "spanId": "0A",
        "kind": 3,
        "status": {"code": 2},
        "startTimeUnixNano": 1_000_000_000,
        "endTimeUnixNano": "3500000000",
        "attributes": [
            {"key": "ok", "value": {"boolValue": True}},
            {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "a"}]}}},
            {"key": "none", "value": {}},
        ],
    }
    answer("/api/v2/traces/" + "ab".zfill(32), {"batches": [{"scopeSpans": [{"spans": [span]}]}]})

    read = (make_client().trace("ab", Deadline(5)).spans or ())[0]

    assert (read.trace_id, read.span_id) == ("ab".zfill(32), "0a".zfill(16))
    assert (read.kind, read.failed, read.start, read.seconds) == ("client", True, 1.0, 2.5)
    assert dict(read.attributes) == {"ok": "true", "list": "a", "none": ""}


@responses.activate
@pytest.mark.parametrize("name", RANGES)
def test_metrics_read_every_series_with_zeros_where_there_is_no_value(name: str) -> None:
    record = replay("tempo", name)

    found = make_client().metrics("{} | rate()", START, END, 60, Deadline(5))

    raw = record["response"]["body"]["series"]
    values = [[sample.get("value", 0) for sample in one["samples"]] for one in raw]
    times = [[int(sample["timestampMs"]) / 1e3 for sample in one["samples"]] for one in raw]
    assert [one.values.tolist() for one in found.series] == values
    assert [one.times.tolist() for one in found.series] == times
    assert found.dropped == 0


@responses.activate
@pytest.mark.parametrize("name", INSTANTS)
def test_metrics_at_an_instant_give_one_value_a_series(name: str) -> None:
    record = replay("tempo", name)

    found = make_client().metrics_at("{} | rate()", START, END, Deadline(5))

    raw = record["response"]["body"]["series"]
    assert [one.values.tolist() for one in found.series] == [[one["value"]] for one in raw]


@responses.activate
def test_metrics_labels_are_text_whatever_their_type() -> None:
    replay("tempo", "metrics_quantile")

    found = make_client().metrics("{} | q", START, END, 60, Deadline(5))

    assert [one.labels for one in found.series] == [{"p": "0.5"}, {"p": "0.99"}]


@responses.activate
def test_metrics_leave_out_and_count_what_is_not_finite() -> None:
    samples = [{"timestampMs": "2000", "value": "NaN"}, {"timestampMs": "1000", "value": 3}]
    answer(RANGE, {"series": [{"labels": [], "samples": samples}]})

    found = make_client().metrics("{} | q", 0, 2, 1, Deadline(5))

    assert (found.series[0].times.tolist(), found.dropped) == ([1.0], 1)


@responses.activate
@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("tag_values_v2_service", "resource.service.name"),
        ("tag_values_v2_filtered", "name"),
        ("tag_values_v2_int", "span.http.response.status_code"),
        ("tag_values_v2_status", "status"),
        ("tag_values_v2_unknown", "span.nope"),
    ],
)
def test_tag_values_are_sorted_texts(name: str, tag: str) -> None:
    record = replay("tempo", name)

    values = make_client().tag_values(tag, Deadline(5), start=START, end=END, query="{}")

    assert values == tuple(sorted(v["value"] for v in record["response"]["body"]["tagValues"]))


@responses.activate
def test_tag_values_of_recent_data_are_read_too() -> None:
    body = recording("tempo", "tag_values_v2_status_recent")["response"]["body"]
    answer("/api/v2/search/tag/status/values", body)

    assert make_client().tag_values("status", Deadline(5)) == ("error", "ok", "unset")


@responses.activate
def test_tag_values_of_an_old_server_come_by_v1() -> None:
    answer("/api/v2/search/tag/resource.service.name/values", "404 page not found", 404)
    replay("tempo", "tag_values_v1")

    values = make_client().tag_values("resource.service.name", Deadline(5), start=START, end=END)

    assert values == ("checkout", "frontend", "payment-processing", "postgres")


@responses.activate
def test_version_may_be_empty() -> None:
    replay("tempo", "buildinfo")

    assert make_client().version(Deadline(5)) == ""


@responses.activate
def test_ready_and_echo_tell_whether_it_answers() -> None:
    replay("tempo", "ready")
    replay("tempo", "echo")
    client = make_client()

    assert (client.ready(Deadline(5)), client.answers(Deadline(5))) == (True, True)


@responses.activate
def test_ready_is_false_while_the_server_stops() -> None:
    replay("tempo", "ready_503_stopping")

    assert not make_client().ready(Deadline(5))


@responses.activate
@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"traces": {}},
        {"traces": [1]},
        {"traces": [{"traceID": 5}]},
        {"traces": [{"traceID": "zz!"}]},
        {"traces": [{"traceID": "1" * 33}]},
        {"traces": [{"traceID": "1", "spanSets": {}}]},
        {"traces": [{"traceID": "1", "spanSets": [{"spans": [{"spanID": ""}]}]}]},
        {"traces": [{"traceID": "1", "startTimeUnixNano": "soon"}]},
        {"traces": [{"traceID": "1", "durationMs": True}]},
        {"traces": [{"traceID": "1", "rootServiceName": 3}]},
    ],
    ids=json.dumps,
)
def test_search_refuses_what_is_not_its_shape(body: Any) -> None:
    answer(SEARCH, body)

    with pytest.raises(BackendError) as caught:
        make_client().search("{}", START, END, Deadline(5))

    assert caught.value.kind == "bad_body"


@responses.activate
@pytest.mark.parametrize(
    "body",
    [
        [],
        {"trace": []},
        {"trace": {"spans": []}},
        {"hello": "world"},
        {"batches": {}},
        {"batches": [1]},
        {"batches": [{"resource": []}]},
        {"batches": [{"resource": {"attributes": {}}}]},
        {"batches": [{"resource": {"attributes": [{"value": 1}]}}]},
        {"batches": [{"scopeSpans": [{"spans": [{"traceId": "1"}]}]}]},
        {"batches": [{"scopeSpans": [{"spans": [{"traceId": "1", "spanId": "1", "name": 5}]}]}]},
    ],
    ids=json.dumps,
)
def test_trace_refuses_what_is_not_its_shape(body: Any) -> None:
    answer("/api/v2/traces/" + "1".zfill(32), body)

    with pytest.raises(BackendError) as caught:
        make_client().trace("1", Deadline(5))

    assert caught.value.kind == "bad_body"


@responses.activate
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"series": {}},
        {"series": [1]},
        {"series": [{"labels": {}}]},
        {"series": [{"labels": [1]}]},
        {"series": [{"samples": {}}]},
        {"series": [{"samples": [1]}]},
        {"series": [{"samples": [{"value": 1}]}]},
        {"series": [{"samples": [{"timestampMs": "1", "value": "much"}]}]},
        {"series": [{"samples": [{"timestampMs": "1", "value": True}]}]},
    ],
    ids=json.dumps,
)
def test_metrics_refuse_what_is_not_their_shape(body: Any) -> None:
    answer(RANGE, body)

    with pytest.raises(BackendError) as caught:
        make_client().metrics("{} | rate()", START, END, 60, Deadline(5))

    assert caught.value.kind == "bad_body"


def test_trace_of_no_id_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="not a trace id"):
        make_client().trace("zzzz", Deadline(5))


@responses.activate
def test_trace_in_the_shape_for_language_models_is_not_taken_for_a_trace() -> None:
    replay("tempo", "trace_v2_llm")

    with pytest.raises(BackendError) as caught:
        make_client().trace(FAILED, Deadline(5))

    assert caught.value.kind == "bad_body"


@responses.activate
def test_trace_by_a_short_id_is_asked_for_with_all_its_digits() -> None:
    answer("/api/v2/traces/" + "abc123".zfill(32), "404 page not found", 404)
    body = recording("tempo", "trace_v1_short_id")["response"]["body"]
    answer("/api/traces/" + "abc123".zfill(32), body, 404)

    assert make_client().trace("abc123", Deadline(5)).spans is None


@responses.activate
def test_a_path_the_server_does_not_know_is_an_error_in_its_words() -> None:
    record = recording("tempo", "unknown_endpoint_404")["response"]
    answer(SEARCH, record["body"], record["status"])

    with pytest.raises(BackendError, match="404 page not found"):
        make_client().search("{}", START, END, Deadline(5))
