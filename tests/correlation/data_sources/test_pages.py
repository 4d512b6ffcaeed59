from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from correlation.data_sources.pages import address, places, standing
from correlation.models import DataSource, SourceHealth
from tests.correlation.conftest import Backend

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def make_user(role: Role) -> User:
    return User.objects.create(username=role, email=f"{role}@example.com", role=role, password="!")


@pytest.fixture
def page(client: Client, db: None) -> Client:
    client.force_login(make_user(Role.RESPONDER))
    return client


def make_source(slug: str = "metrics", health: dict[str, Any] | None = None, **columns: Any) -> Any:
    columns.setdefault("kind", "prometheus")
    columns.setdefault("url", f"http://{slug}.example.com:9090")
    source = DataSource.objects.create(slug=slug, **columns)
    if health is not None:
        SourceHealth.objects.create(source=source, **health)
    return source


def html_of(page: Client, path: str = "/datasources", **headers: str) -> str:
    response = page.get(path, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        ({}, ("never_asked", "never asked")),
        ({"last_success_at": NOON}, ("healthy", "healthy")),
        (
            {"last_success_at": NOON, "last_error_at": NOON - timedelta(minutes=1)},
            ("healthy", "healthy"),
        ),
        (
            {"last_success_at": NOON, "last_error_at": NOON + timedelta(minutes=1)},
            ("failing", "failing"),
        ),
        ({"last_error_at": NOON}, ("failing", "failing")),
        ({"last_error_at": NOON, "state": "open"}, ("open", "breaker open")),
        ({"last_error_at": NOON, "state": "half_open"}, ("half_open", "breaker half-open")),
    ],
)
def test_standing_is_read_off_the_rows(health: dict[str, Any], expected: tuple[str, str]) -> None:
    known = SourceHealth(**health)

    assert standing(DataSource(), known) == expected
    assert standing(DataSource(enabled=False), known) == ("disabled", "disabled")


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (
            {"kind": "loki", "url": "https://me:pass@loki.example.com/x"},
            "https://loki.example.com/x",
        ),
        ({"kind": "loki", "url": ""}, "no address is set"),
        ({"kind": "kubernetes"}, "in-cluster credentials"),
        (
            {"kind": "kubernetes", "kubeconfig": "/home/me/.kube/config", "context": "prod"},
            "from a kubeconfig, context prod",
        ),
    ],
    ids=["credentials", "none", "in-cluster", "kubeconfig"],
)
def test_address_shows_no_credentials_and_no_paths(columns: dict[str, str], shown: str) -> None:
    assert address(DataSource(**columns)) == shown


def test_places_name_the_kinds_each_environment_lacks(db: None) -> None:
    sources = [DataSource(slug="a", kind="loki"), DataSource(slug="b", kind="tempo")]

    found = places(sources, ["staging", "production"])

    assert [place.environment for place in found] == ["production", "staging"]
    assert [name for name, _variable in found[0].lacking] == ["Prometheus", "Kubernetes"]
    assert [name for name, _variable in found[1].lacking] == [
        "Prometheus",
        "Loki",
        "Tempo",
        "Kubernetes",
    ]


def test_page_says_how_each_source_has_been_doing(page: Client) -> None:
    retry_at = datetime.now(UTC) + timedelta(seconds=30)
    make_source(
        url="http://me:hunter2@metrics.example.com/",
        health={
            "state": "open",
            "failures": 3,
            "retry_at": retry_at,
            "last_error_at": NOON,
            "last_error": "connection refused by metrics.example.com:80",
        },
    )

    html = html_of(page)

    assert '<span class="badge state standing-open">breaker open</span>' in html
    assert f'next try <time datetime="{retry_at.isoformat(timespec="milliseconds")[:-6]}Z"' in html
    assert "connection refused by metrics.example.com:80" in html
    assert "http://metrics.example.com" in html
    assert "hunter2" not in html
    assert html.count("not configured</span>") == 3


def test_page_without_any_source_says_what_to_set(page: Client) -> None:
    html = html_of(page)

    assert "No data source is configured" in html
    for variable in ("PROMETHEUS_URL", "LOKI_URL", "TEMPO_URL", "KUBECONFIG"):
        assert f"<code>{variable}</code>" in html


def test_refresh_of_the_page_gets_the_list_alone(page: Client) -> None:
    make_source()

    html = html_of(page, **{"HX-Request": "true"})

    assert html.lstrip().startswith('<div id="data-sources"')


def test_page_of_one_source_shows_its_set_up_and_no_secret(page: Client) -> None:
    make_source(
        tenant="team-a",
        auth_variable="METRICS_TOKEN",
        auth_file="",
        kubeconfig="/home/me/.kube/config",
        grafana_url="https://me:hunter2@grafana.example.com/",
        options={"profile": "istio"},
        health={"last_success_at": NOON, "latency_seconds": 0.012, "version": "2.42.0"},
    )

    html = html_of(page, "/datasources/metrics")

    for shown in ("team-a", "METRICS_TOKEN", "istio", "12 ms", "2.42.0", "healthy"):
        assert shown in html
    assert 'href="https://grafana.example.com"' in html
    assert "hunter2" not in html
    assert "/home/me" not in html


def test_unknown_source_is_not_found(page: Client) -> None:
    assert page.get("/datasources/nobody").status_code == 404


def test_page_of_one_source_offers_its_examination_without_asking_it(page: Client) -> None:
    make_source(url="http://127.0.0.1:9")

    html = html_of(page, "/datasources/metrics")

    assert html.count('hx-post="/datasources/metrics/doctor"') == 1


def test_pages_need_a_session(client: Client, db: None) -> None:
    for path in ("/datasources", "/datasources/metrics"):
        assert client.get(path).headers["Location"] == f"/login?next={path}"


def test_check_is_for_responders(client: Client, db: None) -> None:
    client.force_login(make_user(Role.VIEWER))
    make_source()

    assert client.post("/datasources/metrics/check").status_code == 403


def test_check_asks_the_source_and_shows_how_it_did(page: Client, backend: Backend) -> None:
    version = {"status": "success", "data": {"version": "2.42.0"}}
    backend.respond = lambda path, params: (200, "application/json", json.dumps(version).encode())
    make_source(url=backend.url)

    listed = page.post("/datasources/metrics/check", headers={"HX-Request": "true"})
    single = page.post(
        "/datasources/metrics/check", headers={"HX-Request": "true", "HX-Target": "data-source"}
    )

    assert listed.content.decode().lstrip().startswith('<div id="data-sources"')
    assert single.content.decode().lstrip().startswith('<section id="data-source"')
    for answer in (listed, single):
        assert "standing-healthy" in answer.content.decode()
        assert "2.42.0" in answer.content.decode()


def test_check_of_a_source_that_refuses_shows_its_reason(page: Client, backend: Backend) -> None:
    backend.respond = lambda path, params: (401, "text/plain", b"no org id")
    make_source(url=backend.url)

    html = page.post("/datasources/metrics/check").content.decode()

    assert '<span class="badge state standing-failing">failing</span>' in html
    assert "answered 401 (unauthorized: check the credentials or the tenant): no org id" in html


@pytest.mark.parametrize("count", [1, 3])
def test_page_costs_the_same_queries_for_any_number_of_sources(
    page: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for n in range(count):
        make_source(f"metrics-{n}", health={"last_success_at": NOON})

    with django_assert_num_queries(4):  # session, user, sources with health, environments
        html_of(page)
