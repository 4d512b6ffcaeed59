"""A running Tempo, seeded with OTLP over HTTP (JSON) and present times: TEMPO_URL.

TEMPO_OTLP_URL names the receiver (default: port 4318 of the same host); with TEMPO_ZIPKIN_URL
the Zipkin receiver is tried too.
"""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from correlation.backends.tempo import TempoClient
from correlation.gather import gather
from correlation.sources import Scope, Source
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from tests.live.servers import address, eventually, headers, needs, otlp_address, post

pytestmark = needs("TEMPO_URL")

ERROR, CLIENT, SERVER = 2, 3, 2


@dataclass(frozen=True)
class Seeded:
    """Services of this run, and the ids of a failed, a slow and a usual trace; epoch seconds."""

    front: str
    back: str
    failed: str
    slow: str
    usual: str
    start: float
    end: float


def make_client() -> TempoClient:
    return TempoClient(address("TEMPO_URL"), headers=headers("TEMPO"), timeout_seconds=20)


@pytest.fixture
def client() -> TempoClient:
    return make_client()


def span(trace: str, own: str, parent: str, kind: int, start: float, seconds: float,
         error: str = "") -> dict[str, Any]:  # fmt: skip
    return {
        "traceId": trace,
        "spanId": own,
        **({"parentSpanId": parent} if parent else {}),
        "name": "GET /pay",
        "kind": kind,
        "startTimeUnixNano": str(int(start * 1e6) * 1000),
        "endTimeUnixNano": str(int((start + seconds) * 1e6) * 1000),
        "attributes": [
            {"key": "http.response.status_code", "value": {"intValue": "503" if error else "200"}}
        ],
        "status": {"code": ERROR, "message": error} if error else {},
    }


def resource(service: str, *spans: dict[str, Any]) -> dict[str, Any]:
    attributes = [{"key": "service.name", "value": {"stringValue": service}}]
    return {
        "resource": {"attributes": attributes},
        "scopeSpans": [{"scope": {"name": "live"}, "spans": list(spans)}],
    }


def trace_of(front: str, back: str, trace: str, at: float, seconds: float, error: str) -> list[Any]:
    """front serves, calls back, back serves and fails where `error` says why."""
    root, call, served = (uuid.uuid4().hex[:16] for _ in range(3))
    return [
        resource(
            front,
            span(trace, root, "", SERVER, at, seconds, error and "upstream failed"),
            span(trace, call, root, CLIENT, at + 0.001, seconds - 0.002, error and "503"),
        ),
        resource(back, span(trace, served, call, SERVER, at + 0.002, seconds - 0.004, error)),
    ]


@pytest.fixture(scope="module")
def seeded() -> Seeded:
    run = uuid.uuid4().hex[:8]
    now = float(int(time.time()))
    failed = "00" + uuid.uuid4().hex[2:]  # search drops leading zeros
    made = Seeded(
        f"front-{run}", f"back-{run}", failed, uuid.uuid4().hex, uuid.uuid4().hex,
        now - 60, now + 5,
    )  # fmt: skip
    spans = [
        *trace_of(made.front, made.back, made.failed, now - 20, 0.1, "pool exhausted"),
        *trace_of(made.front, made.back, made.slow, now - 18, 3.0, ""),
        *trace_of(made.front, made.back, made.usual, now - 16, 0.05, ""),
    ]
    assert post(f"{otlp_address()}/v1/traces", {"resourceSpans": spans}, headers("TEMPO")) == 200
    query = f'{{ resource.service.name = "{made.front}" }}'
    eventually(
        lambda: make_client().search(query, made.start, made.end, Deadline(20)).traces,
        lambda traces: len(traces) == 3,
        "the pushed traces",
    )
    return made


def test_version_is_text(client: TempoClient, deadline: Deadline) -> None:
    assert isinstance(client.version(deadline), str)


def test_search_finds_the_failed_trace_with_its_whole_id(
    client: TempoClient, seeded: Seeded, deadline: Deadline
) -> None:
    query = f'{{ resource.service.name = "{seeded.back}" && status = error }}'

    answer = client.search(query, seeded.start, seeded.end, deadline)

    assert [(t.trace_id, t.root_service, t.matched) for t in answer.traces] == [
        (seeded.failed, seeded.front, 1)
    ]


def test_search_finds_the_slow_trace(
    client: TempoClient, seeded: Seeded, deadline: Deadline
) -> None:
    query = f'{{ resource.service.name = "{seeded.back}" && duration > 1s }}'

    answer = client.search(query, seeded.start, seeded.end, deadline)

    assert [trace.trace_id for trace in answer.traces] == [seeded.slow]


