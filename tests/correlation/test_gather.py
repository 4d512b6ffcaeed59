from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from correlation import shared_answers
from correlation.gather import Scope, Source, gather
from correlation.metrics import profiles
from correlation.telemetry import Change, Telemetry

PROMETHEUS = "http://prometheus.test:9090"
LOKI = "http://loki.test:3100"
LABELS = {"service_labels": ["app"], "level_label": "detected_level"}
LOG_QUERIES = 8
OTHERS = ("Tempo: not configured", "Kubernetes: not configured")
START = 1_795_305_900.0
SIGNALS = 18
EDGES = (("frontend", "checkout"), ("checkout", "payments"))

Answer = Callable[[str], Any]


def make_scope(**changes: Any) -> Scope:
    values: dict[str, Any] = {
        "target": "checkout",
        "started_at": START,
        "as_of": START + 60,
        "services": frozenset({"frontend", "checkout", "payments"}),
        "edges": EDGES,
    }
    return Scope(**{**values, **changes})


PROFILE = {"profile": "http_requests_total"}


def make_sources(**options: Any) -> list[Source]:
    named = {**PROFILE, "step_seconds": 5, **options}
    return [
        Source("prometheus", "prometheus", PROMETHEUS, options=named),
        Source("loki", "loki", LOKI, options=LABELS),
    ]


def row(value: str = "1", at: float = START, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "values": [[at - 1200, "0.5"], [at, value]]}


def entry(at: float, text: str, **labels: str) -> dict[str, Any]:
    return {"stream": labels, "values": [[str(int(at * 1e9)), text]]}


