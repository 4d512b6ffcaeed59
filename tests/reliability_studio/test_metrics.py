from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import ApiToken, Role, User
from correlation.models import Analysis, DataSource, SourceHealth
from incidents.models import (
    Alert,
    Alertmanager,
    AlertOccurrence,
    AlertSource,
    Delivery,
    Incident,
)
from reliability_studio import installation

TOKEN = "metrics-token-of-this-test"
QUERIES = 13
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def scrape(client: Client) -> Samples:
    """{(sample name, sorted label pairs): value} of an authorised scrape."""
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200, answer.content
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def of(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, tuple(sorted(labels.items()))))


def make_incident(number: int, **fields: Any) -> Incident:
    """A row alone: no analysis is queued for it."""
    now = timezone.now()
    given = {"severity": "high", "started_at": now, "detected_at": now} | fields
    return Incident.objects.bulk_create(
        [Incident(number=number, title=f"Incident {number}", **given)]
    )[0]


def make_analysis(incident: Incident, status: str, **fields: Any) -> Analysis:
    return Analysis.objects.create(incident=incident, status=status, **fields)


def fill(rows: int) -> datetime:
    """`rows` rows of everything that is measured; the time they are relative to."""
    now = timezone.now()
    source = AlertSource.objects.create(slug=f"sender-{rows}")
    for n in range(rows):
        incident = make_incident(n + 1)
        make_analysis(incident, "queued", queued_at=now - timedelta(seconds=60 + n))
        make_analysis(
            incident,
            "done",
            started_at=now - timedelta(seconds=10 + n),
            finished_at=now - timedelta(seconds=10),
        )
        Delivery.objects.create(source=source, body="{}", received_at=now - timedelta(seconds=30))
        row = DataSource.objects.create(slug=f"loki-{n}", kind="loki", url="http://loki:3100")
        SourceHealth.objects.create(source=row, state="open", failures=3, latency_seconds=0.25)
    return now


@pytest.mark.django_db
def test_metrics_tell_the_state_of_the_installation(client: Client) -> None:
    fill(3)
    make_incident(9, severity="low", status="resolved")

    samples = scrape(client)

    assert of(samples, "studio_database_up") == 1
    assert of(samples, "studio_incidents", status="open", severity="high") == 3
    assert of(samples, "studio_incidents", status="resolved", severity="low") == 1
    assert of(samples, "studio_incidents", status="resolved", severity="high") == 0
    assert of(samples, "studio_analyses_unfinished", status="queued") == 3
    assert of(samples, "studio_analysis_queue_oldest_seconds") == pytest.approx(62, abs=5)
    assert of(samples, "studio_recent_analyses", status="done") == 3
    assert of(samples, "studio_recent_analyses", status="failed") == 0
    assert of(samples, "studio_deliveries_waiting") == 3
    assert of(samples, "studio_delivery_oldest_seconds") == pytest.approx(30, abs=5)
    where = {"source": "loki-0", "kind": "loki", "environment": "production"}
    assert of(samples, "studio_data_source_breaker_state", state="open", **where) == 1
    assert of(samples, "studio_data_source_breaker_state", state="closed", **where) == 0
    assert of(samples, "studio_data_source_latency_seconds", **where) == 0.25
    assert of(samples, "studio_data_source_failures", **where) == 3


@pytest.mark.django_db
def test_metrics_tell_what_time_did_to_alerts(client: Client) -> None:
    now = timezone.now()
    source = AlertSource.objects.create(slug="sender")
    Alertmanager.objects.create(source=source, url="http://am:9093", failures=2)
    alert = Alert.objects.create(
        source=source, identity="a", name="A", labels={}, flapping_since=now
    )
    AlertOccurrence.objects.create(
        alert=alert, claimed_started_at=now, stale_since=now, suppressed_since=now
    )

    samples = scrape(client)

    where = {"source": "sender", "address": "http://am:9093"}
    assert of(samples, "studio_reconcile_failures", **where) == 2
    assert of(samples, "studio_reconcile_last_success_timestamp_seconds", **where) is None
    states = ("stale", "suppressed", "flapping", "held")
    assert [of(samples, f"studio_alerts_{state}") for state in states] == [1, 1, 1, 0]
    assert of(samples, "studio_heartbeats_stopped") == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("quantile", "seconds"), [("0.5", 3), ("0.9", 5), ("1.0", 5)])
