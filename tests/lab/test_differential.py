"""The lab tells the truth: the same samples in a real Prometheus give the same answers.

Without the real server (python -m tests.servers.prometheus fetch) these tests are skipped by name.
"""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from correlation.metrics import profiles
from lab.prometheus_api import respond
from lab.tsdb import Tsdb
from tests.lab.synthetic import SECONDS, START, make_tsdb
from tests.servers import ServerError
from tests.servers.prometheus import openmetrics, program, running_prometheus

RELATIVE = 1e-9
WINDOW_SECONDS = 30.0

PRODUCT = [
    """(sum by (service) (rate(http_requests_total{status=~"5.."}[30s]))
    or sum by (service) (rate(http_requests_total[30s])) * 0)
    / sum by (service) (rate(http_requests_total[30s]))""",
    "histogram_quantile(0.95, sum by (service, le)"
    " (rate(http_request_duration_seconds_bucket[30s])))",
    "sum by (service) (rate(client_request_duration_seconds_sum[30s]))"
    " / sum by (service) (rate(http_request_duration_seconds_count[30s]))",
    "sum by (service) (increase(kube_pod_container_status_restarts_total[5m]))",
    "max by (service) (db_pool_connections_in_use / db_pool_connections_max)",
]
LANGUAGE = [
    'http_requests_total{service="cart",status!="200"}',
    '{__name__=~"process_.*",pod!~".*-1"}',
    "db_pool_pending_acquires offset 90s",
    f"db_pool_pending_acquires @ {START + 400}",
    "rate(http_requests_total[1m] offset 2m)",
    f"increase(http_requests_total[2m] @ {START + 500})",
    'rate({__name__="process_cpu_seconds_total"}[7s])',
    "irate(http_requests_total[30s])",
    "idelta(process_resident_memory_bytes[30s])",
    "delta(process_resident_memory_bytes[2m])",
    "deriv(process_resident_memory_bytes[2m])",
    "changes(db_pool_connections_in_use[2m])",
    "resets(http_requests_total[5m])",
    *(
        f"{function}_over_time(process_resident_memory_bytes[90s])"
        for function in ("avg", "min", "max", "sum", "count", "last", "stddev", "stdvar", "present")
    ),
    "quantile_over_time(0.9, db_pool_connections_in_use[2m])",
    "quantile_over_time(2, db_pool_connections_in_use[1m])",
    "histogram_quantile(0.5, rate(http_request_duration_seconds_bucket[1m]))",
    'histogram_quantile(0.9, http_request_duration_seconds_bucket{le!="+Inf"})',
    'histogram_quantile(0.9, http_request_duration_seconds_bucket{le!="0.1"}) > 0.2',
    "histogram_quantile(1.5, sum by (le) (http_request_duration_seconds_bucket))",
    "histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[1m]) * 0))",
    *(
        f"{fold} by (service, status) (rate(http_requests_total[1m]))"
        for fold in ("sum", "avg", "min", "max", "count", "stddev", "stdvar", "group")
    ),
    "avg without (pod) (process_resident_memory_bytes)",
    "sum(http_requests_total)",
    "sum by (nope) (process_resident_memory_bytes)",
    "quantile(0.75, process_resident_memory_bytes)",
    "quantile by (service) (0.1, rate(http_requests_total[1m]))",
    "topk(3, process_resident_memory_bytes)",
    "topk by (service) (1, rate(http_requests_total[1m]))",
    "bottomk(2, process_resident_memory_bytes)",
    "topk(0, process_resident_memory_bytes)",
    "sort_desc(process_resident_memory_bytes)",
    "sort(sum by (service) (rate(http_requests_total[2m])))",
    "process_resident_memory_bytes / 1e6 % 7 - 2 ^ 3",
    "-process_resident_memory_bytes",
    "1 - db_pool_connections_in_use / db_pool_connections_max",
    "process_resident_memory_bytes > 250e6",
    "250e6 < process_resident_memory_bytes",
    "process_resident_memory_bytes >= bool 250e6",
    "db_pool_connections_in_use == db_pool_connections_in_use",
    "db_pool_connections_in_use != bool db_pool_pending_acquires",
    "db_pool_connections_in_use > on(service, pod) db_pool_pending_acquires * 3",
    "db_pool_connections_in_use > ignoring(nope) db_pool_pending_acquires * 3",
    "1 > bool 2",
    "process_resident_memory_bytes and on(pod) (db_pool_connections_in_use > 5)",
    "process_resident_memory_bytes unless on(pod) (db_pool_connections_in_use > 5)",
    "(db_pool_connections_in_use > 5) or db_pool_pending_acquires",
    "(db_pool_connections_in_use > 5) or on(service) db_pool_pending_acquires",
    "rate(http_requests_total[1m]) / on(service, pod) group_left"
    " sum by (service, pod) (rate(http_requests_total[1m]))",
    "sum by (service, pod) (rate(http_requests_total[1m])) / on(service, pod) group_right"
    " rate(http_requests_total[1m])",
    "rate(http_requests_total[1m]) * on(service) group_left(nope, zone)"
    ' label_replace(kube_deployment_spec_replicas, "zone", "z-$1", "service", "(.*)")',
    "db_pool_connections_in_use / ignoring(resource) group_right"
    " kube_pod_container_resource_limits",
    'label_replace(up_or_not, "a", "b", "c", "d")',
    'label_replace(db_pool_connections_max, "zone", "${1}x$2", "pod", "(.*)-([01])")',
    'label_replace(db_pool_connections_max, "pod", "", "pod", ".*-0")',
    'label_replace(db_pool_connections_max, "zone", "z$name", "pod", "(?P<name>c.*)-.*")',
    'label_join(db_pool_connections_max, "both", "/", "service", "pod", "nope")',
    "abs(-process_resident_memory_bytes)",
    "ceil(process_cpu_seconds_total) + floor(process_cpu_seconds_total)",
    "round(process_cpu_seconds_total, 0.5) + round(process_cpu_seconds_total)",
    "sqrt(process_resident_memory_bytes) + ln(process_resident_memory_bytes)",
    "exp(process_cpu_seconds_total / 1000) + log2(process_cpu_seconds_total)",
    "sgn(db_pool_pending_acquires) + log10(process_resident_memory_bytes)",
    "clamp(process_resident_memory_bytes, 200e6, 260e6)",
    "clamp(process_resident_memory_bytes, 9, 3)",
    "clamp_min(db_pool_pending_acquires, 1) + clamp_max(db_pool_pending_acquires, 2)",
    "scalar(sum(process_resident_memory_bytes))",
    "scalar(process_resident_memory_bytes)",
    "vector(time())",
    "vector(1) / 0",
    "absent(nope{a='b', c=~'d', e='f', e!='g'})",
    "absent(process_resident_memory_bytes)",
    "absent(sum(nope{a='b'}))",
    "absent_over_time(db_pool_pending_acquires{pod='cart-0'}[10s])",
    "max_over_time(rate(http_requests_total[1m])[5m:30s])",
    "avg_over_time(process_resident_memory_bytes[3m:7s])",
    "count_over_time((db_pool_connections_in_use > 5)[4m:])",
    "sum(sum_over_time((db_pool_connections_in_use <= bool 5)[2m:15s]))",
    "last_over_time(db_pool_pending_acquires[1m:10s] offset 45s)",
    f"increase(http_requests_total[2m:20s] @ {START + 500})",
    "max_over_time((http_requests_total @ start())[2m:20s] offset 1m)",
    "min_over_time(sum by (service) (avg_over_time(db_pool_connections_in_use[1m:5s]))[3m:20s])",
    "quantile_over_time(0.9, (db_pool_connections_in_use + 1)[2m:15s])",
    "rate((http_requests_total offset 30s)[2m:10s])",
    "absent_over_time(nope{a='b'}[1m:10s])",
    "time() - 3",
    "(1 + 2) * 3 ^ 2 ^ 0.5",
]
FAILING = [
    "rate(http_requests_total[1m]) * on(service) group_left(pod)"
    ' label_replace(kube_deployment_spec_replicas, "pod", "p-$1", "service", "(.*)")',
    "http_requests_total / on(service) http_requests_total",
    "kube_deployment_spec_replicas / on(service) http_requests_total",
    "http_requests_total / on(service) kube_deployment_spec_replicas",
    'rate({__name__=~"process_cpu_seconds_total|kube_pod_container_status_restarts_total"}[1m])',
    "-{__name__=~'db_pool_connections_in_use|db_pool_connections_max'}",
    'label_replace(db_pool_connections_max, "pod", "same", "pod", ".*")',
    'label_replace(db_pool_connections_max, "not-a-name", "same", "pod", ".*")',
    "rate(http_requests_total)",
    "sum(rate(http_requests_total[5m])",
    "",
]


