from __future__ import annotations

import math
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from correlation.backends.prometheus import NATIVE_HISTOGRAMS, PrometheusClient, QueryAnswer
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from tests.correlation.backends.recorded import BASE, names, recording, replay

RECORDED = names("prometheus", "query_", "range_")
ANSWERED = [n for n in RECORDED if recording("prometheus", n)["response"]["status"] == 200]
REFUSED = [n for n in RECORDED if recording("prometheus", n)["response"]["status"] != 200]


def make_client(**options: Any) -> PrometheusClient:
    return PrometheusClient(BASE["prometheus"], **{"retries": 0, **options})


def ask(client: PrometheusClient, record: dict[str, Any]) -> QueryAnswer:
    """Sends the recorded request through the method it belongs to."""
    params = record["request"]["params"]
    query = str(params.get("query", ""))
    if record["request"]["path"].endswith("query_range"):
        return client.query_range(query, 1795305000, 1795306500, 15, Deadline(5))
    return client.query(query, 1795306440, Deadline(5))


def answered(result_type: str, result: Any) -> QueryAnswer:
    body = {"status": "success", "data": {"resultType": result_type, "result": result}}
    responses.get(BASE["prometheus"] + "/api/v1/query", json=body)
    return make_client().query("x", 1, Deadline(5))


def refusal(body: Any) -> BackendError:
    responses.get(BASE["prometheus"] + "/api/v1/query", json=body)
    with pytest.raises(BackendError) as caught:
        make_client().query("x", 1, Deadline(5))
    return caught.value


@responses.activate
@pytest.mark.parametrize(
    "name", [n for n in ANSWERED if n not in ("query_string", "query_post_form")]
)
def test_query_keeps_every_finite_recorded_sample(name: str) -> None:
    record = replay("prometheus", name)

    answer = ask(make_client(), record)

    data = record["response"]["body"]["data"]
    rows = [{"value": data["result"]}] if data["resultType"] == "scalar" else data["result"]
    samples = [pair for row in rows for pair in row.get("values", [row.get("value")])]
    finite = [(float(t), float(v)) for t, v in samples if math.isfinite(float(v))]
    kept = [(t, v) for s in answer.series for t, v in zip(s.times, s.values, strict=True)]
    assert kept == finite
    assert answer.dropped == len(samples) - len(finite)
    assert answer.result_type == data["resultType"]
    assert len(answer.warnings) == len(record["response"]["body"].get("warnings", []))


@responses.activate
@pytest.mark.parametrize("name", REFUSED)
def test_query_refused_by_the_server_gives_its_reason(name: str) -> None:
    record = replay("prometheus", name)

    with pytest.raises(BackendError) as caught:
        ask(make_client(), record)

    status, body = record["response"]["status"], record["response"]["body"]
    assert caught.value.status == status
    assert caught.value.detail.startswith(f"answered {status} (")
    assert body["error"][:60] in caught.value.detail
    assert caught.value.kind == ("limit" if name == "range_too_many_points_400" else "http")


@responses.activate
def test_query_string_result_is_text() -> None:
    record = replay("prometheus", "query_string")

    answer = ask(make_client(), record)

    assert (answer.result_type, answer.text, answer.series) == ("string", "hello", ())


@responses.activate
def test_query_too_long_for_a_url_goes_as_a_form() -> None:
    replay("prometheus", "query_post_form")
    query = "vector(1) # " + "x" * 3000

    answer = make_client().query(query, 1795306440, Deadline(5))

    sent = responses.calls[0].request
    assert (sent.method, urlsplit(str(sent.url)).query) == ("POST", "")
    assert parse_qs(str(sent.body))["query"] == [query]
    assert answer.series[0].values.tolist() == [1.0]


@responses.activate
def test_query_range_sends_times_in_seconds_and_credentials_in_a_header() -> None:
    replay("prometheus", "range_empty")
    client = PrometheusClient(
        "http://ann:s3cret@prometheus.test:9090/", headers={"X-Scope-OrgID": "team-a"}
    )

    client.query_range("up", 1795305000.0, 1795306500.5, 15, Deadline(5))

    sent = responses.calls[0].request
    asked = parse_qs(urlsplit(str(sent.url)).query)
    del asked["timeout"]
    assert asked == {
        "query": ["up"],
        "start": ["1795305000"],
        "end": ["1795306500.5"],
        "step": ["15"],
    }
    assert sent.headers["Authorization"] == "Basic YW5uOnMzY3JldA=="
    assert sent.headers["X-Scope-OrgID"] == "team-a"


@responses.activate
def test_query_warnings_are_kept_as_partial_data() -> None:
    record = replay("prometheus", "query_warnings")

    answer = ask(make_client(), record)

    assert answer.warnings == tuple(record["response"]["body"]["warnings"])
    assert [s.labels["service"] for s in answer.series] == [
        "frontend",
        "checkout",
        "payment-processing",
    ]


@responses.activate
def test_query_native_histograms_are_left_out_and_said() -> None:
    item = {"metric": {"service": "a"}, "histogram": [1, {"count": "3"}]}

    answer = answered("vector", [item, {"metric": {"service": "b"}, "value": [1, "2"]}])

    assert [s.labels for s in answer.series] == [{"service": "b"}]
    assert answer.warnings == (NATIVE_HISTOGRAMS,)


