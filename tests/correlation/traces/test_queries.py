from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from correlation.gather import gather
from correlation.shared_answers import forget
from correlation.sources import FoundAs, Scope, Source
from correlation.telemetry import Telemetry
from correlation.traces.evidence import trace_evidence
from correlation.traces.queries import (
    BASELINE_TRACES,
    CUT,
    FAILED_TRACES,
    MOST_TRACES,
    SLOW_TRACES,
    USUAL_TRACES,
    failed_spans_query,
    sample_query,
    trace_queries,
    trace_windows,
)
from tests.correlation.backends.recorded import recording
from tests.correlation.conftest import Answer, Backend

ONSET = 1795305900.0
FAILED = "c3e8ece4183c6fe8ebb98b26bf2fa41d"
SHOP = frozenset({"frontend", "checkout", "payment-processing", "postgres"})
PLAIN = (404, "text/plain", b"404 page not found\n")
Params = dict[str, list[str]]


@pytest.fixture(autouse=True)
def no_shared_answers() -> None:
    forget()


def make_scope(**columns: Any) -> Scope:
    given: dict[str, Any] = {
        "target": "checkout",
        "started_at": ONSET + 60.0,
        "as_of": ONSET + 300.0,
        "services": SHOP,
        **columns,
    }
    return Scope(**given)


def found(trace_id: str, start: float, seconds: float, service: str = "checkout") -> dict[str, Any]:
    """A trace in a search's answer with one span matched."""
    span = {
        "spanID": trace_id[:16],
        "name": "POST /orders",
        "startTimeUnixNano": str(int(start * 1e9)),
        "durationNanos": str(int(seconds * 1e9)),
        "attributes": [
            {"key": "service.name", "value": {"stringValue": service}},
            {"key": "status", "value": {"stringValue": "error"}},
        ],
    }
    return {
        "traceID": trace_id.lstrip("0"),
        "rootServiceName": service,
        "rootTraceName": "POST /orders",
        "startTimeUnixNano": str(int(start * 1e9)),
        "durationMs": int(seconds * 1000),
        "spanSets": [{"spans": [span], "matched": 1}],
    }


def many(prefix: str, count: int, start: float, seconds: float) -> list[dict[str, Any]]:
    return [found(f"{prefix}{i:031x}", start + i, seconds) for i in range(count)]


class Tempo:
    """What a Tempo holds: traces by search, and every trace by id the recorded failed one."""

    def __init__(self) -> None:
        self.failed: list[dict[str, Any]] = []
        self.failed_before: list[dict[str, Any]] = []
        self.usual: list[dict[str, Any]] = []
        self.before: list[dict[str, Any]] = []
        self.slow: list[dict[str, Any]] = []
        self.searches: list[Params] = []
        self.traces: list[str] = []
        self.metrics: Callable[[Params], Answer] = lambda params: PLAIN

    def __call__(self, path: str, params: Params) -> Answer:
        if path == "/api/search":
            self.searches.append(params)
            return self._json({"traces": self._search(params)[: int(params["limit"][0])]})
        if path.startswith("/api/v2/traces/"):
            trace_id = path.rpartition("/")[2]
            self.traces.append(trace_id)
            body = json.dumps(recording("tempo", "trace_failed_v2")["response"]["body"])
            recorded, wanted = (b64encode(bytes.fromhex(i)).decode() for i in (FAILED, trace_id))
            return self._json(json.loads(body.replace(recorded, wanted)))
        if path == "/api/metrics/query_range":
            return self.metrics(params)
        return PLAIN

    def _search(self, params: Params) -> list[dict[str, Any]]:
        query, before = params["q"][0], float(params["end"][0]) <= ONSET
        if "status = error" in query:
            return self.failed_before if before else self.failed
        if "duration >" in query:
            return self.slow
        return self.before if before else self.usual

    def _json(self, body: Any) -> Answer:
        return 200, "application/json", json.dumps(body).encode()


@pytest.fixture
def tempo(backend: Backend) -> Tempo:
    held = Tempo()
    backend.respond = held
    return held


def ask(backend: Backend, scope: Scope | None = None, **options: Any) -> Telemetry:
    source = Source("tempo", "tempo", backend.url, options=options)
    return gather(scope or make_scope(), [source])[0]


def test_queries_are_as_many_for_three_services_as_for_three_hundred(
    backend: Backend, tempo: Tempo
) -> None:
    tempo.before = many("a", 100, ONSET - 700.0, 0.1)
    tempo.failed = many("b", 60, ONSET + 10.0, 1.0)
    tempo.slow = many("c", 60, ONSET + 10.0, 1.0)
    tempo.usual = many("d", 20, ONSET + 10.0, 0.1)
    sent = []

    for count in (3, 300):
        forget()
        backend.asked.clear()
        ask(backend, make_scope(services=frozenset(f"service-{i}" for i in range(count))))
        sent.append(sorted(path.rpartition("/")[0] for path in backend.asked))

    assert sent[0] == sent[1]
    assert sent[0].count("/api/v2/traces") == MOST_TRACES
    assert len(sent[0]) == 5 + 2 + MOST_TRACES


