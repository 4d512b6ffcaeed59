"""/api/datasources: who may do what, what is refused by field, checking one now."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Role, User
from correlation.data_sources.catalogue import follow_environment
from correlation.models import DataSource
from tests.correlation.conftest import Backend

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_role() -> Callable[[Role], APIClient]:
    def client(role: Role) -> APIClient:
        found = APIClient()
        found.force_authenticate(
            User.objects.create(username=role, email=f"{role}@example.com", role=role)
        )
        return found

    return client


@pytest.fixture
def admin(as_role: Callable[[Role], APIClient]) -> APIClient:
    return as_role(Role.ADMIN)


@pytest.fixture
def environment_row(settings: Any) -> DataSource:
    settings.PROMETHEUS_URL = "http://prometheus:9090"
    follow_environment()
    return DataSource.objects.get()


def test_create_answers_the_source_and_its_slug_is_its_address(admin: APIClient) -> None:
    made = admin.post(
        "/api/datasources",
        {"slug": "eu", "kind": "loki", "url": "http://loki:3100", "auth_variable": "LOKI_TOKEN"},
        format="json",
    )
    read = admin.get("/api/datasources/eu")

    assert made.status_code == 201
    assert read.json() == {
        **made.json(),
        "origin": "user",
        "health": {
            "state": "closed", "failures": 0, "opened_at": None, "retry_at": None,
            "last_success_at": None, "last_error": "", "last_error_at": None,
            "latency_seconds": None, "version": "",
        },
        "problem": "the variable LOKI_TOKEN named by data source eu is not set",
    }  # fmt: skip
    assert admin.get(f"/api/datasources/{made.json()['id']}").json() == read.json()


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({"url": ""}, "url", "Give the address, such as https://prometheus.example.com."),
        ({"url": "ftp://loki"}, "url", "Begin with http:// or https://."),
        ({"url": "http://loki:99999"}, "url", "This is no URL."),
        (
            {"url": "http://ann:pw@loki"},
            "url",
            "No user:password@ here: it would be stored. Name a variable in auth_variable.",
        ),
        ({"slug": "no slug"}, "slug", None),
        ({"kind": "graphite"}, "kind", None),
        ({"kubeconfig": "/k"}, "kubeconfig", "Leave it empty: it is for Kubernetes only."),
        (
            {"auth_variable": "SECRET_KEY"},
            "auth_variable",
            "SECRET_KEY is a secret of the product itself.",
        ),
        ({"auth_variable": "lower"}, "auth_variable", "Name an environment variable."),
        ({"auth_file": "/etc/passwd"}, "auth_file", "Name a file under SECRETS_DIR."),
        ({"auth_file": "../x"}, "auth_file", "Name a file under SECRETS_DIR."),
        (
            {"client_key_file": "/k.pem"},
            "client_certificate_file",
            "A client certificate needs its key, and a key its certificate.",
        ),
        ({"timeout_seconds": 0}, "timeout_seconds", None),
        ({"options": {"limit": "many"}}, "options", "limit must be a positive number."),
        ({"options": [1]}, "options", "Give an object: {option: value}."),
        ({"grafana_url": "javascript:alert(1)"}, "grafana_url", "Begin with http:// or https://."),
    ],
    ids=lambda value: json.dumps(value)[:40] if isinstance(value, dict) else "",
)
def test_create_refuses_by_field(
    admin: APIClient, given: dict[str, Any], field: str, message: str | None
) -> None:
    body = {"slug": "eu", "kind": "loki", "url": "http://loki:3100", **given}

    answer = admin.post("/api/datasources", body, format="json")

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    if message is not None:
        assert answer.json()["errors"][field] == [message]
    assert not DataSource.objects.exists()


def test_row_of_the_environment_lets_people_change_what_is_theirs(
    admin: APIClient, environment_row: DataSource
) -> None:
    answer = admin.patch(
        "/api/datasources/prometheus",
        {"enabled": False, "options": {"concurrency": 2}, "url": environment_row.url},
        format="json",
    )
    follow_environment()

    environment_row.refresh_from_db()
    assert answer.status_code == 200
    assert (environment_row.enabled, environment_row.options) == (False, {"concurrency": 2})


def test_row_of_the_environment_keeps_what_follows_it(
    admin: APIClient, environment_row: DataSource
) -> None:
    patched = admin.patch(
        "/api/datasources/prometheus", {"url": "http://other", "tenant": "x"}, format="json"
    )
    deleted = admin.delete("/api/datasources/prometheus")

    why = ["This follows the environment (PROMETHEUS_URL and its like)."]
    assert (patched.status_code, patched.json()["errors"]) == (400, {"url": why, "tenant": why})
    assert (deleted.status_code, deleted.json()["type"]) == (409, "follows-environment")


@pytest.mark.parametrize("options", [{"profile": "istio"}, {"concurrency": 2}])
def test_row_of_the_environment_keeps_the_options_that_follow_it(
    admin: APIClient, settings: Any, options: dict[str, Any]
) -> None:
    settings.PROMETHEUS_URL = "http://prometheus:9090"
    settings.PROMETHEUS_PROFILE = "spring"
    follow_environment()

    refused = admin.patch("/api/datasources/prometheus", {"options": options}, format="json")
    taken = admin.patch(
        "/api/datasources/prometheus",
        {"options": {"profile": "spring", "concurrency": 2}},
        format="json",
    )

    why = 'profile follows the environment (PROMETHEUS_PROFILE): leave it at "spring".'
    assert (refused.status_code, refused.json()["errors"]) == (400, {"options": [why]})
    assert taken.status_code == 200


def test_source_of_a_person_can_be_deleted_and_keeps_its_kind(admin: APIClient) -> None:
    DataSource.objects.create(slug="eu", kind="loki", url="http://loki")

    patched = admin.patch("/api/datasources/eu", {"kind": "tempo"}, format="json")
    deleted = admin.delete("/api/datasources/eu")

    assert (patched.status_code, list(patched.json()["errors"])) == (400, ["kind"])
    assert (deleted.status_code, DataSource.objects.count()) == (204, 0)


def test_responder_checks_and_may_not_manage(
    as_role: Callable[[Role], APIClient], backend: Backend
) -> None:
    DataSource.objects.create(slug="eu", kind="prometheus", url=backend.url)
    version = {"status": "success", "data": {"version": "3.5.0"}}
    backend.respond = lambda path, params: (200, "application/json", json.dumps(version).encode())
    responder = as_role(Role.RESPONDER)

    checked = responder.post("/api/datasources/eu/check")
    refused = responder.patch("/api/datasources/eu", {"enabled": False}, format="json")

    found = checked.json()
    assert (found["reachable"], found["version"], found["error"]) == (True, "3.5.0", "")
    assert (found["health"]["state"], found["health"]["version"]) == ("closed", "3.5.0")
    assert found["health"]["latency_seconds"] == found["latency_seconds"]
    assert refused.status_code == 403


def test_check_is_limited(as_role: Callable[[Role], APIClient]) -> None:
    DataSource.objects.create(slug="eu", kind="prometheus", url="http://127.0.0.1:9")
    responder = as_role(Role.RESPONDER)

    codes = [responder.post("/api/datasources/eu/check").status_code for _ in range(31)]

    assert codes == [200] * 30 + [429]


@pytest.mark.parametrize("rows", [1, 3])
def test_list_costs_one_query_however_many(
    admin: APIClient, django_assert_num_queries: Any, rows: int
) -> None:
    for number in range(rows):
        DataSource.objects.create(slug=f"loki-{number}", kind="loki", url="http://loki:3100")

    with django_assert_num_queries(1):
        answer = admin.get("/api/datasources")

    assert len(answer.json()["results"]) == rows
