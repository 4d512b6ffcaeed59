"""What one metric is worth, from samples to evidence, in the circumstances that mislead detectors.

Every case is a Telemetry with one series in question; the rest of the ranking is not asked.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from correlation.evidence import Movement, metric_evidence, movements
from correlation.telemetry import SIGNAL_UNITS, Floats, Series, Telemetry

START = 1_800_000_000.0
"""When the window begins."""

STEPS = (1.0, 5.0, 15.0, 60.0, 300.0)


def make_series(
    times: Floats, values: Floats, signal: str = "error_ratio", service: str = "shop"
) -> Series:
    unit, direction = SIGNAL_UNITS[signal]
    return Series(service, signal, times, values, direction, unit)


def telemetry_of(*series: Series, after: float = 300.0, before: float = 2700.0) -> Telemetry:
    return Telemetry(
        target="shop",
        started_at=START,
        as_of=START + after,
        baseline=(START - before, START),
        window=(START, START + after),
        series=series,
    )


def moved(
    signal: str,
    usual: float,
    during: float,
    *,
    noise: float = 0.0,
    step: float = 15.0,
    onset: float = START,
    before: float = 2700.0,
    after: float = 300.0,
    seed: int = 0,
) -> Movement:
    """One series that is `usual` until `onset` and `during` from then on."""
    times = np.arange(START - before, START + after + 1e-6, step)
    values = np.where(times < onset, usual, during)
    values = values + noise * np.random.default_rng(seed).standard_normal(times.size)
    found = movements(telemetry_of(make_series(times, values, signal), after=after, before=before))
    return found["shop", signal, None]


# --- size -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "usual", "during"),
    [
        ("error_ratio", 0.0, 0.002),
        ("latency_p95", 0.080, 0.086),
        ("cpu_saturation", 0.30, 0.34),
        ("restarts", 0.0, 0.05),
        ("request_rate", 20.0, 21.0),
        ("memory", 4.0e8, 4.1e8),
    ],
)
def test_a_still_baseline_makes_no_evidence_of_a_trifle(
    signal: str, usual: float, during: float
) -> None:
    assert moved(signal, usual, during).confidence < 0.15


def test_evidence_of_errors_grows_with_the_rise() -> None:
    times = np.arange(START - 2700.0, START + 300.0, 15.0)
    traffic = make_series(times, np.full(times.size, 50.0), "request_rate")
    found = []
    for rise in (0.005, 0.05, 0.5):
        errors = make_series(times, np.where(times < START, 0.002, 0.002 + rise))
        found.append(movements(telemetry_of(errors, traffic))["shop", "error_ratio", None])

    small, five_points, fifty = (movement.confidence for movement in found)

    assert small < 0.15
    assert five_points == pytest.approx(0.6, abs=0.05)
    assert fifty >= 0.95


# --- direction ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "usual", "better"),
    [
        ("error_ratio", 0.4, 0.0),
        ("latency_p95", 2.0, 0.1),
        ("cpu_saturation", 0.95, 0.2),
        ("pool_waiting", 30.0, 0.0),
        ("replicas_ready", 0.5, 1.0),
    ],
)
def test_getting_better_is_no_evidence(signal: str, usual: float, better: float) -> None:
    assert moved(signal, usual, better).effect is None


@pytest.mark.parametrize("during", [2.0, 90.0])
def test_traffic_may_move_either_way(during: float) -> None:
    found = moved("request_rate", 20.0, during, noise=1.0)

    assert found.effect is not None
    assert (found.confidence > 0.6, found.effect.sign) == (True, 1 if during > 20.0 else -1)


# --- how often and how long -----------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
def test_a_plain_fault_is_seen_at_every_step(step: float) -> None:
    found = moved(
        "error_ratio", 0.002, 0.4, noise=0.001, step=step, before=40 * step, after=4 * step
    )

    assert found.effect is not None
    assert found.confidence > 0.85
    assert abs(found.effect.onset.at - START) <= step


@pytest.mark.parametrize("points", [5, 50, 500, 5000])
def test_a_plain_fault_is_seen_in_few_points_and_in_many(points: int) -> None:
    step = 3000.0 / points
    found = moved("latency_p95", 0.08, 0.8, noise=0.004, step=step, before=2400.0, after=600.0)

    assert found.confidence > 0.75


@pytest.mark.parametrize("points", [5, 50, 500, 5000])
@pytest.mark.parametrize("seed", range(5))
def test_noise_is_not_seen_in_few_points_nor_in_many(points: int, seed: int) -> None:
    step = 3000.0 / points
    found = moved(
        "latency_p95", 0.08, 0.08, noise=0.004, step=step, before=2400.0, after=600.0, seed=seed
    )

    assert found.confidence < 0.15


# --- when -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [60.0, 180.0, 300.0])
def test_an_alert_minutes_late_does_not_hide_the_fault(late: float) -> None:
    found = moved("error_ratio", 0.002, 0.4, noise=0.001, onset=START - late)

    assert found.effect is not None
    assert found.confidence > 0.85
    assert found.effect.onset.at == START  # no earlier than was looked


def test_a_late_onset_is_found_where_it_is_with_its_uncertainty() -> None:
    found = moved("error_ratio", 0.002, 0.4, noise=0.001, onset=START + 120.0)

    assert found.effect is not None
    assert abs(found.effect.onset.at - (START + 120.0)) <= 15.0
    assert 15.0 <= found.effect.onset.uncertainty_seconds <= 30.0


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.3])
def test_an_earlier_fault_in_the_baseline_does_not_hide_this_one(share: float) -> None:
    times = np.arange(START - 2700.0, START + 300.0, 15.0)
    earlier = (times >= START - 2000.0) & (times < START - 2000.0 + share * 2700.0)
    values = np.where((times >= START) | earlier, 0.4, 0.002)

    found = movements(telemetry_of(make_series(times, values)))["shop", "error_ratio", None]

    assert found.confidence > 0.85


# --- seasons and chance ---------------------------------------------------------------------------


@pytest.mark.parametrize("period", [60.0, 300.0, 900.0])
@pytest.mark.parametrize("signal", ["latency_p95", "request_rate", "cpu_saturation"])
def test_a_rhythm_the_baseline_knows_is_no_evidence(signal: str, period: float) -> None:
    level, swing = {
        "latency_p95": (0.1, 0.06),
        "request_rate": (40.0, 20.0),
        "cpu_saturation": (0.5, 0.3),
    }[signal]
    times = np.arange(START - 2700.0, START + 300.0, 15.0)
    values = level + swing * np.sin(2.0 * np.pi * times / period)

    found = movements(telemetry_of(make_series(times, values, signal)))["shop", signal, None]

    assert found.confidence < 0.3


def test_the_slow_swing_of_a_day_is_no_evidence() -> None:
    times = np.arange(START - 2700.0, START + 300.0, 15.0)
    values = 40.0 + 25.0 * np.sin(2.0 * np.pi * (times - START) / 86_400.0)  # at its steepest

    found = movements(telemetry_of(make_series(times, values, "request_rate")))

    assert found["shop", "request_rate", None].confidence < 0.15


def test_chance_alone_makes_no_evidence_among_many() -> None:
    rng = np.random.default_rng(7)
    times = np.arange(START - 2700.0, START + 300.0, 15.0)
    series = [
        make_series(
            times,
            np.abs(0.08 + 0.01 * rng.standard_normal(times.size)),
            "latency_p95",
            service=f"service-{n:03}",
        )
        for n in range(400)
    ]

    found = movements(telemetry_of(*series))

    assert [key for key, movement in found.items() if movement.confidence >= 0.3] == []


def test_lone_outliers_of_heavy_tails_are_rarely_told_and_never_with_confidence() -> None:
    rng = np.random.default_rng(7)
    times = np.arange(START - 2700.0, START + 300.0, 15.0)
    series = [
        make_series(
            times,
            np.abs(0.08 + 0.01 * rng.standard_t(4.0, times.size)),
            "latency_p95",
            service=f"service-{n:03}",
        )
        for n in range(400)
    ]

    found = [movement.confidence for movement in movements(telemetry_of(*series)).values()]

    assert sum(confidence >= 0.3 for confidence in found) <= 0.05 * len(found)
    assert max(found) < 0.75


def test_the_same_effect_is_worth_less_among_more_series() -> None:
    times = np.arange(START - 2700.0, START + 300.0, 15.0)
    rng = np.random.default_rng(1)
    odd = make_series(
        times,
        np.where(times < START, 0.08, 0.118) + 0.008 * rng.standard_normal(times.size),
        "latency_p95",
    )
    calm = [
        make_series(times, np.full(times.size, 0.08), "latency_p95", service=f"calm-{n:04}")
        for n in range(1000)
    ]

    alone = movements(telemetry_of(odd))["shop", "latency_p95", None]
    among = movements(telemetry_of(odd, *calm))["shop", "latency_p95", None]

    assert among.confidence < alone.confidence


# --- missing data ---------------------------------------------------------------------------------


def still_reporting() -> list[Series]:
    times = np.arange(START - 2700.0, START + 300.0 + 1e-6, 15.0)
    return [
        make_series(times, np.full(times.size, 20.0), "request_rate", service=name)
        for name in ("cart", "search")
    ]


def test_traffic_that_stops_being_reported_is_evidence() -> None:
    times = np.arange(START - 2700.0, START + 30.0, 15.0)
    stopped = make_series(times, np.full(times.size, 20.0), "request_rate")

    telemetry = telemetry_of(stopped, *still_reporting())
    found = movements(telemetry)["shop", "request_rate", None]

    assert found.effect is not None
    assert (found.confidence > 0.5, found.effect.sign) == (True, -1)
    assert abs(found.effect.onset.at - (START + 30.0)) <= 15.0
    titles = [
        item.title
        for item in metric_evidence(
            {("shop", "request_rate", None): found}, telemetry.window, telemetry.as_of
        )
    ]
    assert titles == ["shop: request rate fell from 20/s to 0/s"]


def test_a_store_that_stopped_for_everybody_is_nobodys_silence() -> None:
    times = np.arange(START - 2700.0, START + 30.0, 15.0)
    series = [
        make_series(times, np.full(times.size, 20.0), "request_rate", service=name)
        for name in ("shop", "cart", "search")
    ]

    found = movements(telemetry_of(*series))

    assert [movement.effect for movement in found.values()] == [None] * 3


def test_a_gap_in_the_middle_is_not_silence() -> None:
    times = np.arange(START - 2700.0, START + 300.0 + 1e-6, 15.0)
    holed = times[(times < START + 60.0) | (times > START + 180.0)]
    gap = make_series(holed, np.full(holed.size, 20.0), "request_rate")

    found = movements(telemetry_of(gap, *still_reporting()))["shop", "request_rate", None]

    assert found.effect is None


def test_an_unasked_baseline_is_no_healthy_one() -> None:
    times = np.arange(START, START + 300.0, 15.0)
    fresh = make_series(times, np.full(times.size, 0.4))

    assert movements(telemetry_of(fresh))["shop", "error_ratio", None].effect is None


def test_samples_after_the_moment_looked_at_do_not_count() -> None:
    times = np.arange(START - 2700.0, START + 600.0, 15.0)
    series = make_series(times, np.where(times < START + 310.0, 0.002, 0.5))

    found = movements(replace(telemetry_of(series), as_of=START + 300.0))

    assert found["shop", "error_ratio", None].effect is None