def test_search_says_when_its_limit_cut(
    client: TempoClient, seeded: Seeded, deadline: Deadline
) -> None:
    query = f'{{ resource.service.name = "{seeded.front}" }}'

    answer = client.search(query, seeded.start, seeded.end, deadline, limit=2)

    assert (len(answer.traces), answer.truncated) == (2, True)


def test_trace_has_its_spans_in_their_tree(
    client: TempoClient, seeded: Seeded, deadline: Deadline
) -> None:
    answer = client.trace(seeded.failed, deadline, start=seeded.start, end=seeded.end)

    spans = {(one.service, one.kind): one for one in answer.spans or ()}
    root, call = spans[seeded.front, "server"], spans[seeded.front, "client"]
    served = spans[seeded.back, "server"]
    assert (root.parent_id, call.parent_id, served.parent_id) == ("", root.span_id, call.span_id)
    assert (served.failed, served.message) == (True, "pool exhausted")
    assert round(root.seconds, 3) == 0.1


def test_trace_that_is_not_there_has_no_spans(client: TempoClient, deadline: Deadline) -> None:
    assert client.trace(uuid.uuid4().hex, deadline).spans is None


def test_tag_values_name_the_services(
    client: TempoClient, seeded: Seeded, deadline: Deadline
) -> None:
    found = eventually(
        lambda: client.tag_values(
            "resource.service.name", deadline, start=seeded.start, end=seeded.end
        ),
        lambda values: {seeded.front, seeded.back} <= set(values),
        "the services among the tag values",
    )

    assert list(found) == sorted(found)


@pytest.mark.parametrize("query", ["{", "{ nosuch = }"])
def test_refusals_are_told_in_the_servers_words(
    query: str, client: TempoClient, seeded: Seeded, deadline: Deadline
) -> None:
    with pytest.raises(BackendError) as caught:
        client.search(query, seeded.start, seeded.end, deadline)

    assert caught.value.status == 400
    assert ": " in caught.value.detail


def test_metrics_are_series_where_the_server_has_them(
    client: TempoClient, seeded: Seeded, deadline: Deadline
) -> None:
    query = f'{{ resource.service.name = "{seeded.back}" }} | rate()'
    try:
        answer = client.metrics(query, seeded.start, seeded.end, 10, deadline)
    except BackendError as error:
        if error.status is None:
            raise
        pytest.skip(f"live: this Tempo has no metrics: {error.detail}")

    assert all((vector.values >= 0).all() for vector in answer.series)


def test_gathering_finds_failed_spans_and_the_edge(seeded: Seeded) -> None:
    scope = Scope(
        seeded.front,
        started_at=seeded.start + 30,
        as_of=seeded.end,
        services=frozenset({seeded.front, seeded.back}),
        lead_seconds=10.0,
    )
    source = Source(
        "tempo", "tempo", address("TEMPO_URL"), headers=headers("TEMPO"), timeout_seconds=20
    )

    telemetry, statuses = gather(scope, [source], 30)

    assert statuses[0].status == "ok", statuses[0].detail
    assert (seeded.front, seeded.back) in telemetry.edges
    failed = {one.service for one in telemetry.spans if one.failed}
    assert failed == {seeded.front, seeded.back}


@pytest.mark.skipif(
    not os.environ.get("TEMPO_ZIPKIN_URL"), reason="live: TEMPO_ZIPKIN_URL is not set"
)
def test_span_sent_as_zipkin_is_found(client: TempoClient, deadline: Deadline) -> None:
    service, now = f"zipkin-{uuid.uuid4().hex[:8]}", time.time()
    sent = {
        "traceId": uuid.uuid4().hex,
        "id": uuid.uuid4().hex[:16],
        "name": "get /",
        "kind": "SERVER",
        "timestamp": int((now - 5) * 1e6),
        "duration": 5000,
        "localEndpoint": {"serviceName": service},
    }

    url = os.environ["TEMPO_ZIPKIN_URL"].rstrip("/")
    assert post(f"{url}/api/v2/spans", [sent], headers("TEMPO")) in (200, 202)

    found = eventually(
        lambda: (
            client.search(
                f'{{ resource.service.name = "{service}" }}', now - 60, now + 60, Deadline(20)
            ).traces
        ),
        bool,
        "the span sent as Zipkin",
    )
    assert [trace.trace_id for trace in found] == [sent["traceId"]]