def test_searches_are_asked_in_whole_seconds_newest_first_with_a_limit(
    backend: Backend, tempo: Tempo
) -> None:
    ask(backend, make_scope(as_of=ONSET + 300.4))

    asked = {(p["q"][0], p["start"][0], p["end"][0], p["limit"][0]) for p in tempo.searches}
    scope = make_scope(as_of=ONSET + 300.4)
    (before, border), (_, end) = trace_windows(scope)
    failed, sample = failed_spans_query(scope), sample_query(scope)
    assert asked == {
        (failed, f"{border:.0f}", f"{end:.0f}", str(CUT)),
        (failed, f"{before:.0f}", f"{border:.0f}", str(CUT)),
        (sample, f"{border:.0f}", f"{end:.0f}", "20"),
        (sample, f"{before:.0f}", f"{border:.0f}", "100"),
    }
    assert all(query.endswith(" with (most_recent=true)") for query, *_ in asked)


def test_queries_use_the_names_tempo_knows_and_answers_the_catalogues(
    backend: Backend, tempo: Tempo
) -> None:
    known = {
        "pay": FoundAs({"tempo": ("payment-processing",)}),
        "web": FoundAs({"": ("frontend",)}),
    }
    tempo.failed = [found(FAILED, ONSET + 200.0, 5.0, "frontend")]

    telemetry = ask(
        backend,
        make_scope(target="pay", services=frozenset({"pay", "web", "a.b"}), found_as=known),
    )

    queries = {params["q"][0] for params in tempo.searches}
    listed = 'resource.service.name =~ "a\\\\.b|frontend|payment-processing"'
    assert all(listed in query for query in queries)
    assert {span.service for span in telemetry.spans} == {"web", "checkout", "pay"}
    assert telemetry.edges == (("checkout", "pay"), ("web", "checkout"))


@pytest.mark.parametrize(
    "columns",
    [
        {"services": frozenset(), "target": "checkout"},
        {"services": frozenset(), "target": None},
        {"services": frozenset(f"service-number-{i}" for i in range(500))},
    ],
    ids=["lone", "unknown", "too long"],
)
def test_queries_ask_for_every_service_when_the_neighbourhood_is_unknown_or_long(
    columns: dict[str, Any],
) -> None:
    query = sample_query(make_scope(**columns))

    assert 'resource.service.name =~ ".+"' in query


def test_failed_traces_are_read_first_and_no_more_than_their_share(
    backend: Backend, tempo: Tempo
) -> None:
    tempo.before = many("a", 100, ONSET - 700.0, 0.1)
    tempo.failed = many("b", 60, ONSET + 10.0, 1.0)
    tempo.slow = many("c", 60, ONSET + 10.0, 1.0)
    tempo.usual = many("d", 20, ONSET + 10.0, 0.1)

    telemetry = ask(backend)

    first = [trace_id[0] for trace_id in tempo.traces]
    assert {letter: first.count(letter) for letter in "abcd"} == {
        "a": BASELINE_TRACES,
        "b": FAILED_TRACES,
        "c": SLOW_TRACES,
        "d": USUAL_TRACES,
    }
    ways = {span.sampled_as for span in telemetry.spans}
    assert ways == {"failed", "slow", "usual", "baseline"}


def test_slow_is_what_exceeds_the_services_own_baseline(backend: Backend, tempo: Tempo) -> None:
    tempo.before = [
        *many("a", 40, ONSET - 700.0, 0.1),
        *(found(f"e{i:031x}", ONSET - 700.0, 2.0, 'pay"ment') for i in range(9)),
        *(found(f"f{i:031x}", ONSET - 700.0, 9.0, "rare") for i in range(3)),
    ]

    ask(backend)

    slow = [p["q"][0] for p in tempo.searches if "duration >" in p["q"][0]]
    assert slow == [
        "{ (kind = server || kind = consumer) && "
        '((resource.service.name = "checkout" && duration > 150ms) || '
        '(resource.service.name = "pay\\"ment" && duration > 3000ms)) } with (most_recent=true)'
    ]


def test_slow_traces_no_more_frequent_than_before_are_not_called_slow(
    backend: Backend, tempo: Tempo
) -> None:
    tempo.before = [*many("a", 97, ONSET - 240.0, 0.1), *many("e", 3, ONSET - 245.0, 1.0)]
    tempo.slow = many("c", 4, ONSET + 10.0, 1.0)

    telemetry = ask(backend)

    assert "slow" not in {span.sampled_as for span in telemetry.spans}


def test_a_server_that_refuses_new_parts_of_the_query_is_asked_without_them(
    backend: Backend, tempo: Tempo
) -> None:
    refusal = b"invalid TraceQL query: parse error at line 1, col 60: syntax error"

    def respond(path: str, params: Params) -> Answer:
        if path == "/api/search" and ("select(" in params["q"][0] or "with (" in params["q"][0]):
            return 400, "text/plain", refusal
        return tempo(path, params)

    backend.respond = respond
    tempo.failed = [found(FAILED, ONSET + 200.0, 5.0)]

    telemetry, statuses = gather(make_scope(), [Source("tempo", "tempo", backend.url)])

    assert statuses[0].status == "ok"
    assert FAILED in {span.trace_id for span in telemetry.spans}
    assert {p["q"][0][-2:] for p in tempo.searches} == {" }"}


