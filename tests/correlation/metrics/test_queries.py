"""Which metric queries an analysis sends, and how many, against a server that counts them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest

from correlation import shared_answers
from correlation.gather import gather
from correlation.metrics import profile_detection, profiles
from correlation.metrics.overrides import MOST_OVERRIDES
from correlation.metrics.queries import NO_METRICS, metric_queries
from correlation.sources import FoundAs, Scope, Source, SourceStatus
from correlation.telemetry import Telemetry
from tests.correlation.conftest import NO_SERIES, Answer, Backend

START = 1_795_305_900.0
LABEL_VALUES = "/api/v1/label/__name__/values"
Params = dict[str, list[str]]


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    profile_detection.forget()


def make_scope(**arguments: Any) -> Scope:
    return Scope(target="s0", started_at=START, as_of=START + 300, **arguments)


def answering(data: Any, status: int = 200) -> Answer:
    return status, "application/json", json.dumps({"status": "success", "data": data}).encode()


def matrix(rows: Iterable[tuple[dict[str, str], float]]) -> Answer:
    times = range(int(START) - 900, int(START) + 301, 15)
    result = [
        {"metric": labels, "values": [[at, str(value)] for at in times]} for labels, value in rows
    ]
    return answering({"resultType": "matrix", "result": result})


def has(backend: Backend, *names: str, series: Answer = NO_SERIES) -> list[str]:
    """The server knows these metrics; the queries it is sent are in the list."""
    asked: list[str] = []

    def respond(path: str, params: Params) -> Answer:
        if path == LABEL_VALUES:
            return answering(list(names))
        asked.append(params["query"][0])
        return series

    backend.respond = respond
    return asked


def look(backend: Backend, scope: Scope, **options: Any) -> tuple[Telemetry, SourceStatus]:
    source = Source("prometheus", "prometheus", backend.url, options=options)
    telemetry, statuses = gather(scope, [source], 10.0)
    return telemetry, statuses[0]


@pytest.mark.parametrize("found", [True, False], ids=["with names of their own", "without"])
def test_number_of_requests_is_the_same_for_3_and_300_services(
    backend: Backend, found: bool
) -> None:
    counts = []
    for size in (3, 300):
        profile_detection.forget()
        shared_answers.forget()
        backend.asked.clear()
        services = [f"s{i}" for i in range(size)]
        has(
            backend,
            "http_server_request_duration_seconds_count",
            "kube_deployment_spec_replicas",
            series=matrix(({"studio_service": name}, 1.0) for name in services),
        )
        names = {name: FoundAs(names={"": (f"{name}-app",)}) for name in services}
        edges = tuple(pairwise(services))
        scope = make_scope(
            services=frozenset(services), edges=edges, found_as=names if found else {}
        )

        telemetry, status = look(backend, scope)

        assert len({one.service for one in telemetry.series}) == size
        counts.append((len(backend.asked), status.queries))

    assert counts[0] == counts[1]


def test_named_profile_is_sent_at_once_and_whole(backend: Backend) -> None:
    asked = has(backend)

    look(backend, make_scope(), profile="grpc")

    assert LABEL_VALUES not in backend.asked
    assert sorted(asked) == sorted(row.query for row in profiles.load("grpc").queries(60))


def test_found_profiles_are_kept_so_that_the_next_analysis_needs_no_chain(
    backend: Backend,
) -> None:
    has(backend, "grpc_server_handled_total")

    look(backend, make_scope())
    source = Source("prometheus", "prometheus", backend.url)
    planned = metric_queries(source, make_scope())

    assert backend.asked.count(LABEL_VALUES) == 1
    assert set(planned) == {"callee_mean", "error_ratio", "request_rate"}


def test_detection_asks_for_names_with_the_filter_by_get(backend: Backend) -> None:
    seen: list[str] = []

    def respond(path: str, params: Params) -> Answer:
        seen.extend(params.get("match[]", ()))
        return answering([])

    backend.respond = respond

    _, status = look(backend, make_scope(), filter='cluster="eu",')

    assert len(seen) == 1
    assert seen[0].startswith('{__name__=~"')
    assert seen[0].endswith('",cluster="eu"}')
    assert (status.status, status.queries) == ("no_data", 1)


def test_metrics_without_the_label_lead_to_the_query_that_reads_another(
    backend: Backend,
) -> None:
    def respond(path: str, params: Params) -> Answer:
        if path == LABEL_VALUES:
            return answering(["http_requests_total"])
        if "studio_service" in params["query"][0]:
            return matrix([({"studio_service": "jobbed"}, 3.0)])
        return matrix([({"service": "s0"}, 2.0), ({}, 5.0)])

    backend.respond = respond

    telemetry, status = look(backend, make_scope())

    rates = {one.service: one for one in telemetry.series if one.signal == "request_rate"}
    assert {name: one.values[0] for name, one in rates.items()} == {"s0": 2.0, "jobbed": 3.0}
    assert (status.status, status.queries) == ("ok", 5)


def test_metrics_that_nobody_can_name_are_left_out_and_said(backend: Backend) -> None:
    has(backend, series=matrix([({}, 5.0), ({"studio_service": "s0"}, 1.0)]))

    telemetry, status = look(backend, make_scope(), profile="ingress_nginx")

    assert {one.service for one in telemetry.series} == {"s0"}
    assert "without naming a service was left out" in status.detail


def test_server_that_lists_no_names_is_asked_the_usual_profile(backend: Backend) -> None:
    def respond(path: str, params: Params) -> Answer:
        if path == LABEL_VALUES:
            return 404, "text/plain", b"404 page not found"
        return matrix([({"service": "s0"}, 2.0)])

    backend.respond = respond

    _, status = look(backend, make_scope())

    assert status.status in ("ok", "partial")
    assert "the metric names could not be listed (answered 404" in status.detail


def test_profile_of_a_service_counts_before_all_others(backend: Backend) -> None:
    def respond(path: str, params: Params) -> Answer:
        if path == LABEL_VALUES:
            return answering(["grpc_server_handled_total", "istio_requests_total"])
        value = 2.0 if "istio" in params["query"][0] else 1.0
        return matrix([({"studio_service": name}, value) for name in ("s0", "s1")])

    backend.respond = respond
    scope = make_scope(found_as={"s1": FoundAs(profile="istio")})

    telemetry, _ = look(backend, scope)

    rates = {one.service: one for one in telemetry.series if one.signal == "request_rate"}
    assert {name: one.values[0] for name, one in rates.items()} == {"s0": 1.0, "s1": 2.0}


def test_query_of_a_service_is_asked_for_it_alone(backend: Backend) -> None:
    def respond(path: str, params: Params) -> Answer:
        if path == LABEL_VALUES:
            return answering(["grpc_server_handled_total"])
        if "mine" in params["query"][0]:
            return matrix([({"shop": "x"}, 0.5)])
        return matrix([({"studio_service": name}, 0.1) for name in ("s0", "s1")])

    backend.respond = respond
    own = FoundAs(names={"": ("s.1", "s-one")}, queries={"error_ratio": 'mine{a=~"$service"}'})

    telemetry, _ = look(backend, make_scope(found_as={"s1": own}))

    found = {one.service: one for one in telemetry.series if one.signal == "error_ratio"}
    assert {name: one.values[0] for name, one in found.items()} == {"s0": 0.1, "s1": 0.5}
    assert found["s1"].query == 'mine{a=~"s\\\\.1|s-one"}'


def test_queries_of_single_services_are_limited(backend: Backend) -> None:
    own = {f"s{i}": FoundAs(queries={"cpu": "up", "memory": "up"}) for i in range(300)}
    source = Source("prometheus", "prometheus", backend.url, options={"profile": "grpc"})

    planned = metric_queries(source, make_scope(found_as=own))

    assert len(planned) == MOST_OVERRIDES + len(profiles.load("grpc").templates)
    assert list(planned)[:2] == ["cpu (s0)", "memory (s0)"]


def test_two_names_of_a_service_are_one_series(backend: Backend) -> None:
    has(backend, series=matrix([({"service": "old"}, 2.0), ({"service": "new"}, 3.0)]))
    both = {"s0": FoundAs(names={"prometheus": ("old", "new")})}

    telemetry, _ = look(backend, make_scope(found_as=both), profile="http_requests_total")

    values = {one.signal: one.values[0] for one in telemetry.series if one.peer is None}
    assert (values["request_rate"], values["error_ratio"], values["replicas_ready"]) == (5, 3, 2)


def test_edges_to_bare_addresses_are_left_out(backend: Backend) -> None:
    rows = [
        ({"studio_service": "s0", "studio_peer": peer}, 1.0)
        for peer in ("10.1.2.3", "localhost", "::1", "unknown", "s1")
    ]
    has(backend, series=matrix(rows))

    telemetry, _ = look(backend, make_scope(), profile="otel_http")

    assert telemetry.edges == (("s0", "s1"),)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"profile": "nope"}, "no query profile is called 'nope'"),
        ({"profile": 3}, "option profile must be a name or a list of names"),
        ({"filter": "a=b"}, "option filter does not parse"),
        ({"queries": {"cpu": {"query": "rate("}}}, "option queries.cpu.query: does not parse"),
        ({"queries": {"cpu": {"query": "$x"}}}, "unknown placeholder $x"),
        ({"queries": {"cpus": {"query": "x"}}}, "option queries.cpus: not a known signal"),
    ],
)
def test_wrong_options_are_refused_by_name(options: dict[str, Any], said: str) -> None:
    source = Source("prometheus", "prometheus", "http://prometheus.test", options=options)

    with pytest.raises(ValueError, match=r"\w") as caught:
        metric_queries(source, make_scope())

    assert said in str(caught.value)


def test_server_without_a_known_metric_says_so_however_often_it_is_looked_at(
    backend: Backend,
) -> None:
    has(backend)

    looks = [look(backend, make_scope())[1] for _ in range(2)]

    assert [(one.status, one.detail) for one in looks] == [
        ("no_data", f"answered, but with no data for the time asked; {NO_METRICS}")
    ] * 2
