"""manage.py check_telemetry over HTTP: the lab, a real Prometheus, and sources that are broken."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from correlation.gather import PLANS
from correlation.models import DataSource, SourceHealth
from incidents import demo
from incidents.models import Service
from tests.correlation.conftest import Answer, Backend
from tests.correlation.lab_backend import point, recording, serve_healthy
from tests.servers import ServerError
from tests.servers.prometheus import openmetrics, program, running_prometheus

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[int, str]:
    """(exit status, what was printed, the error's text last)."""
    out = StringIO()
    try:
        call_command("check_telemetry", *arguments, "--deadline", "30", stdout=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


def document(*arguments: str) -> tuple[int, dict[str, Any]]:
    status, text = run("--json", *arguments)
    return status, json.loads(text[: text.rindex("}") + 1])


def views(found: dict[str, Any], service: str) -> dict[str, dict[str, Any]]:
    (one,) = [row for row in found["services"] if row["slug"] == service]
    return {view["source"]: view for view in one["sources"]}


@pytest.fixture
def lab(backend: Backend, settings: Any) -> Backend:
    demo.seed()
    serve_healthy(backend, settings)
    return backend


def test_lab_shows_all_four_kinds_of_a_service(lab: Backend) -> None:
    status, found = document("--service", "payment-processing")

    assert status == 0
    assert found["usable"] is True
    assert {
        one["slug"]: (one["state"], one["reachable"]) for one in found["sources"]
    } == dict.fromkeys(PLANS, ("ok", True))
    assert [one["slug"] for one in found["services"]] == ["payment-processing"]
    seen = views(found, "payment-processing")
    assert {view["state"] for view in seen.values()} == {"found"}
    metrics = seen["prometheus"]
    assert metrics["profiles"][0] == {
        "name": "http_requests_total",
        "because": "detected: its metrics are there",
    }
    rate = next(one for one in metrics["signals"] if one["signal"] == "request_rate")
    assert (rate["unit"], rate["age_seconds"] < 300, rate["value"] > 1) == ("1/s", True, True)
    edge = next(one for one in metrics["signals"] if one["signal"] == "client_request_rate")
    assert edge["peers"] == ["postgres"]
    assert seen["loki"]["counted"] is True
    assert seen["loki"]["lines"] == sum(seen["loki"]["levels"].values()) > 100
    assert seen["tempo"]["calls"] == ["postgres"]
    pods = seen["kubernetes"]
    assert (pods["pods_ready"], pods["pods_total"], pods["namespaces"]) == (3, 3, ["shop"])


def test_lab_as_tables_names_what_a_silent_service_lacks(lab: Backend) -> None:
    status, text = run("--service", "redis", "--service", "cart")

    assert status == 0
    lines = text.splitlines()
    assert "  SERVICE  KUBERNETES  LOKI  PROMETHEUS  TEMPO" in lines
    assert "  redis    yes         NO    yes         yes" in lines
    assert "  cart     yes         yes   yes         yes" in lines
    assert (
        "      ! no stream's service label matches `redis`, and every name it knows is another "
        "service's: does it write logs, and are they collected?"
    ) in lines


def test_requests_do_not_grow_with_services(lab: Backend) -> None:
    document()
    few = len(lab.asked)
    for number in range(20):
        Service.objects.create(slug=f"more-{number}", name="More", namespace="shop")
    lab.asked.clear()

    document()

    assert len(lab.asked) <= few + 1  # nothing is shared with the look before


def test_service_telemetry_calls_otherwise_is_told_which_name_to_set(lab: Backend) -> None:
    Service.objects.filter(slug="cart").update(slug="carts")
    Service.objects.create(slug="ledger", name="Ledger", namespace="shop")

    _, found = document("--service", "carts", "--service", "ledger")

    cart, ledger = views(found, "carts"), views(found, "ledger")
    assert (cart["prometheus"]["state"], cart["prometheus"]["signals"]) == ("nothing", [])
    assert ledger["loki"]["advice"] == [
        "no stream's service label matches `ledger`; others there: cart. Set selectors.loki.names"
    ]
    assert ledger["prometheus"]["advice"] == [
        "no metric's service label matches `ledger`; others there: cart. "
        "Set selectors.prometheus.names"
    ]


def test_unknown_service_is_a_wrong_question() -> None:
    Service.objects.create(slug="cart", name="Cart")

    assert run("--service", "kart") == (
        2,
        "no service kart in the environment production; there are: cart",
    )


def test_nothing_configured_is_no_failure() -> None:
    status, found = document()

    assert status == 0
    assert {(one["kind"], one["state"]) for one in found["sources"]} == {
        (kind, "not_configured") for kind in PLANS
    }
    assert found["advice"] == [
        "no data source is configured: set PROMETHEUS_URL, LOKI_URL, TEMPO_URL or KUBECONFIG, "
        "or add data sources"
    ]


HTML = (200, "text/html", b"<!doctype html><title>Sign in</title>")
BROKEN: dict[str, tuple[Answer, str]] = {
    "401": ((401, "text/plain", b"no"), "answered 401"),
    "html": (HTML, "answered HTML, not JSON"),
    "500": ((500, "text/plain", b"boom"), "answered 500"),
}


@pytest.mark.parametrize("kind", ["prometheus", "loki", "tempo"])
@pytest.mark.parametrize("fault", BROKEN)
def test_broken_source_is_named_with_its_reason(
    backend: Backend, settings: Any, kind: str, fault: str
) -> None:
    answer, words = BROKEN[fault]
    backend.respond = lambda path, params: answer
    point(settings, **{f"{kind.upper()}_URL": backend.url})

    status, found = document()

    (source,) = [one for one in found["sources"] if one["slug"] == kind]
    assert (status, found["usable"]) == (1, False)
    assert (source["state"], source["usable"], source["reachable"]) == (
        "unavailable", False, False,
    )  # fmt: skip
    assert source["detail"].startswith(words)


def test_refused_optional_source_does_not_fail_the_command(settings: Any) -> None:
    DataSource.objects.create(slug="logs", kind="loki", url="http://127.0.0.1:9", required=False)

    status, found = document()

    (source,) = [one for one in found["sources"] if one["slug"] == "logs"]
    assert (status, source["state"]) == (0, "unavailable")
    assert source["detail"] == "connection refused by 127.0.0.1:9"


def test_breaker_is_told_and_not_heeded(lab: Backend) -> None:
    source = DataSource.objects.get(slug="prometheus")
    SourceHealth.objects.update_or_create(source=source, defaults={"state": "open"})

    status, found = document("--service", "cart")

    (report,) = [one for one in found["sources"] if one["slug"] == "prometheus"]
    assert (status, report["breaker"], report["state"]) == (0, "open", "ok")


def test_real_prometheus_shows_what_the_stand_in_shows(settings: Any, backend: Backend) -> None:
    try:
        program("prometheus")
        program("promtool")
    except ServerError as error:
        pytest.skip(f"real Prometheus: {error}")
    demo.seed()
    serve_healthy(backend, settings)
    _, stand_in = document("--service", "checkout")

    with running_prometheus(openmetrics(recording(None).tsdb)) as url:
        point(settings, PROMETHEUS_URL=url, LOKI_URL="", TEMPO_URL="", KUBECONFIG="")
        status, real = document("--service", "checkout")

    (source,) = [one for one in real["sources"] if one["slug"] == "prometheus"]
    assert (status, source["state"], source["reachable"]) == (0, "ok", True)
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", source["version"])

    def signals(found: dict[str, Any]) -> set[str]:
        return {one["signal"] for one in views(found, "checkout")["prometheus"]["signals"]}

    assert signals(real) == signals(stand_in)
