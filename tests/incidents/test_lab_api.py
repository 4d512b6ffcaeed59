"""POST /api/test/fail, against the lab's HTTP answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
import responses
from pytest_django import Settings
from rest_framework.test import APIClient

from incidents.models import Incident
from tests.incidents.conftest import MakeService

LAB = "http://lab.example:9"
FAIL = "/api/test/fail"
ACCEPTED = {"id": "custom", "active": True, "not_applicable": []}


@pytest.fixture
def lab(settings: Settings, make_service: MakeService) -> None:
    settings.LAB_URL = LAB
    make_service("cart")


def post(api: APIClient, **body: Any) -> Any:
    return api.post(FAIL, body, format="json")


def test_fail_is_not_there_without_a_lab(api: APIClient, make_service: MakeService) -> None:
    make_service("cart")

    answer = post(api, service="cart", error_rate=0.5)

    assert (answer.status_code, answer.json()["type"]) == (404, "not-found")


@pytest.mark.usefixtures("lab")
def test_fail_is_for_responders(viewer_api: APIClient) -> None:
    assert post(viewer_api, service="cart", error_rate=0.5).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"error_rate": 0.5}, "service"),
        ({"service": "nowhere", "error_rate": 0.5}, "service"),
        ({"service": "cart", "error_rate": 1.5}, "error_rate"),
        ({"service": "cart", "cpu_usage": -1}, "cpu_usage"),
        ({"service": "cart", "memory_usage": "much"}, "memory_usage"),
        ({"service": "cart", "response_time_ms": 60_001}, "response_time_ms"),
        ({"service": "cart", "db_connections": 1.5}, "db_connections"),
    ],
)
@pytest.mark.usefixtures("lab")
@responses.activate
def test_fail_names_the_bad_field(api: APIClient, body: dict[str, Any], field: str) -> None:
    answer = post(api, **body)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert len(responses.calls) == 0
    assert Incident.objects.count() == 0


@pytest.mark.usefixtures("lab")
@responses.activate
def test_fail_names_the_field_that_the_lab_refuses(api: APIClient) -> None:
    refusal = {"error": "error_rate: must be a share", "field": "error_rate"}
    responses.post(f"{LAB}/lab/fail", json=refusal, status=400)

    answer = post(api, service="cart", error_rate=0.5)

    assert answer.status_code == 400
    assert answer.json()["errors"] == {"error_rate": ["error_rate: must be a share"]}
    assert Incident.objects.count() == 0


@pytest.mark.parametrize(
    ("rate", "severity"), [(0.26, "high"), (0.49, "high"), (0.5, "critical"), (1.0, "critical")]
)
@pytest.mark.usefixtures("lab")
@responses.activate
def test_fail_above_a_quarter_opens_an_incident(api: APIClient, rate: float, severity: str) -> None:
    order = responses.post(f"{LAB}/lab/fail", json=ACCEPTED)

    answer = post(api, service="cart", error_rate=rate, db_connections=40)

    incident = Incident.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {
        "service": "cart",
        "failure": {"error_rate": rate, "db_connections": 40},
        "incident": {
            "id": str(incident.pk),
            "reference": incident.reference,
            "deduplicated": False,
        },
    }
    assert (incident.severity, incident.source, incident.analysis_status) == (
        severity,
        "lab",
        "queued",
    )
    assert [a.service.slug for a in incident.affected.all()] == ["cart"]
    assert json.loads(order.calls[0].request.body) == {
        "service": "cart",
        "error_rate": rate,
        "db_connections": 40,
    }


@pytest.mark.parametrize("body", [{"error_rate": 0.25}, {"cpu_usage": 95}])
@pytest.mark.usefixtures("lab")
@responses.activate
def test_fail_up_to_a_quarter_opens_none(api: APIClient, body: dict[str, Any]) -> None:
    responses.post(f"{LAB}/lab/fail", json=ACCEPTED)

    answer = post(api, service="cart", **body)

    assert (answer.status_code, answer.json()["incident"]) == (202, None)
    assert Incident.objects.count() == 0


@pytest.mark.usefixtures("lab")
@responses.activate
def test_fail_again_joins_the_open_incident(api: APIClient) -> None:
    responses.post(f"{LAB}/lab/fail", json=ACCEPTED)
    first = post(api, service="cart", error_rate=0.3).json()["incident"]

    second = post(api, service="cart", error_rate=0.9).json()["incident"]

    assert second == {**first, "deduplicated": True}


@pytest.mark.parametrize(
    "reply",
    [
        {"body": requests.ConnectionError("refused")},
        {"body": requests.ReadTimeout("slow")},
        {"body": "<html>not a lab</html>"},
        {"json": {"error": "the lab is not ready yet"}, "status": 503},
    ],
    ids=["refused", "silent", "html", "not-ready"],
)
@pytest.mark.usefixtures("lab")
@responses.activate
def test_fail_without_the_labs_answer_is_503_and_opens_none(
    api: APIClient, reply: dict[str, Any]
) -> None:
    responses.post(f"{LAB}/lab/fail", **reply)

    answer = post(api, service="cart", error_rate=0.9)

    assert (answer.status_code, answer.json()["type"]) == (503, "lab-unavailable")
    assert answer["Content-Type"] == "application/problem+json"
    assert Incident.objects.count() == 0
