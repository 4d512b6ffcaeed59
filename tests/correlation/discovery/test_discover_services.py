"""manage.py discover_services over HTTP: the lab's four sources, written once and only once."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from correlation.models import DataSource
from incidents.models import Service, ServiceDependency
from tests.correlation.conftest import Backend
from tests.correlation.lab_backend import point, serve_healthy

pytestmark = pytest.mark.django_db

ROLES = {
    "cart": "service",
    "catalogue": "service",
    "checkout": "service",
    "frontend": "service",
    "inventory": "service",
    "notifications": "service",
    "payment-processing": "service",
    "postgres": "database",
    "queue": "queue",
    "redis": "cache",
}


def run(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("discover_services", *arguments, "--deadline", "60", stdout=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


def test_lab_is_proposed_written_once_and_then_known(backend: Backend, settings: Any) -> None:
    serve_healthy(backend, settings)

    status, text = run("--json")

    proposed = json.loads(text)
    assert (status, proposed["applied"]) == (0, None)
    assert Service.objects.count() == 0
    assert {one["slug"]: one["role"] for one in proposed["services"]} == ROLES
    assert {one["namespace"] for one in proposed["services"]} == {"shop"}
    assert {one["source"] for one in proposed["services"][0]["seen"]} == {
        "kubernetes", "loki", "prometheus", "tempo",
    }  # fmt: skip

    _, written = run("--apply")

    calls = len(proposed["dependencies"])
    assert f"Written: 10 services, 0 filled, {calls} dependencies." in written.splitlines()
    pairs = ServiceDependency.objects.values_list("caller__slug", "callee__slug", "source")
    assert ("checkout", "payment-processing", "discovered") in pairs
    assert ("payment-processing", "postgres", "discovered") in pairs

    _, again = run("--apply", "--json")

    assert json.loads(again)["applied"] == {
        "services": 0, "filled": 0, "dependencies": 0, "refused": [],
    }  # fmt: skip


def test_nothing_configured_is_a_wrong_question() -> None:
    status, text = run()

    assert (status, text) == (
        2,
        "No data source is configured for the environment production: set PROMETHEUS_URL, "
        "LOKI_URL, TEMPO_URL or KUBECONFIG, or add data sources.",
    )


def test_no_answer_writes_nothing_and_fails(settings: Any) -> None:
    point(settings, PROMETHEUS_URL="http://127.0.0.1:9")
    DataSource.objects.create(slug="k8s", kind="kubernetes", kubeconfig="/nonexistent/kubeconfig")

    status, text = run("--apply")

    assert status == 1
    assert text.endswith("No data source answered: nothing can be proposed.")
    assert "connection refused by 127.0.0.1:9" in text
    assert Service.objects.count() == 0


def test_a_moment_of_the_past_is_looked_at_instead_of_now(backend: Backend, settings: Any) -> None:
    serve_healthy(backend, settings)

    status, text = run("--at", "2020-05-01T12:00:00Z", "--json")

    found = json.loads(text)
    assert status == 0
    assert {one["source"] for service in found["services"] for one in service["seen"]} == {
        "kubernetes"
    }


@pytest.mark.parametrize("given", ["yesterday", "2026-13-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_a_moment_that_is_none_is_a_wrong_question(given: str) -> None:
    with pytest.raises(CommandError, match="--at"):
        call_command("discover_services", "--at", given)