def serve(metrics: Answer, logs: Answer) -> list[dict[str, str]]:
    """Answers both servers from functions of the query; returns what was asked, as it grows.

    A function answers rows, or a status code for an error.
    """
    asked: list[dict[str, str]] = []

    def answering(answer: Answer, kind: str) -> Callable[[requests.PreparedRequest], Any]:
        def respond(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            given = urlsplit(str(request.url)).query or str(request.body)
            params = {key: values[0] for key, values in parse_qs(given).items()}
            asked.append(params)
            counts = kind == "streams" and params["query"].startswith("sum by")
            rows = [] if counts else answer(params["query"])
            if isinstance(rows, int):
                return rows, {}, "no luck"
            shape = "matrix" if counts else kind
            body = {"status": "success", "data": {"resultType": shape, "result": rows}}
            return 200, {}, json.dumps(body)

        return respond

    responses.get(f"{LOKI}/loki/api/v1/patterns", status=404)
    ranges = (
        (f"{PROMETHEUS}/api/v1/query_range", metrics, "matrix"),
        (f"{LOKI}/loki/api/v1/query_range", logs, "streams"),
    )
    for url, answer, kind in ranges:
        responses.add_callback("GET", url, answering(answer, kind))
        responses.add_callback("POST", url, answering(answer, kind))
    return asked


def metric_ranges(asked: list[dict[str, str]]) -> list[dict[str, str]]:
    return [p for p in asked if "step" in p and "count_over_time" not in p["query"]]


def metrics_of(*services: str) -> Answer:
    """Rows of every service; an edge service -> payments where the query groups by peer."""

    def answer(query: str) -> list[dict[str, Any]]:
        peer = {"peer": "payments"} if "peer" in query else {}
        return [row(service=service, **peer) for service in services]

    return answer


def nothing(query: str) -> list[Any]:
    return []


def services(telemetry: Telemetry) -> set[str]:
    return {one.service for one in telemetry.series}


@responses.activate
def test_gather_returns_every_signal_with_its_query_and_source() -> None:
    serve(metrics_of("checkout", "payments"), lambda q: [entry(START, "boom", app="checkout")])

    telemetry, statuses = gather(make_scope(), make_sources())

    assert [(s.slug, s.status, s.detail, s.queries) for s in statuses[:2]] == [
        ("prometheus", "ok", "", SIGNALS),
        ("loki", "ok", "", LOG_QUERIES),
    ]
    assert len(telemetry.series) == 2 * SIGNALS
    edge = next(s for s in telemetry.series if s.signal == "client_latency_p95")
    assert (edge.key, edge.unit, edge.source) == (
        "metric:checkout>payments:client_latency_p95",
        "s",
        "prometheus",
    )
    assert "rate(client_request_duration_seconds_bucket[60s])" in edge.query
    assert telemetry.missing == OTHERS
    assert (telemetry.log_source, telemetry.log_baseline_seconds) == ("loki", 600.0)
    assert telemetry.log_window_seconds == 360.0


@responses.activate
def test_gather_windows_end_where_the_other_begins_and_are_capped_by_data() -> None:
    serve(metrics_of("checkout"), nothing)

    telemetry, _ = gather(make_scope(), make_sources())

    assert telemetry.baseline == (START - 1200, START - 300)
    assert telemetry.window == (START - 300, START + 60)


@responses.activate
def test_gather_asks_one_range_a_signal_up_to_the_newest_second() -> None:
    asked = serve(metrics_of("checkout"), nothing)

    gather(make_scope(started_at=START + 3.3, as_of=START + 61.7), make_sources())

    ranges = {(p["start"], p["end"], p["step"]) for p in metric_ranges(asked)}
    assert ranges == {("1795303161", "1795305961", "5")}


@responses.activate
def test_gather_asks_a_long_incident_at_a_coarser_step_and_rate_window() -> None:
    asked = serve(metrics_of("checkout"), nothing)

    gather(make_scope(as_of=START + 7 * 86400), make_sources())

    steps = {float(p["step"]) for p in metric_ranges(asked)}
    windows = {match for p in asked for match in re.findall(r"rate\(\w+\[(\d+)s\]", p["query"])}
    assert steps == {305.0}
    assert windows == {"305"}


@responses.activate
@pytest.mark.parametrize("count", [3, 300])
def test_gather_sends_the_same_number_of_requests_for_any_number_of_services(count: int) -> None:
    names = [f"service-{n}" for n in range(count)]
    asked = serve(metrics_of(*names), nothing)

    scope = make_scope(target=names[0], services=frozenset(names), edges=())
    telemetry, _ = gather(scope, make_sources())

    assert len(asked) == SIGNALS + LOG_QUERIES - 1  # /patterns is not counted here
    assert services(telemetry) == set(names)


@responses.activate
def test_gather_drops_what_is_more_than_three_hops_away() -> None:
    chain = [f"s{n}" for n in range(7)]
    serve(metrics_of(*chain), lambda q: [entry(START, "boom", app=name) for name in chain])
    scope = make_scope(target="s0", services=frozenset(), edges=tuple(pairwise(chain)))

    telemetry, _ = gather(scope, make_sources(), changes=[_change("s1"), _change("s6")])

    # every service also calls payments, as its edge signals say: that makes s6 two hops away
    assert services(telemetry) == set(chain)
    assert ("s6", "payments") in telemetry.edges

    responses.reset()
    shared_answers.forget()
    serve(
        lambda q: [] if "peer" in q else metrics_of(*chain)(q),
        lambda q: [entry(START, "boom", app=name) for name in chain],
    )
    telemetry, _ = gather(scope, make_sources(), changes=[_change("s1"), _change("s6")])

    assert services(telemetry) == {"s0", "s1", "s2", "s3"}
    assert {line.service for line in telemetry.logs} == {"s0", "s1", "s2", "s3"}
    assert telemetry.edges == (("s0", "s1"), ("s1", "s2"), ("s2", "s3"))
    assert [change.service for change in telemetry.changes] == ["s1"]


def _change(service: str) -> Change:
    return Change(id=service, service=service, kind="deploy", at=START, title="v2")


@responses.activate
def test_gather_keeps_all_services_when_the_target_is_unknown() -> None:
    serve(metrics_of("a", "b"), nothing)

    telemetry, _ = gather(make_scope(target=None, services=frozenset(), edges=()), make_sources())

    assert services(telemetry) == {"a", "b"}


@responses.activate
def test_gather_keeps_the_other_signals_when_one_query_fails() -> None:
    def metrics(query: str) -> Any:
        return 422 if "histogram_quantile(0.99" in query else metrics_of("checkout")(query)

    serve(metrics, nothing)

    telemetry, statuses = gather(make_scope(), make_sources())

    detail = (
        "1 of 18 queries failed (latency_p99): "
        "answered 422 (the query could not be executed): no luck"
    )
    assert (statuses[0].status, statuses[0].detail) == ("partial", detail)
    assert len(telemetry.series) == SIGNALS - 1
    assert f"Prometheus: {detail}" in telemetry.missing


@responses.activate
def test_gather_says_no_data_apart_from_unavailable() -> None:
    serve(nothing, nothing)

    telemetry, statuses = gather(make_scope(), make_sources())

    nothing_there = "answered, but with no data for the time asked"
    assert [(s.status, s.detail) for s in statuses[:2]] == [("no_data", nothing_there)] * 2
    assert telemetry.missing == (
        f"Prometheus: {nothing_there}",
        f"Loki: {nothing_there}",
        *OTHERS,
    )


def test_gather_without_sources_says_not_configured() -> None:
    telemetry, statuses = gather(make_scope(), [Source("loki", "loki", "")])

    assert [(s.slug, s.status) for s in statuses] == [
        ("loki", "not_configured"),
        ("prometheus", "not_configured"),
        ("tempo", "not_configured"),
        ("kubernetes", "not_configured"),
    ]
    assert telemetry.missing == ("Loki: not configured", "Prometheus: not configured", *OTHERS)


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        (
            Source("p", "prometheus", "prometheus:9090"),
            "is set up wrongly: the address must begin with http:// or https:// and name a host",
        ),
        (
            Source("p", "prometheus", PROMETHEUS, options={"step_seconds": "often"}),
            "is set up wrongly: option step_seconds must be a positive number",
        ),
        (
            Source("p", "prometheus", PROMETHEUS, options={"profile": "mine"}),
            "is set up wrongly: no query profile is called 'mine'; there are: "
            + ", ".join(profiles.names()),
        ),
        (Source("p", "graphite", PROMETHEUS), "sources of kind 'graphite' cannot be asked"),
    ],
)
def test_gather_names_a_source_that_is_set_up_wrongly(source: Source, detail: str) -> None:
    _, statuses = gather(make_scope(), [source])

    assert (statuses[0].status, statuses[0].detail, statuses[0].queries) == (
        "unavailable",
        detail,
        0,
    )


