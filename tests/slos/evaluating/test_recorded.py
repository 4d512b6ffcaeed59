"""What a source's rules have recorded is read instead of its counters."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from correlation.sources import Source
from incidents.outbound.deadline import Deadline
from lab import prometheus_api
from lab.tsdb import Tsdb
from slos.burn import HOUR, MINUTE
from slos.definition import Ratio
from slos.evaluating import asking
from slos.evaluating.questions import SHORT_WINDOWS
from slos.sloth_rules import MARK, RATIO, TOTAL, mark_of
from tests.correlation.conftest import Backend
from tests.servers.telemetry import source_at

AT, SCRAPE = 1_800_000_000.0, 15.0
A = Ratio(total='requests_total{service="a"}', bad='failures_total{service="a"}')
B = Ratio(total='requests_total{service="b"}', bad='failures_total{service="b"}')
KEYS = {UUID(int=1): A, UUID(int=2): B}
LONG = ("30m", "1h", "2h", "6h")
RECORDED = 0.25
"""The error ratio in records; the counters tell another."""


def counted() -> Tsdb:
    """Seven hours of two services of which a hundredth of the requests fail."""
    tsdb = Tsdb(8 * HOUR)
    for number in range(round(7 * HOUR / SCRAPE)):
        at = AT - 7 * HOUR + (number + 0.5) * SCRAPE
        for service in ("a", "b"):
            tsdb.append("requests_total", {"service": service}, at, 1000.0 + 100 * number)
            tsdb.append("failures_total", {"service": service}, at, 1000.0 + number)
    return tsdb


def record(tsdb: Tsdb, indicator: Ratio, minutes: int = 365) -> None:
    """The last minutes of rules that were evaluated at half past each."""
    mark = {MARK: mark_of(indicator)}
    for number in range(minutes):
        at = AT - (minutes - number - 0.5) * MINUTE
        tsdb.append(TOTAL, mark, at, 50.0)
        for window in LONG:
            tsdb.append(f"{RATIO}{window}", mark | {"sloth_window": window}, at, RECORDED)


def count(backend: Backend, tsdb: Tsdb) -> asking.Counted:
    backend.respond = lambda path, params: prometheus_api.respond(tsdb, "POST", path, params)
    source: Source = source_at("prometheus", backend.url, directory=None)  # type: ignore[arg-type]
    source = replace(source, options={"step_seconds": SCRAPE})
    return asking.count(source, KEYS, SHORT_WINDOWS, AT, 60.0, Deadline(60.0))


def ratios(counted: asking.Counted, key: int) -> list[float]:
    events = counted.events[UUID(int=key)]
    return [events[window].bad / events[window].total for window in SHORT_WINDOWS]


def test_long_windows_are_read_from_records_of_the_same_indicator(backend: Backend) -> None:
    tsdb = counted()
    record(tsdb, A)

    found = count(backend, tsdb)

    assert ratios(found, 1) == pytest.approx([0.01, 0.01, *[RECORDED] * 4])
    assert ratios(found, 2) == pytest.approx([0.01] * 6)
    assert found.events[UUID(int=1)][HOUR].total == pytest.approx(60 * 50)


def test_where_all_is_recorded_the_counters_are_asked_for_short_windows_only(
    backend: Backend,
) -> None:
    tsdb = counted()
    none = count(backend, tsdb).queries
    record(tsdb, A)
    record(tsdb, B)

    found = count(backend, tsdb)

    # 3 a window of four recorded ones, 3 each for 1 m and 5 m; the piece of 1 m shares one of them
    assert (none, found.queries) == (1 + 6 * 3 + 2, 4 * 3 + 2 * 3 + 2)


def test_records_of_what_the_indicator_once_was_are_not_taken(backend: Backend) -> None:
    tsdb = counted()
    record(tsdb, Ratio(total="requests_total", bad="failures_total"))

    assert ratios(count(backend, tsdb), 1) == pytest.approx([0.01] * 6)


def test_rules_that_are_too_young_are_not_taken(backend: Backend) -> None:
    tsdb = counted()
    record(tsdb, A, minutes=90)

    assert ratios(count(backend, tsdb), 1) == pytest.approx([0.01] * 6)