def test_a_cut_answer_and_missing_metrics_are_said_and_take_nothing_away(
    backend: Backend, tempo: Tempo
) -> None:
    tempo.failed = many("b", 60, ONSET + 10.0, 1.0)

    _, statuses = gather(make_scope(), [Source("tempo", "tempo", backend.url)])

    assert (statuses[0].status, statuses[0].detail) == (
        "ok",
        "failed traces: the newest 50 were read; it has no metrics of traces",
    )


def test_a_trace_that_is_gone_is_said(backend: Backend, tempo: Tempo) -> None:
    tempo.failed = [found(FAILED, ONSET + 200.0, 5.0)]

    def respond(path: str, params: Params) -> Answer:
        if "/traces/" in path:
            return 200, "application/json", b'{"trace":{},"metrics":{}}'
        return tempo(path, params)

    backend.respond = respond

    _, statuses = gather(make_scope(), [Source("tempo", "tempo", backend.url)])

    assert f"failed trace {FAILED} was found and could not be read" in statuses[0].detail


def test_nothing_found_is_no_data(backend: Backend, tempo: Tempo) -> None:
    _, statuses = gather(make_scope(), [Source("tempo", "tempo", backend.url)])

    assert statuses[0].status == "no_data"
    assert statuses[0].queries == 6


def test_a_wrong_option_is_refused_by_name() -> None:
    source = Source("tempo", "tempo", "http://tempo.test", options={"step_seconds": "often"})

    with pytest.raises(ValueError, match="step_seconds"):
        trace_queries(source, make_scope())


def test_the_recorded_incident_is_put_down_to_the_pool(backend: Backend, tempo: Tempo) -> None:
    tempo.failed = recording("tempo", "search_errors_spss")["response"]["body"]["traces"]
    tempo.before = many("a", 3, ONSET - 700.0, 0.1)
    scope = make_scope(as_of=ONSET + 600.0)

    evidence = trace_evidence(ask(backend, scope))

    assert [(item.service, item.details["operation"]) for item in evidence] == [
        ("payment-processing", "db.pool.acquire")
    ]
    assert "connection pool exhausted" in evidence[0].details["samples"][0]


def test_rates_and_ratios_come_from_one_query_and_latency_from_another(
    backend: Backend, tempo: Tempo
) -> None:
    asked: list[Params] = []

    def series(labels: dict[str, str], values: dict[int, float]) -> dict[str, Any]:
        pairs = [{"key": key, "value": {"stringValue": value}} for key, value in labels.items()]
        grid = range(int(asked[-1]["start"][0]), int(asked[-1]["end"][0]) + 1, 60)
        samples = [
            {"timestampMs": str(at * 1000), **({"value": values[at]} if at in values else {})}
            for at in grid
        ]
        return {"labels": pairs, "samples": samples}

    def metrics(params: Params) -> Answer:
        asked.append(params)
        name, at = "resource.service.name", int(ONSET)
        if "quantile" in params["q"][0]:
            body = [series({name: "checkout", "p": "0.95"}, {at: 0.5, at + 60: 4.0})]
        else:
            body = [
                series({name: "checkout", "status": "unset"}, {at: 4.0, at + 60: 3.0}),
                series({name: "checkout", "status": "error"}, {at + 60: 1.0}),
            ]
        return 200, "application/json", json.dumps({"series": body}).encode()

    tempo.metrics = metrics

    telemetry = ask(backend, step_seconds=60)

    read = {one.signal: one for one in telemetry.series}
    assert len(asked) == 2
    assert all(int(params["start"][0]) % 60 == 0 for params in asked)
    assert read["error_ratio"].times.tolist() == [ONSET, ONSET + 60.0]
    assert read["error_ratio"].values.tolist() == [0.0, 0.25]
    assert read["latency_p95"].values.tolist() == [0.5, 4.0]
    rate = dict(
        zip(read["request_rate"].times.tolist(), read["request_rate"].values.tolist(), strict=True)
    )
    assert (rate[ONSET], rate[ONSET + 60.0], rate[ONSET - 60.0]) == (4.0, 4.0, 0.0)
    assert max(rate) <= ONSET + 300.0 - 15.0
    assert {one.source for one in telemetry.series} == {"tempo"}
    assert all(math.isfinite(v) for one in telemetry.series for v in one.values)


def test_metrics_that_fail_are_a_failure_of_theirs_alone(backend: Backend, tempo: Tempo) -> None:
    tempo.metrics = lambda params: (429, "text/plain", b"too many queries")
    tempo.failed = [found(FAILED, ONSET + 200.0, 5.0)]

    _, statuses = gather(make_scope(), [Source("tempo", "tempo", backend.url)])

    assert statuses[0].status == "partial"
    assert "request rates of traces, latency of traces" in statuses[0].detail