BROKEN = {
    "a list": [],
    "no status": {"data": {}},
    "no data": {"status": "success"},
    "unknown type": {"status": "success", "data": {"resultType": "cube", "result": []}},
    "result not a list": {"status": "success", "data": {"resultType": "matrix", "result": {}}},
    "warnings not texts": {
        "status": "success",
        "warnings": [1],
        "data": {"resultType": "vector", "result": []},
    },
}
BROKEN_ITEMS = {
    "not an object": 1,
    "no labels": {"value": [1, "2"]},
    "label not text": {"metric": {"a": 1}, "value": [1, "2"]},
    "no value": {"metric": {}},
    "value a number": {"metric": {}, "value": [1, 2]},
    "value not a number": {"metric": {}, "value": [1, "two"]},
    "time as text": {"metric": {}, "value": ["1", "2"]},
    "three parts": {"metric": {}, "value": [1, "2", "3"]},
    "null": {"metric": {}, "value": None},
}


@responses.activate
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_query_envelope_of_another_shape_is_refused(body: Any) -> None:
    assert refusal(body).kind == "bad_body"


@responses.activate
@pytest.mark.parametrize("item", BROKEN_ITEMS.values(), ids=BROKEN_ITEMS.keys())
def test_query_item_of_another_shape_is_refused(item: Any) -> None:
    body = {"status": "success", "data": {"resultType": "vector", "result": [item]}}

    assert refusal(body).kind == "bad_body"


@responses.activate
def test_query_samples_out_of_order_are_refused() -> None:
    item = {"metric": {}, "values": [[2, "1"], [1, "1"]]}
    body = {"status": "success", "data": {"resultType": "matrix", "result": [item]}}

    assert refusal(body).detail == "answered samples that are not in time order"


@responses.activate
def test_error_envelope_with_status_200_is_an_error() -> None:
    error = refusal({"status": "error", "errorType": "internal", "error": "store gone"})

    assert (error.kind, str(error)) == ("http", "Prometheus: answered an error: store gone")


@responses.activate
@pytest.mark.parametrize("name", ["auth_401", "auth_401_bad"])
def test_query_without_credentials_says_so(name: str) -> None:
    replay("prometheus", name)

    with pytest.raises(BackendError) as caught:
        make_client().query("up", 1, Deadline(5))

    assert str(caught.value) == (
        "Prometheus: answered 401 (unauthorized: check the credentials or the tenant)"
    )


@responses.activate
@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("label_values_service", "service"),
        ("label_values_unknown", "nope"),
        ("label_values_names", "__name__"),
    ],
)
def test_label_values_are_those_recorded(name: str, label: str) -> None:
    record = replay("prometheus", name)

    values = make_client().label_values(label, Deadline(5), start=1795305000, end=1795306500)

    assert values == tuple(record["response"]["body"]["data"])


@responses.activate
@pytest.mark.parametrize("name", ["labels", "labels_match", "labels_warnings"])
def test_label_names_are_those_recorded(name: str) -> None:
    record = replay("prometheus", name)

    found = make_client().labels(Deadline(5), match=["up"], start=1795305000, end=1795306500)

    assert found == tuple(record["response"]["body"]["data"])


@responses.activate
def test_metadata_of_one_metric_is_that_recorded() -> None:
    record = replay("prometheus", "metadata_one")

    assert make_client().metadata(Deadline(5)) == record["response"]["body"]["data"]


@responses.activate
def test_label_values_are_asked_by_get_however_long_the_selector() -> None:
    record = replay("prometheus", "label_values_names")
    selector = '{__name__=~"' + "|".join(f"metric_{i}" for i in range(400)) + '"}'

    values = make_client().label_values("__name__", Deadline(5), match=[selector])

    assert values == tuple(record["response"]["body"]["data"])
    assert responses.calls[0].request.method == "GET"


@responses.activate
@pytest.mark.parametrize(
    "name", ["series_no_match_400", "label_values_bad_name_400", "unknown_endpoint_404"]
)
def test_refusals_of_other_endpoints_give_their_reason(name: str) -> None:
    record = replay("prometheus", name)
    client = make_client()
    label = record["request"]["path"].split("/")[-2]
    asks = {
        "label_values_bad_name_400": lambda: client.label_values(label, Deadline(5)),
        "series_no_match_400": lambda: client.series([], Deadline(5)),
        "unknown_endpoint_404": lambda: client.http.get_json(
            record["request"]["path"], {}, Deadline(5)
        ),
    }

    with pytest.raises(BackendError) as caught:
        asks[name]()

    assert caught.value.status == record["response"]["status"]
    assert caught.value.detail.startswith(f"answered {caught.value.status}")


@responses.activate
def test_series_metadata_version_and_readiness_are_read() -> None:
    bodies = {
        n: replay("prometheus", n)["response"]["body"]
        for n in ("series", "metadata", "buildinfo", "ready")
    }
    client = make_client()

    series = client.series(["up"], Deadline(5))
    metadata = client.metadata(Deadline(5))
    version = client.version(Deadline(5))
    ready = client.ready(Deadline(5))

    assert list(series) == bodies["series"]["data"]
    assert metadata == bodies["metadata"]["data"]
    assert (version, ready) == ("2.42.0", True)


def test_client_refuses_an_address_that_is_no_url() -> None:
    with pytest.raises(ValueError, match="must begin with http"):
        PrometheusClient("prometheus:9090")