@responses.activate
def test_gather_says_when_no_series_carries_the_target() -> None:
    serve(metrics_of("check-out", "payments"), nothing)

    telemetry, _ = gather(make_scope(), make_sources())

    assert telemetry.missing[3:] == (
        "Prometheus: no metrics of checkout among 2 services: "
        "check the service label of the query profile",
    )


@responses.activate
def test_gather_says_when_there_is_nothing_to_compare_with() -> None:
    late = {"metric": {"service": "checkout"}, "values": [[START, "1"]]}
    serve(lambda q: [] if "peer" in q else [late], nothing)

    telemetry, _ = gather(make_scope(), make_sources())

    assert telemetry.missing[-1] == ("no metrics from before the incident: nothing to compare with")


@responses.activate
def test_gather_of_two_prometheus_takes_the_first_answer_about_a_signal() -> None:
    serve(metrics_of("checkout"), nothing)
    second = [
        {"metric": {"service": name}, "values": [[START, "9"]]} for name in ("checkout", "cart")
    ]
    body = {"status": "success", "data": {"resultType": "matrix", "result": second}}
    responses.get("http://second.test/api/v1/query_range", json=body)
    sources = [*make_sources(), Source("eu", "prometheus", "http://second.test", options=PROFILE)]

    telemetry, _ = gather(make_scope(target=None), sources)

    found = {s.service: s.source for s in telemetry.series if s.signal == "cpu"}
    assert found == {"checkout": "prometheus", "cart": "eu"}


@responses.activate
def test_gather_orders_logs_by_time_and_leaves_lines_without_a_baseline_out() -> None:
    def logs(query: str) -> Any:
        if "!~" in query:  # unlevelled: the baseline fails below
            return 400 if next(unlevelled) else [entry(START, "LOG: slow", app="checkout")]
        return [entry(START + 2, "late", app="checkout"), entry(START, "early", app="payments")]

    unlevelled = iter([False, True])
    serve(nothing, logs)
    sources = [Source("loki", "loki", LOKI, options={**LABELS, "concurrency": 1})]

    telemetry, statuses = gather(make_scope(), sources)

    assert sorted({line.message for line in telemetry.logs}) == ["early", "late"]
    assert [line.at for line in telemetry.logs] == sorted(line.at for line in telemetry.logs)
    assert (statuses[0].status, statuses[0].detail) == (
        "partial",
        "1 of 8 queries failed (unlevelled (baseline)): answered 400 (bad request): no luck",
    )


@responses.activate
def test_gather_says_when_log_lines_were_cut_by_the_limit() -> None:
    lines = [entry(START + n, f"boom {n}", app="checkout") for n in range(4)]
    serve(nothing, lambda q: lines if '=~"(?i:warn' in q else [])
    sources = [Source("loki", "loki", LOKI, options={**LABELS, "limit": 4})]

    _, statuses = gather(make_scope(), sources)

    assert (statuses[0].status, statuses[0].detail) == (
        "partial",
        "errors (incident) log lines were cut at the newest 4",
    )
