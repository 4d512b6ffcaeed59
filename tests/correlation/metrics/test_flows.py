from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from correlation.metrics.flows import flows_of
from correlation.telemetry import Series
from tests.correlation.coarse_systems import BUCKETS, STEP, TIMES, make_incident, make_series

LATENCIES = {"shop": (0.2, (0.5, 0.3, 0.2)), "cart": (0.1, (0.1, 0.1, 0.1))}


def flow_of(series: Series, rates: dict[str, Series] | None = None):  # type: ignore[no-untyped-def]
    telemetry = make_incident({}, {})
    return flows_of(telemetry, {series.service: series}, rates or {}, 0.1, 0.001)[series.service]


def test_excess_is_volume_times_what_a_request_takes_longer() -> None:
    telemetry = make_incident(LATENCIES, {"shop": 3.0, "cart": 6.0})
    rates = {s.service: s for s in telemetry.series if s.signal == "request_rate"}
    series = {s.service: s for s in telemetry.series if s.signal == "latency_mean"}

    found = flows_of(telemetry, series, rates, 0.1, 0.001)

    assert found["shop"].excess == pytest.approx([0.9, 0.3, 0.0], abs=1e-9)
    assert found["shop"].usual == pytest.approx(0.6)
    assert found["shop"].noise == pytest.approx(0.06)
    assert found["cart"].volume == 6.0


def test_excess_compares_with_the_buckets_just_before_not_with_older_ones() -> None:
    series = make_series("shop", "latency_mean", 0.2, (0.4, 0.4, 0.4))
    older = np.where(TIMES[BUCKETS - 3] > TIMES, 0.5 * series.values, series.values)

    flow = flow_of(replace(series, values=older))

    assert flow.excess == pytest.approx([0.2, 0.2, 0.2])


def test_a_bucket_without_a_sample_adds_nothing() -> None:
    telemetry = make_incident(LATENCIES, {})
    series = {s.service: s for s in telemetry.series}
    gone = series["shop"].times != TIMES[BUCKETS]
    series["shop"] = replace(series["shop"], times=TIMES[gone], values=series["shop"].values[gone])

    found = flows_of(telemetry, series, {}, 0.1, 0.001)

    assert found["shop"].excess == pytest.approx([0.0, 0.1, 0.0])


def test_a_service_never_seen_before_has_no_flow() -> None:
    late = make_series("shop", "latency_mean", 0.2, (0.4, 0.4, 0.4))
    late = replace(late, times=TIMES[-2:], values=late.values[-2:])

    found = flows_of(make_incident({}, {}), {"shop": late}, {}, 0.1, 0.001)

    assert found == {}


def test_noise_follows_the_tail_of_a_baseline_with_spikes() -> None:
    steady = make_series("shop", "latency_mean", 0.2, (1.0, 0.2, 0.2))
    spiky = steady.values.copy()
    spiky[2:BUCKETS:6] = 1.0

    assert flow_of(steady).noise == pytest.approx(0.02)
    assert flow_of(replace(steady, values=spiky)).noise > 0.15


def test_noise_forgives_one_earlier_fault_in_the_baseline() -> None:
    series = make_series("shop", "latency_mean", 0.2, (1.0, 0.2, 0.2))
    broken = series.values.copy()
    broken[20:32] = 1.0

    assert flow_of(replace(series, values=broken)).noise == pytest.approx(0.02)


def test_noise_of_a_ratio_that_swings_is_not_hidden_by_a_calm_hour() -> None:
    series = make_series("shop", "error_ratio", 0.5, (0.9, 0.0, 0.0))
    swinging = np.where(np.arange(TIMES.size) % 2, 0.9, 0.1)
    swinging[BUCKETS - 3 : BUCKETS] = 0.0
    swinging[BUCKETS:] = series.values[BUCKETS:]

    assert flow_of(replace(series, values=swinging)).noise > 0.5


def test_an_uncounted_service_gets_the_middle_volume() -> None:
    rates = {
        "a": make_series("a", "request_rate", 2.0, (2.0,) * 3),
        "b": make_series("b", "request_rate", 6.0, (6.0,) * 3),
    }

    flow = flow_of(make_series("shop", "latency_mean", 0.2, (0.5, 0.2, 0.2)), rates)

    assert flow.volume == pytest.approx(4.0)
    assert TIMES[1] - TIMES[0] == STEP
