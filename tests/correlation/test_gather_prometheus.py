"""Gathering from a real Prometheus that holds a recorded incident; skipped by name without one."""

from __future__ import annotations

import numpy as np
import pytest

from correlation.gather import Scope, Source, gather
from correlation.telemetry import Series, Telemetry
from tests.servers import ServerError
from tests.servers.prometheus import program, running_prometheus

START = 1_795_305_900
STEP = 15
RATES = {  # service -> (requests a second, failed share during the incident)
    "checkout": (20.0, 0.25),
    "payments": (10.0, 0.5),
}


def history() -> str:
    """40 minutes of counters, healthy until START, as OpenMetrics with timestamps."""
    lines = []
    times = range(START - 1800, START + 601, STEP)
    lines.append("# TYPE http_requests counter")
    for service, (rate, share) in RATES.items():
        for status in ("200", "500"):
            for at in times:
                bad = max(0, at - START) * rate * share
                total = (at - times[0]) * rate - bad if status == "200" else bad
                if status == "200" or at >= START:  # a failure nobody saw yet has no series
                    labels = f'service="{service}",status="{status}"'
                    lines.append(f"http_requests_total{{{labels}}} {total} {at}")
    lines.append("# TYPE client_requests counter")
    lines += [
        f'client_requests_total{{service="checkout",peer="payments",status="ok"}} '
        f"{(at - times[0]) * 10.0} {at}"
        for at in times
    ]
    lines.append("# TYPE db_pool_connections_in_use gauge")
    lines += [f'db_pool_connections_in_use{{service="payments"}} 0 {at}' for at in times]
    lines.append("# TYPE db_pool_connections_max gauge")
    lines += [f'db_pool_connections_max{{service="payments"}} 0 {at}' for at in times]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def telemetry() -> Telemetry:
    scope = Scope(target="checkout", started_at=float(START), as_of=float(START + 300))
    try:
        program("promtool")
    except ServerError as error:
        pytest.skip(f"real Prometheus: {error}")
    with running_prometheus(history()) as url:
        found, (status, *_) = gather(scope, [Source("prometheus", "prometheus", url)])
    assert status.status == "ok"
    # 0 / 0 of the pool, at every point of the grid that has both gauges
    assert status.detail == "141 NaN or infinite samples were left out"
    return found


def at(series: Series, moment: float) -> float:
    return float(series.values[np.flatnonzero(series.times == moment)[0]])


def test_real_prometheus_gives_the_signals_that_have_data(telemetry: Telemetry) -> None:
    found = {series.key for series in telemetry.series}

    assert found == {
        "metric:checkout:error_ratio",
        "metric:payments:error_ratio",
        "metric:checkout:request_rate",
        "metric:payments:request_rate",
        "metric:checkout>payments:client_error_ratio",
        "metric:checkout>payments:client_request_rate",
    }


@pytest.mark.parametrize("service", RATES)
def test_real_prometheus_error_ratio_is_zero_before_the_first_error(
    telemetry: Telemetry, service: str
) -> None:
    series = next(s for s in telemetry.series if s.key == f"metric:{service}:error_ratio")

    assert at(series, START - 600) == 0.0
    assert at(series, START + 300) == pytest.approx(RATES[service][1])


def test_real_prometheus_edges_come_from_the_edge_signals(telemetry: Telemetry) -> None:
    assert telemetry.edges == (("checkout", "payments"),)
    assert telemetry.baseline == (START - 1785, START - 300)
