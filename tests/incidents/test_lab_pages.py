from __future__ import annotations

import json

import pytest
import requests
import responses
from django.test import Client
from pytest_django import Settings

from accounts.models import Role, User
from incidents.models import Incident
from tests.incidents.conftest import MakeService, make_person

LAB = "http://lab.example:9"
FAULT = {
    "id": "crash-loop",
    "title": "Crash loop",
    "description": "Containers exit.",
    "service": "inventory",
    "kind": "crash_loop",
    "active": False,
    "started_at": None,
}


@pytest.fixture
def page(client: Client, sam: User, settings: Settings) -> Client:
    settings.LAB_URL = LAB
    client.force_login(sam)
    return client


def test_lab_page_is_not_there_without_a_lab(page: Client, settings: Settings) -> None:
    settings.LAB_URL = ""

    assert page.get("/lab").status_code == 404


def test_lab_page_is_for_responders(page: Client) -> None:
    page.force_login(make_person("vera", Role.VIEWER))

    assert page.get("/lab").status_code == 403


@responses.activate
def test_lab_page_lists_faults_with_a_button_each(page: Client) -> None:
    active = FAULT | {"id": "bad-deploy", "active": True}
    responses.get(f"{LAB}/lab/faults", json={"faults": [FAULT, active]})

    html = page.get("/lab").content.decode()

    assert 'action="/lab/faults/crash-loop/start"' in html
    assert 'action="/lab/faults/bad-deploy/stop"' in html
    assert 'action="/lab/fail"' in html


@responses.activate
def test_lab_page_shows_what_its_inbox_received(page: Client) -> None:
    event = {"data": {"summary": "INC-1 opened: <Checkout> fails"}}
    letter = {
        "at": "2026-11-22T12:00:00.000Z",
        "headers": {"Idempotency-Key": "0b54ea3c"},
        "body": json.dumps(event),
    }
    plain = {**letter, "headers": {}, "body": "not JSON"}
    responses.get(f"{LAB}/lab/faults", json={"faults": [FAULT]})
    responses.get(f"{LAB}/lab/inbox", json=[letter, plain])

    html = page.get("/lab").content.decode()

    assert "INC-1 opened: &lt;Checkout&gt; fails" in html
    assert "0b54ea3c" in html
    assert "not JSON" in html


@responses.activate
def test_lab_page_says_when_the_lab_does_not_answer(page: Client) -> None:
    responses.get(f"{LAB}/lab/faults", body=requests.ConnectionError("refused"))

    response = page.get("/lab")

    assert response.status_code == 503
    assert "The lab does not answer" in response.content.decode()


@pytest.mark.parametrize(
    ("path", "asked", "said"),
    [
        ("/lab/faults/crash-loop/start", "/lab/faults/crash-loop/start", "Fault started."),
        ("/lab/faults/crash-loop/stop", "/lab/faults/crash-loop/stop", "Fault stopped."),
        ("/lab/stop", "/lab/faults/stop", "All faults stopped."),
    ],
)
@responses.activate
def test_lab_buttons_give_their_order_and_say_so(
    page: Client, path: str, asked: str, said: str
) -> None:
    order = responses.post(f"{LAB}{asked}", json={})
    responses.get(f"{LAB}/lab/faults", json={"faults": [FAULT]})

    response = page.post(path, follow=True)

    assert order.call_count == 1
    assert [str(m)[: len(said)] for m in response.context["messages"]] == [said]


@responses.activate
def test_lab_button_says_why_it_failed(page: Client) -> None:
    responses.post(f"{LAB}/lab/faults/none/start", body=requests.ConnectionError("refused"))
    responses.get(f"{LAB}/lab/faults", json={"faults": [FAULT]})

    response = page.post("/lab/faults/none/start", follow=True)

    assert [m.level_tag for m in response.context["messages"]] == ["error"]


@responses.activate
def test_custom_failure_sends_only_what_was_filled_in(
    page: Client, make_service: MakeService
) -> None:
    make_service("cart")
    order = responses.post(f"{LAB}/lab/fail", json={})
    form = {"service": "cart", "error_rate": "0.4", "cpu_usage": "", "response_time_ms": "0"}

    response = page.post("/lab/fail", form)

    assert (response.status_code, response.url) == (302, "/lab")
    assert json.loads(order.calls[0].request.body) == {
        "service": "cart",
        "error_rate": 0.4,
        "response_time_ms": 0.0,
    }


@responses.activate
def test_custom_failure_opens_an_incident_as_the_api_does(
    page: Client, make_service: MakeService, sam: User
) -> None:
    make_service("cart")
    responses.post(f"{LAB}/lab/fail", json={})
    responses.get(f"{LAB}/lab/faults", json={"faults": [FAULT]})

    response = page.post("/lab/fail", {"service": "cart", "error_rate": "0.2"}, follow=True)
    again = page.post("/lab/fail", {"service": "cart", "error_rate": "0.6"}, follow=True)

    assert [str(m) for m in response.context["messages"]] == ["Failure started at cart."]
    incident = Incident.objects.get()
    assert (incident.severity, incident.source, incident.created_by) == ("critical", "lab", sam)
    assert [str(m) for m in again.context["messages"]] == [
        f"Failure started at cart. {incident.reference} was opened."
    ]


@responses.activate
def test_custom_failure_without_the_lab_opens_none(page: Client, make_service: MakeService) -> None:
    make_service("cart")
    responses.post(f"{LAB}/lab/fail", body=requests.ConnectionError("refused"))
    responses.get(f"{LAB}/lab/faults", json={"faults": [FAULT]})

    response = page.post("/lab/fail", {"service": "cart", "error_rate": "0.6"}, follow=True)

    assert [m.level_tag for m in response.context["messages"]] == ["error"]
    assert Incident.objects.count() == 0


@responses.activate
def test_custom_failure_out_of_range_names_the_field(
    page: Client, make_service: MakeService
) -> None:
    make_service("cart")
    responses.get(f"{LAB}/lab/faults", json={"faults": []})

    response = page.post("/lab/fail", {"service": "cart", "error_rate": "7"})

    assert response.status_code == 400
    assert list(response.context["form"].errors) == ["error_rate"]
