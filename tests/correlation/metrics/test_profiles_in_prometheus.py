"""Query profiles on realistic data in a real Prometheus; skipped by name without the server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from correlation.gather import gather
from correlation.metrics import profile_detection
from correlation.ranking import rank
from correlation.sources import FoundAs, Scope, Source
from correlation.telemetry import Series, Telemetry
from tests.correlation.exposition import START, Exposition, after, scaled, steady
from tests.servers import ServerError
from tests.servers.prometheus import program, running_prometheus

CALLS = {"frontend": ("checkout",), "checkout": ("payments", "stock"), "payments": (), "stock": ()}
RATES = {"frontend": 40.0, "checkout": 30.0, "payments": 20.0, "stock": 25.0}
FAILING = {"payments": 0.35, "checkout": 0.2, "frontend": 0.14}
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def pods(service: str) -> tuple[str, ...]:
    return f"{service}-7f8b6c4d9e-x2k4q", f"{service}-7f8b6c4d9e-m7n2p"


def opentelemetry() -> str:
    """OTel over Prometheus' own OTLP intake: the service is the second half of `job`."""
    made = Exposition()
    for service, callees in CALLS.items():
        share = FAILING.get(service, 0.0)
        for number, pod in enumerate(pods(service)):
            base = {"job": f"shop/{service}", "instance": pod, "http_request_method": "POST"}
            rate = RATES[service] / 2
            reset = START - 700 if number else 0
            mean = after(0.04, 0.04 if service == "stock" else 0.3)
            for code, part in (("200", after(1.0, 1.0 - share)), ("500", after(0.0, share))):
                made.histogram(
                    "http_server_request_duration_seconds",
                    {**base, "http_response_status_code": code, "http_route": "/api"},
                    scaled(part, rate),
                    mean,
                    SECONDS,
                    reset,
                )
            for callee in callees:
                failed = FAILING.get(callee, 0.0)
                for code, part in (("200", after(1.0, 1.0 - failed)), ("500", after(0.0, failed))):
                    made.histogram(
                        "http_client_request_duration_seconds",
                        {
                            **base,
                            "http_response_status_code": code,
                            "server_address": f"{callee}.shop.svc.cluster.local",
                            "server_port": "8080",
                        },
                        scaled(part, rate * 0.6),
                        after(0.03, 0.03 if callee == "stock" else 0.28),
                        SECONDS,
                        reset,
                    )
            full = after(4.0, 10.0) if service == "payments" else steady(4.0)
            pool = {"job": f"shop/{service}", "instance": pod, "pool_name": "main"}
            made.gauge("db_client_connections_usage", {**pool, "state": "used"}, full)
            made.gauge("db_client_connections_usage", {**pool, "state": "idle"}, steady(2.0))
            made.gauge("db_client_connections_max", pool, steady(10.0))
    made.gauge("otelcol_process_uptime", {"job": "otel-collector", "instance": "c"}, steady(1.0))
    return made.text


def istio() -> str:
    """A mesh with kube-state-metrics and cAdvisor; payments' pods are killed for want of memory."""
    made = Exposition()
    for caller, callees in {"unknown": ("frontend",), **CALLS}.items():
        for callee in callees:
            failed = FAILING.get(callee, 0.0)
            labels = {
                "source_canonical_service": caller,
                "source_workload": caller,
                "destination_canonical_service": callee,
                "destination_service_name": f"{callee}-svc",
                "destination_service_namespace": "shop",
                "request_protocol": "http",
                "response_flags": "-",
            }
            for reporter in ("source", "destination"):
                for code, part in (("200", after(1.0, 1.0 - failed)), ("503", after(0.0, failed))):
                    for pod in pods(callee if reporter == "destination" else caller):
                        here = {**labels, "reporter": reporter, "response_code": code, "pod": pod}
                        rate = scaled(part, RATES[callee] / 2)
                        made.counter("istio_requests_total", here, rate)
                        made.histogram(
                            "istio_request_duration_milliseconds",
                            here,
                            rate,
                            after(40.0, 40.0 if callee == "stock" else 220.0),
                            tuple(bound * 1000 for bound in SECONDS),
                        )
    scraped = {"job": "kube-state-metrics", "service": "prom-kube-state-metrics"}
    for service in CALLS:
        sick = service == "payments"
        for pod in pods(service):
            here = {**scraped, "namespace": "shop", "pod": pod, "container": "app"}
            made.counter(
                "kube_pod_container_status_restarts_total",
                here,
                after(0.0, 1 / 60) if sick else steady(0.0),
            )
            made.gauge(
                "kube_pod_container_status_last_terminated_reason",
                {**here, "reason": "OOMKilled" if sick else "Completed"},
                after(0.0, 1.0),
            )
            limit = {**here, "resource": "memory", "unit": "byte"}
            made.gauge("kube_pod_container_resource_limits", limit, steady(2e8))
            cadvisor = {"job": "kubelet", "namespace": "shop", "pod": pod, "container": "app"}
            used = after(1e8, 1.95e8) if sick else steady(1e8)
            made.gauge("container_memory_working_set_bytes", cadvisor, used)
            made.gauge("container_memory_working_set_bytes", {**cadvisor, "container": ""}, used)
        state = {**scraped, "namespace": "shop", "deployment": service}
        made.gauge("kube_deployment_spec_replicas", state, steady(2.0))
        ready = after(2.0, 1.0) if sick else steady(2.0)
        made.gauge("kube_deployment_status_replicas_available", state, ready)
    return made.text