def _profile_queries() -> Iterator[str]:
    for name in sorted(profiles.names()):
        for row in profiles.load(name).queries(WINDOW_SECONDS):
            yield row.query


QUERIES = list(dict.fromkeys([*_profile_queries(), *PRODUCT, *LANGUAGE]))


@pytest.fixture(scope="module")
def tsdb() -> Tsdb:
    return make_tsdb()


@pytest.fixture(scope="module")
def real(tsdb: Tsdb) -> Iterator[str]:
    try:
        program("promtool")
    except ServerError as error:
        pytest.skip(f"real Prometheus: {error}")
    with running_prometheus(openmetrics(tsdb)) as url:
        yield url


def ask_real(url: str, path: str, params: dict[str, Any]) -> tuple[int, Any]:
    request = f"{url}{path}?{urllib.parse.urlencode(params)}"
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def ask_lab(tsdb: Tsdb, path: str, params: dict[str, Any]) -> tuple[int, Any]:
    given = {name: [str(value)] for name, value in params.items()}
    status, content_type, body = respond(tsdb, "GET", path, given)
    assert content_type == "application/json"
    return status, json.loads(body)


def close(ours: str, theirs: str) -> bool:
    if "NaN" in (ours, theirs) or "Inf" in ours + theirs:
        return ours == theirs
    # differences of large numbers (stddev of a constant) may leave rounding dust
    return math.isclose(float(ours), float(theirs), rel_tol=RELATIVE, abs_tol=1e-12)


