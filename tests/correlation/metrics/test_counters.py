from __future__ import annotations

import numpy as np
import pytest

from correlation.evidence import REPORTED, movements
from correlation.metrics.counters import as_rate
from correlation.telemetry import SIGNAL_UNITS, Floats, Series, Telemetry

START = 1_800_000_000.0
TIMES = START + 15.0 * np.arange(-180.0, 21.0)


def make_series(values: Floats, signal: str = "request_rate", times: Floats = TIMES) -> Series:
    unit, direction = SIGNAL_UNITS[signal]
    return Series("shop", signal, times, values, direction, unit)


def counter(rate: Floats, first: float = 5e6, reset_at: int | None = None) -> Floats:
    """Of so much a second up to each of TIMES."""
    added = np.cumsum(15.0 * rate)
    since = added if reset_at is None else np.where(np.arange(rate.size) < reset_at, added, 0.0)
    if reset_at is not None:
        since[reset_at:] = added[reset_at:] - added[reset_at - 1] - first
    return first + since


def confidence(series: Series) -> float:
    telemetry = Telemetry(
        target="shop",
        started_at=START,
        as_of=START + 300.0,
        baseline=(START - 2700.0, START - 60.0),
        window=(START - 60.0, START + 300.0),
        series=(series,),
    )
    return movements(telemetry)["shop", series.signal, None].confidence


def steady(seed: int = 1) -> Floats:
    return np.asarray(20.0 + np.random.default_rng(seed).standard_normal(TIMES.size))


@pytest.mark.parametrize("reset_at", [None, 40, 185])
def test_a_counter_that_goes_on_as_before_is_no_evidence(reset_at: int | None) -> None:
    assert confidence(make_series(counter(steady(), reset_at=reset_at))) < REPORTED


@pytest.mark.parametrize("signal", ["request_rate", "cpu", "error_log_rate"])
def test_a_counter_is_worth_what_its_rate_is(signal: str) -> None:
    rate = np.where(TIMES > START, 5.0, 1.0) * steady()

    counted = confidence(make_series(counter(rate, reset_at=190), signal))

    assert counted == pytest.approx(confidence(make_series(rate[1:], signal, TIMES[1:])))
    assert counted > 0.8


def test_increases_are_counted_through_a_reset() -> None:
    values = np.concatenate((100.0 + 30.0 * np.arange(15), 15.0 + 30.0 * np.arange(10)))

    rate = as_rate(make_series(values, times=TIMES[:25]))

    assert rate.values.tolist() == [2.0] * 14 + [1.0] + [2.0] * 9
    assert rate.times.tolist() == TIMES[1:25].tolist()


@pytest.mark.parametrize(
    ("signal", "values"),
    [
        ("memory", 1e8 + 1e6 * np.arange(201.0)),
        ("cpu", steady()),
        ("cpu", np.full(201, 0.3)),
        ("request_rate", np.where(TIMES > START, 90.0, 20.0)),
        ("request_rate", np.concatenate((np.full(180, 20.0), 20.0 + np.arange(21.0)))),
        ("request_rate", np.tile(np.arange(10.0), 21)[:201]),
    ],
)
def test_what_may_be_a_level_is_left_as_it_is(signal: str, values: Floats) -> None:
    series = make_series(np.asarray(values), signal)

    assert as_rate(series) is series