def spring() -> str:
    """Micrometer with the common tag `application`; payments' connection pool is exhausted."""
    made = Exposition()
    for service in ("checkout", "payments", "stock"):
        share = FAILING.get(service, 0.0)
        for pod in pods(service):
            base = {"application": f"{service}-app", "job": "spring", "instance": pod}
            for code, outcome, part in (
                ("200", "SUCCESS", after(1.0, 1.0 - share)),
                ("500", "SERVER_ERROR", after(0.0, share)),
            ):
                labels = {**base, "uri": "/pay", "status": code, "outcome": outcome}
                rate = scaled(part, 10.0)
                slow = after(0.05, 0.4 if share else 0.05)
                made.histogram("http_server_requests_seconds", labels, rate, slow, SECONDS)
            probes = {**base, "uri": "/actuator/health", "status": "503", "outcome": "SERVER_ERROR"}
            made.counter("http_server_requests_seconds_count", probes, steady(1.0))
            sick = service == "payments"
            pool = {**base, "pool": "HikariPool-1"}
            made.gauge("hikaricp_connections_max", pool, steady(10.0))
            used = after(3.0, 10.0) if sick else steady(3.0)
            made.gauge("hikaricp_connections_active", pool, used)
            waiting = after(0.0, 40.0) if sick else steady(0.0)
            made.gauge("hikaricp_connections_pending", pool, waiting)
            if service == "checkout":
                for code, outcome, part in (
                    ("200", "SUCCESS", after(1.0, 1.0 - FAILING["payments"])),
                    ("500", "SERVER_ERROR", after(0.0, FAILING["payments"])),
                ):
                    calls = {**base, "client_name": "payments", "status": code, "outcome": outcome}
                    made.histogram(
                        "http_client_requests_seconds",
                        calls,
                        scaled(part, 6.0),
                        after(0.05, 0.38),
                        SECONDS,
                    )
    return made.text


def defaults() -> str:
    """Node and Go: only the scrape job names the service, the code stands in `code`."""
    made = Exposition()
    for service in ("checkout", "payments"):
        share = FAILING["payments"] if service == "payments" else 0.0
        for pod in pods(service):
            base = {"job": service, "instance": pod, "method": "get"}
            for code, part in (("200", after(1.0, 1.0 - share)), ("500", after(0.0, share))):
                rate = scaled(part, 10.0)
                made.counter("http_requests_total", {**base, "code": code}, rate)
            lag = after(0.01, 0.6) if share else steady(0.01)
            made.gauge("nodejs_eventloop_lag_seconds", {"job": service, "instance": pod}, lag)
    return made.text


HISTORIES = {
    "opentelemetry": opentelemetry,
    "istio": istio,
    "spring": spring,
    "defaults": defaults,
}
Looked = dict[str, tuple[Telemetry, Any]]


@pytest.fixture(scope="module", autouse=True)
def server() -> None:
    try:
        program("promtool")
    except ServerError as error:
        pytest.skip(f"real Prometheus: {error}")


def look(
    history: str, found_as: Mapping[str, FoundAs] | None = None, **options: Any
) -> tuple[Telemetry, Any]:
    profile_detection.forget()
    scope = Scope(
        target="checkout",
        started_at=float(START),
        as_of=float(START + 300),
        found_as=found_as or {},
    )
    with running_prometheus(history) as url:
        telemetry, statuses = gather(
            scope, [Source("prometheus", "prometheus", url, options=options)], 30.0
        )
    return telemetry, statuses[0]


@pytest.fixture(scope="module")
def looked() -> Looked:
    named = {
        "checkout": FoundAs(names={"prometheus": ("checkout-app",)}),
        "payments": FoundAs(names={"prometheus": ("payments-app", "payments")}),
        "stock": FoundAs(names={"prometheus": ("stock-app",)}),
    }
    return {
        name: look(history(), named if name == "spring" else None)
        for name, history in HISTORIES.items()
    }


def series(telemetry: Telemetry, service: str, signal: str, peer: str | None = None) -> Series:
    found = [
        one
        for one in telemetry.series
        if (one.service, one.signal, one.peer) == (service, signal, peer)
    ]
    assert len(found) == 1, sorted(one.key for one in telemetry.series)
    return found[0]


def newest(one: Series) -> float:
    return float(one.values[-1])


@pytest.mark.parametrize("name", HISTORIES)
def test_detection_finds_the_convention_and_every_query_is_answered(
    looked: Looked, name: str
) -> None:
    _, status = looked[name]

    assert (status.status, "failed" in status.detail) == ("ok", False), status


