"""The circuit breaker: what opens it, who may try again, what is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from correlation.data_sources import breaker
from correlation.data_sources.probe import Probe
from correlation.models import DataSource, SourceHealth
from correlation.sources import SourceStatus

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 6, 0, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def failed(reason: str = "refused", detail: str = "connection refused by db:1") -> SourceStatus:
    return SourceStatus("main", "prometheus", "unavailable", detail, 1, 0.1, reason)


ANSWERED = SourceStatus("main", "prometheus", "ok", "", 18, 0.25)


@pytest.fixture
def source() -> DataSource:
    return DataSource.objects.create(slug="main", kind="prometheus", url="http://db:1")


def admitted(source: DataSource, now: datetime) -> str:
    rows = DataSource.objects.filter(pk=source.pk).select_related("health")
    return breaker.admit(rows, now)["main"]


def open_breaker(times: int = 3) -> SourceHealth:
    for _ in range(times):
        breaker.record([failed()], NOW)
    return SourceHealth.objects.get()


def test_breaker_opens_at_the_third_failure_in_a_row(source: DataSource) -> None:
    breaker.record([failed()], NOW)
    breaker.record([failed()], NOW)

    assert admitted(source, after(1)) == ""

    health = open_breaker(1)

    assert (health.state, health.failures, health.opened_at) == ("open", 3, NOW)
    assert health.retry_at is not None
    assert 13.5 <= (health.retry_at - NOW).total_seconds() <= 15.0
    left = round((health.retry_at - after(1)).total_seconds())
    assert admitted(source, after(1)) == (
        "circuit breaker open since 06:00:00 UTC after 3 failures in a row "
        f"(connection refused by db:1), next try in {left} s"
    )


def test_breaker_counts_failures_in_a_row_only(source: DataSource) -> None:
    for status in (failed(), failed(), ANSWERED, failed(), failed()):
        breaker.record([status], NOW)

    health = SourceHealth.objects.get()

    assert (health.state, health.failures) == ("closed", 2)


@pytest.mark.parametrize("reason", ["refused", "dns", "tls", "timeout", "429", "500", "503"])
def test_breaker_opens_for_what_costs_time_or_load(source: DataSource, reason: str) -> None:
    for _ in range(3):
        breaker.record([failed(reason)], NOW)

    assert SourceHealth.objects.get().state == "open"


@pytest.mark.parametrize("reason", ["401", "403", "404", "bad_body", "too_large", "setup"])
def test_breaker_stays_closed_for_a_server_that_says_no(source: DataSource, reason: str) -> None:
    for _ in range(4):
        breaker.record([failed(reason, "no")], NOW)

    health = SourceHealth.objects.get()

    assert (health.state, health.failures) == ("closed", 0)
    assert (health.last_error, health.last_error_at) == ("no", NOW)


def test_breaker_lets_one_probe_through_when_it_is_due(source: DataSource) -> None:
    open_breaker()

    due = after(16)
    answers = [admitted(source, due) for _ in range(3)]

    said = (
        "circuit breaker open since 06:00:00 UTC after 3 failures in a row "
        "(connection refused by db:1), being tried now"
    )
    assert answers == ["", said, said]
    assert SourceHealth.objects.get().state == "half_open"


def test_breaker_gives_the_probe_to_one_of_two_who_read_the_same_row(source: DataSource) -> None:
    open_breaker()
    rows = [DataSource.objects.select_related("health").get() for _ in range(2)]

    let_in = [breaker.admit([row], after(16))["main"] == "" for row in rows]

    assert let_in == [True, False]


def test_breaker_gives_the_probe_again_when_it_never_reported(source: DataSource) -> None:
    open_breaker()
    admitted(source, after(16))

    assert admitted(source, after(16 + 14)) != ""
    assert admitted(source, after(16 + 16)) == ""


def test_breaker_closes_when_the_probe_is_answered(
    source: DataSource, caplog: pytest.LogCaptureFixture
) -> None:
    open_breaker()
    admitted(source, after(16))

    with caplog.at_level("INFO", logger="studio.correlation"):
        breaker.record([ANSWERED], after(17))

    health = SourceHealth.objects.get()
    assert (health.state, health.failures, health.retry_at) == ("closed", 0, None)
    assert (health.last_success_at, health.latency_seconds) == (after(17), 0.25)
    assert [record.getMessage() for record in caplog.records] == [
        "circuit breaker of main is open after 3 failures in a row: connection refused by db:1",
        "circuit breaker of main is closed",
    ]


def test_breaker_pauses_double_up_to_two_minutes(source: DataSource) -> None:
    health = open_breaker()
    now, pauses = NOW, []
    for _ in range(5):
        assert health.retry_at is not None
        pauses.append((health.retry_at - now).total_seconds())
        now = health.retry_at
        assert admitted(source, now) == ""
        breaker.record([failed()], now)
        health.refresh_from_db()

    assert [round(pause / longest, 1) in (0.9, 1.0) for pause, longest in
            zip(pauses, [15, 30, 60, 120, 120], strict=True)] == [True] * 5  # fmt: skip
    assert health.opened_at == NOW


def test_breaker_ignores_sources_that_were_not_asked(source: DataSource) -> None:
    held = SourceStatus(
        "main", "prometheus", "unavailable", "circuit breaker open", reason="closed"
    )
    absent = SourceStatus("loki", "loki", "not_configured", "no address is set")

    breaker.record([held, absent], NOW)

    assert not SourceHealth.objects.exists()


def test_breaker_does_not_extend_its_pause_for_late_failures(source: DataSource) -> None:
    retry_at = open_breaker().retry_at

    breaker.record([failed()], after(5))

    health = SourceHealth.objects.get()
    assert (health.failures, health.retry_at) == (3, retry_at)


def test_record_reads_once_and_writes_only_what_has_changed(source: DataSource) -> None:
    breaker.record([ANSWERED], NOW)

    with CaptureQueriesContext(connection) as soon:
        breaker.record([ANSWERED], after(4))
    with CaptureQueriesContext(connection) as later:
        breaker.record([ANSWERED], after(6))

    assert (len(soon), len(later)) == (1, 2)


def test_probe_closes_the_breaker_and_keeps_the_version(source: DataSource) -> None:
    open_breaker()

    breaker.record_probe("main", Probe(True, "3.5.0", 0.01), after(1))

    health = SourceHealth.objects.get()
    assert (health.state, health.version, health.latency_seconds) == ("closed", "3.5.0", 0.01)


def test_health_is_written_down_when_another_worker_was_faster(source: DataSource) -> None:
    breaker.record([failed()], NOW)
    read = SourceHealth.objects.get()
    breaker.record([failed()], NOW)

    lost: Any = breaker._moved("main", read, {"failures": 2})

    assert (lost, SourceHealth.objects.get().failures) == (False, 2)