def test_durations_are_quantiles_of_recent_runs(
    client: Client, quantile: str, seconds: float
) -> None:
    incident, now = make_incident(1), timezone.now()
    for took in (1, 2, 3, 4, 5):
        make_analysis(incident, "done", started_at=now - timedelta(seconds=took), finished_at=now)
    old = now - timedelta(hours=1)
    make_analysis(incident, "failed", started_at=old - timedelta(seconds=90), finished_at=old)

    samples = scrape(client)

    name = "studio_recent_analysis_duration_seconds"
    assert of(samples, name, quantile=quantile) == pytest.approx(seconds)
    assert of(samples, "studio_recent_analyses", status="failed") == 0


@pytest.mark.django_db
def test_empty_installation_says_zero_and_invents_no_duration(client: Client) -> None:
    samples = scrape(client)

    assert of(samples, "studio_analysis_queue_oldest_seconds") == 0
    assert of(samples, "studio_deliveries_waiting") == 0
    assert of(samples, "studio_alerts_firing") == 0
    assert "studio_recent_analysis_duration_seconds" not in {name for name, _ in samples}


@pytest.mark.django_db
@pytest.mark.parametrize("rows", [1, 3])
def test_scrape_asks_the_same_few_queries(
    client: Client, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fill(rows)

    with django_assert_num_queries(QUERIES):
        scrape(client)


@pytest.mark.django_db
def test_scrape_without_database_says_so(client: Client) -> None:
    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        raise OperationalError("the server is down")

    def lines() -> Iterator[tuple[str, float]]:
        for metric in installation.InstallationCollector().collect():
            yield metric.name, metric.samples[0].value

    with connection.execute_wrapper(refuse):
        said = dict(lines())

    assert said == {"studio_build_info": 1, "studio_database_up": 0}


@pytest.mark.django_db
def test_requests_are_counted_by_route_and_not_by_address(client: Client) -> None:
    def count() -> float:
        labels = {"method": "GET", "route": "api/incidents/<str:reference>", "status": "4xx"}
        return of(scrape(client), "studio_http_request_duration_seconds_count", **labels) or 0.0

    before = count()
    for reference in ("1", "2"):
        client.get(f"/api/incidents/{reference}")

    assert count() == before + 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "header",
    ["", "Bearer wrong", "Bearer rst_wrong", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x"],
    ids=["none", "wrong", "wrong-api-token", "empty", "basic", "longer"],
)
def test_stranger_is_refused(client: Client, header: str) -> None:
    answer = client.get("/metrics", headers={"Authorization": header} if header else {})

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
def test_unset_token_lets_nobody_in(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""

    for header in ("Bearer ", "Bearer"):
        assert client.get("/metrics", headers={"Authorization": header}).status_code == 401


def make_user(role: Role) -> User:
    return User.objects.create_user(
        username=role.value, email=f"{role.value}@example.com", role=role
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("scope", "status"), [("read", 200), ("intake", 403)])
def test_api_token_needs_the_scope_read(client: Client, scope: str, status: int) -> None:
    _, plain = ApiToken.issue(name="scraper", scopes=[scope], owner=make_user(Role.VIEWER))

    answer = client.get("/metrics", headers={"Authorization": f"Bearer {plain}"})

    assert answer.status_code == status


@pytest.mark.django_db
def test_signed_in_viewer_may_look(client: Client) -> None:
    client.force_login(make_user(Role.VIEWER))

    assert client.get("/metrics").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text", "text/html"])
def test_there_is_one_format(client: Client, accept: str) -> None:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}", "Accept": accept})

    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.django_db
def test_metrics_token_opens_nothing_else(client: Client) -> None:
    answer = client.get("/api/incidents", headers={"Authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == 401