@pytest.mark.parametrize("name", ["opentelemetry", "istio", "spring"])
def test_detected_profile_leads_to_the_culprit(looked: Looked, name: str) -> None:
    telemetry, _ = looked[name]

    ranking = rank(telemetry)

    assert not ranking.inconclusive
    assert ranking.causes[0].service == "payments", ranking.causes


def test_opentelemetry_service_is_the_name_in_the_job_and_edges_are_short(looked: Looked) -> None:
    telemetry, _ = looked["opentelemetry"]

    assert {one.service for one in telemetry.series} == set(CALLS)
    assert telemetry.edges == (
        ("checkout", "payments"),
        ("checkout", "stock"),
        ("frontend", "checkout"),
    )
    assert newest(series(telemetry, "payments", "error_ratio")) == pytest.approx(0.35)
    assert newest(series(telemetry, "payments", "pool_saturation")) == 1.0
    assert newest(series(telemetry, "checkout", "request_rate")) == pytest.approx(30.0)
    assert newest(series(telemetry, "checkout", "client_error_ratio", "payments")) == pytest.approx(
        0.35
    )


def test_opentelemetry_rates_survive_a_restarted_counter(looked: Looked) -> None:
    rate = series(looked["opentelemetry"][0], "checkout", "request_rate").values[4:]

    assert float(rate.min()) > 20.0
    assert float(rate.max()) < 31.0


def test_istio_converts_milliseconds_and_leaves_out_what_has_no_proxy(looked: Looked) -> None:
    telemetry, _ = looked["istio"]

    assert {one.service for one in telemetry.series} == set(CALLS)
    assert newest(series(telemetry, "payments", "latency_mean")) == pytest.approx(0.22)
    assert newest(series(telemetry, "stock", "latency_mean")) == pytest.approx(0.04)
    assert telemetry.edges == (
        ("checkout", "payments"),
        ("checkout", "stock"),
        ("frontend", "checkout"),
    )


def test_kube_state_names_the_workload_of_a_pod(looked: Looked) -> None:
    telemetry, _ = looked["istio"]

    assert newest(series(telemetry, "payments", "replicas_ready")) == 0.5
    assert newest(series(telemetry, "payments", "memory_saturation")) == pytest.approx(0.975)
    assert newest(series(telemetry, "payments", "memory")) == pytest.approx(3.9e8)
    assert newest(series(telemetry, "payments", "oom_kills")) == pytest.approx(2.0, rel=0.05)
    assert float(series(telemetry, "stock", "restarts").values.max()) == 0.0


def test_kube_state_reads_the_same_where_scraping_renamed_the_labels(looked: Looked) -> None:
    renamed = "\n".join(
        re.sub(r"\b(namespace|pod|container)=", r"exported_\1=", line).replace(
            "{", '{namespace="monitoring",pod="ksm-5f8d9b7c6-abcde",container="ksm",', 1
        )
        if line.startswith("kube_")
        else line
        for line in istio().splitlines()
    )

    telemetry, _ = look(f"{renamed}\n")

    honoured, _ = looked["istio"]
    signals = ("restarts", "oom_kills", "memory_saturation", "replicas_ready")

    def of(found: Telemetry) -> dict[Any, float]:
        return {one.key: newest(one) for one in found.series if one.signal in signals}

    assert of(telemetry) == of(honoured)


def test_spring_leaves_out_the_actuator_and_knows_services_by_their_names(looked: Looked) -> None:
    telemetry, _ = looked["spring"]

    assert newest(series(telemetry, "checkout", "request_rate")) == pytest.approx(20.0)
    assert newest(series(telemetry, "checkout", "error_ratio")) == pytest.approx(0.2)
    assert newest(series(telemetry, "payments", "pool_waiting")) == 80.0
    assert telemetry.edges == (("checkout", "payments"),)


def test_metrics_that_only_the_job_names_are_asked_by_it(looked: Looked) -> None:
    telemetry, status = looked["defaults"]

    assert {one.service for one in telemetry.series} == {"checkout", "payments"}
    assert newest(series(telemetry, "payments", "error_ratio")) == pytest.approx(0.35)
    assert newest(series(telemetry, "payments", "event_loop_lag")) == pytest.approx(0.6)
    assert "without naming a service" not in status.detail


def test_filter_and_overrides_are_what_is_asked() -> None:
    own = 'sum(rate(http_requests_total{job="$service",code!="200",$filter}[$window]))'
    found_as = {"payments": FoundAs(queries={"request_rate": own})}
    everyones = {"cpu": {"query": "sum by (job) (up{$filter}) * 0 + 2", "service_label": "job"}}

    telemetry, status = look(defaults(), found_as, filter='instance!~".*m7n2p"', queries=everyones)

    assert status.status == "ok"
    assert newest(series(telemetry, "payments", "request_rate")) == pytest.approx(3.5)
    assert newest(series(telemetry, "checkout", "request_rate")) == pytest.approx(10.0)
    asked = series(telemetry, "payments", "request_rate").query
    assert 'job="payments"' in asked
    assert 'instance!~".*m7n2p"}' in asked
