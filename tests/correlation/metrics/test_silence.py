from __future__ import annotations

import numpy as np
import pytest

from correlation.blame import suspects
from correlation.evidence import metric_evidence, movements
from correlation.metrics.silence import PROCESS_REPORTS, REQUEST_REPORTS, reports
from correlation.ranking import weigh
from correlation.symptoms import Graph
from correlation.telemetry import SIGNAL_UNITS, Floats, Series, Telemetry

START = 1_800_000_000.0
STEP = 15.0
TIMES = START + STEP * np.arange(-180.0, 21.0)
UNTIL_STOP = TIMES[TIMES < START + 60.0]
PROCESS = ("cpu", "memory")
REQUESTS = ("latency_p95", "error_ratio")


def series_of(service: str, times: Floats, *signals: str) -> list[Series]:
    return [
        Series(
            service, signal, times, np.full(times.size, 0.3), SIGNAL_UNITS[signal][1],
            SIGNAL_UNITS[signal][0],
        )
        for signal in signals
    ]  # fmt: skip


def telemetry_of(*series: list[Series], after: float = 300.0) -> Telemetry:
    return Telemetry(
        target="web",
        started_at=START,
        as_of=START + after,
        baseline=(START - 2700.0, START - 60.0),
        window=(START - 60.0, START + after),
        series=tuple(one for given in series for one in given),
        edges=(("web", "shop"), ("web", "cart")),
    )


def others(*signals: str) -> list[Series]:
    return [one for name in ("web", "cart", "stock") for one in series_of(name, TIMES, *signals)]


@pytest.mark.parametrize(
    ("signals", "reported"), [(PROCESS, PROCESS_REPORTS), (REQUESTS, REQUEST_REPORTS)]
)
def test_series_that_stop_while_others_go_on_are_evidence(
    signals: tuple[str, str], reported: str
) -> None:
    telemetry = telemetry_of(series_of("shop", UNTIL_STOP, *signals), others(*signals))

    (found,) = metric_evidence(movements(telemetry), telemetry.window, telemetry.as_of)

    assert (found.service, found.signal, found.direction) == ("shop", reported, "down")
    assert (found.baseline, found.value, found.onset_at) == (1.0, 0.0, UNTIL_STOP[-1] + STEP)
    assert found.title.endswith("metrics still reported fell from 100 % to 0 %")
    assert found.confidence > 0.5


def test_one_series_of_two_that_stops_is_worth_less() -> None:
    half = [*series_of("shop", UNTIL_STOP, "cpu"), *series_of("shop", TIMES, "memory")]

    telemetry = telemetry_of(half, others(*PROCESS))

    found = movements(telemetry)["shop", PROCESS_REPORTS, None]
    assert 0.15 < found.confidence < 0.4


def test_scrape_gap_of_most_services_is_the_monitoring() -> None:
    stopped = [
        one for name in ("shop", "web", "cart") for one in series_of(name, UNTIL_STOP, *PROCESS)
    ]

    assert reports(telemetry_of(stopped, series_of("stock", TIMES, *PROCESS))) == []
    assert reports(telemetry_of(stopped)) == []


@pytest.mark.parametrize(
    "times",
    [
        TIMES[(TIMES < START - 900.0) | ((TIMES > START - 600.0) & (TIMES < START + 60.0))],
        TIMES[(TIMES > START - 400.0) & (TIMES < START + 60.0)],
        TIMES[TIMES < START - 900.0],
        TIMES[:-1],
        TIMES[(TIMES < START) | (TIMES > START + 120.0)],
    ],
    ids=["had gaps before", "ran for minutes only", "stopped long ago", "one late", "came back"],
)
def test_what_is_no_sudden_silence_is_none(times: Floats) -> None:
    assert reports(telemetry_of(series_of("shop", times, *PROCESS), others(*PROCESS))) == []


def test_silence_is_not_told_before_it_has_lasted() -> None:
    telemetry = telemetry_of(series_of("shop", UNTIL_STOP, *PROCESS), others(*PROCESS), after=75.0)

    assert reports(telemetry) == []


def test_process_no_longer_measured_is_suspected_of_not_running() -> None:
    telemetry = telemetry_of(series_of("shop", UNTIL_STOP, *PROCESS), others(*PROCESS))

    (first,) = weigh(telemetry).hypotheses

    assert (first.suspect.service, first.verdict.kind) == ("shop", "unavailable")


def test_service_without_requests_is_blamed_only_where_callers_suffer() -> None:
    calm = telemetry_of(series_of("shop", UNTIL_STOP, *REQUESTS), others(*REQUESTS))

    judged = suspects(Graph(calm, movements(calm), [], []))

    assert judged["shop"].features["silence"] == 0.0