def points(series: dict[str, Any]) -> list[list[Any]]:
    return series["values"] if "values" in series else [series["value"]]


def check_equal(ours: dict[str, Any], theirs: dict[str, Any], keep_order: bool) -> None:
    assert ours["resultType"] == theirs["resultType"]
    if ours["resultType"] == "scalar":
        ours_series, theirs_series = (
            [{"metric": {}, "value": x["result"]}] for x in (ours, theirs)
        )
    else:
        ours_series, theirs_series = ours["result"], theirs["result"]
    if not keep_order:
        ours_series, theirs_series = (
            sorted(found, key=lambda series: sorted(series["metric"].items()))
            for found in (ours_series, theirs_series)
        )
    assert [s["metric"] for s in ours_series] == [s["metric"] for s in theirs_series]
    for mine, yours in zip(ours_series, theirs_series, strict=True):
        assert [at for at, _ in points(mine)] == [at for at, _ in points(yours)]
        differing = [
            (mine["metric"], a, b)
            for a, b in zip(points(mine), points(yours), strict=True)
            if not close(a[1], b[1])
        ]
        assert differing == []


@pytest.mark.parametrize("query", QUERIES)
def test_range_query_equals_the_real_server(real: str, tsdb: Tsdb, query: str) -> None:
    params = {"query": query, "start": START - 20.5, "end": START + SECONDS + 400, "step": "7"}

    status, theirs = ask_real(real, "/api/v1/query_range", params)
    our_status, ours = ask_lab(tsdb, "/api/v1/query_range", params)

    assert (our_status, ours["status"]) == (status, theirs["status"]) == (200, "success")
    check_equal(ours["data"], theirs["data"], keep_order=True)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("after", [3, 333.333, 900, SECONDS + 250])
def test_instant_query_equals_the_real_server(
    real: str, tsdb: Tsdb, query: str, after: float
) -> None:
    params = {"query": query, "time": START + after}

    status, theirs = ask_real(real, "/api/v1/query", params)
    our_status, ours = ask_lab(tsdb, "/api/v1/query", params)

    assert (our_status, ours["status"]) == (status, theirs["status"]) == (200, "success")
    ordered = query.startswith(("sort", "topk(", "bottomk("))
    check_equal(ours["data"], theirs["data"], keep_order=ordered)


@pytest.mark.parametrize(
    "query",
    [
        "db_pool_connections_in_use[1m]",
        "http_requests_total[7s]",
        "sum by (service) (http_requests_total)[1m:7s]",
    ],
)
def test_samples_equal_the_real_server(real: str, tsdb: Tsdb, query: str) -> None:
    params = {"query": query, "time": START + 600}

    _, theirs = ask_real(real, "/api/v1/query", params)
    _, ours = ask_lab(tsdb, "/api/v1/query", params)

    assert ours["data"]["resultType"] == "matrix"
    check_equal(ours["data"], theirs["data"], keep_order=False)


@pytest.mark.parametrize("query", FAILING)
def test_error_equals_the_real_server(real: str, tsdb: Tsdb, query: str) -> None:
    params = {"query": query, "time": START + 600}

    status, theirs = ask_real(real, "/api/v1/query", params)
    our_status, ours = ask_lab(tsdb, "/api/v1/query", params)

    assert (our_status, ours["errorType"]) == (status, theirs["errorType"])
    # which two of many duplicates are named depends on storage order
    assert ours["error"].split(" operation: [")[0] == theirs["error"].split(" operation: [")[0]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/api/v1/labels", {}),
        ("/api/v1/labels", {"match[]": "http_requests_total"}),
        ("/api/v1/label/service/values", {}),
        ("/api/v1/label/__name__/values", {"match[]": '{service="cart"}'}),
        ("/api/v1/label/nope/values", {}),
        ("/api/v1/series", {"match[]": 'http_requests_total{pod="cart-0"}'}),
    ],
)
def test_label_listing_equals_the_real_server(
    real: str, tsdb: Tsdb, path: str, params: dict[str, str]
) -> None:
    params = {**params, "start": str(START), "end": str(START + SECONDS)}

    assert ask_lab(tsdb, path, params) == ask_real(real, path, params)
