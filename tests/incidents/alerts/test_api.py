"""/api/alerts, /api/alert-sources and /api/deliveries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Role
from incidents.alerts import sources
from incidents.intake import alerts, deliveries
from incidents.intake.received import ReceivedAlert
from incidents.models import Alert, AlertOccurrence, AlertSource, Delivery, Incident
from tests.incidents.conftest import MakeIncident, make_person

Tell = Callable[..., Delivery]


@pytest.fixture
def source(db: None) -> AlertSource:
    return alerts.source_of("alertmanager", "alertmanager")


@pytest.fixture
def tell(source: AlertSource) -> Tell:
    def make(firing: bool = True, **labels: str) -> Delivery:
        labels = {"alertname": "HighErrorRate", **labels}
        mark = "/".join(labels.values())
        word = ReceivedAlert(firing, labels, {"summary": "High"}, mark, "", timezone.now())
        return alerts.store(source, "{}", [word])

    return make


@pytest.fixture
def admin_api(db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(make_person("ada", Role.ADMIN))
    return client


def test_alerts_list_their_newest_occurrence(api: APIClient, tell: Tell) -> None:
    tell(service="checkout")

    answer = api.get("/api/alerts").json()

    (found,) = answer["results"]
    assert (found["name"], found["source"], found["firing"]) == (
        "HighErrorRate",
        "alertmanager",
        True,
    )
    assert found["occurrence"]["id"] == str(AlertOccurrence.objects.get().pk)
    assert found["occurrence"]["resolved_at"] is None
    assert api.get(f"/api/alerts/{found['id']}").json() == found


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("firing=true", ["b"]),
        ("firing=false", ["a"]),
        ("source=alertmanager", ["b", "a"]),
        ("source=other", []),
        ("q=B", ["b"]),
    ],
)
def test_alerts_are_filtered(api: APIClient, tell: Tell, query: str, names: list[str]) -> None:
    tell(firing=False, alertname="a")
    tell(alertname="b")

    answer = api.get(f"/api/alerts?{query}").json()

    assert [one["name"] for one in answer["results"]] == names


def test_alerts_of_an_incident_are_those_of_the_one_it_was_merged_into(
    api: APIClient, tell: Tell, make_incident: MakeIncident
) -> None:
    survivor, merged = make_incident("search fails"), make_incident("search is slow")
    Incident.objects.filter(pk=merged.pk).update(merged_into=survivor)
    tell(alertname="a")
    AlertOccurrence.objects.update(incident=survivor)
    tell(alertname="b")

    for reference in (survivor.reference, str(survivor.pk), merged.reference):
        answer = api.get(f"/api/alerts?incident={reference}").json()
        assert [one["name"] for one in answer["results"]] == ["a"]
    assert api.get("/api/alerts?incident=INC-999").json()["results"] == []
    refused = api.get("/api/alerts?incident=nothing")
    assert refused.status_code == 400
    assert refused.json()["errors"] == {"incident": ["Give an id or an INC-number."]}


@pytest.mark.parametrize("path", ["/api/alerts", "/api/deliveries", "/api/alert-sources"])
def test_lists_take_the_same_queries_at_one_row_and_at_three(
    api: APIClient, tell: Tell, path: str
) -> None:
    counts = []
    for row in range(3):
        sources.create(slug=f"s{row}", kind="grafana")
        tell(pod=f"p{row}")
        if row in (0, 2):
            with CaptureQueriesContext(connection) as taken:
                assert api.get(path).status_code == 200
            counts.append(len(taken))

    assert counts == [2 if path == "/api/alerts" else 1] * 2


def test_source_is_made_with_a_token_that_delivers(admin_api: APIClient) -> None:
    made = admin_api.post(
        "/api/alert-sources", {"slug": "eu", "kind": "alertmanager"}, format="json"
    )

    assert made.status_code == 201, made.content
    assert made["Cache-Control"] == "no-store"
    sent = deliver(made.json()["token"])
    assert sent.status_code == 202
    assert Delivery.objects.get().source.slug == "eu"
    assert "token" not in admin_api.get("/api/alert-sources/eu").json()


def test_source_needs_a_name_only_and_keeps_every_setting_it_is_given(
    admin_api: APIClient, db: None
) -> None:
    least = admin_api.post("/api/alert-sources", {"slug": "eu"}, format="json")
    given = {
        "slug": "us",
        "ignored_labels": ["pod"],
        "repeat_interval_seconds": 3600.0,
        "flap_changes": 4,
        "flap_window_seconds": 600.0,
    }

    full = admin_api.post("/api/alert-sources", given, format="json")

    assert (least.status_code, least.json()["kind"]) == (201, "alertmanager")
    assert full.status_code == 201, full.content
    assert {name: full.json()[name] for name in given} == given


def deliver(token: str) -> Any:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client.post("/api/intake/alertmanager", {"alerts": []}, format="json")


def test_rotated_token_replaces_the_old_one_at_once(admin_api: APIClient, db: None) -> None:
    _, old = sources.create(slug="eu", kind="alertmanager")

    new = admin_api.post("/api/alert-sources/eu/rotate", {}, format="json").json()["token"]

    assert (deliver(old).status_code, deliver(new).status_code) == (401, 202)


def test_rotated_token_may_leave_the_old_one_some_time(admin_api: APIClient, db: None) -> None:
    _, old = sources.create(slug="eu", kind="alertmanager")

    answer = admin_api.post("/api/alert-sources/eu/rotate", {"keep_seconds": 3600}, format="json")

    assert (deliver(old).status_code, deliver(answer.json()["token"]).status_code) == (202, 202)


def test_revoked_source_delivers_no_more(admin_api: APIClient, db: None) -> None:
    _, plain = sources.create(slug="eu", kind="alertmanager")

    answer = admin_api.post("/api/alert-sources/eu/revoke")

    assert answer.json()["token_prefix"] is None
    assert deliver(plain).status_code == 401


@pytest.mark.parametrize("act", ["", "/eu/rotate", "/eu/revoke"])
def test_responder_manages_no_sources(api: APIClient, act: str) -> None:
    sources.create(slug="eu", kind="alertmanager")

    answer = api.post(f"/api/alert-sources{act}", {"slug": "us"}, format="json")

    assert answer.status_code == 403


def test_source_keeps_its_name(admin_api: APIClient, db: None) -> None:
    sources.create(slug="eu", kind="alertmanager")

    renamed = admin_api.patch("/api/alert-sources/eu", {"slug": "us"}, format="json")
    moved = admin_api.patch("/api/alert-sources/eu", {"environment": "staging"}, format="json")

    assert (renamed.status_code, moved.status_code) == (400, 200)
    assert AlertSource.objects.get().environment == "staging"


def test_deliveries_are_listed_without_and_shown_with_their_body(
    api: APIClient, tell: Tell
) -> None:
    kept = tell()

    listed = api.get("/api/deliveries").json()["results"]
    whole = api.get(f"/api/deliveries/{kept.pk}").json()

    assert [(one["id"], "body" in one) for one in listed] == [(str(kept.pk), False)]
    assert whole["body"] == "{}"


def test_rejected_delivery_is_replayed(api: APIClient, source: AlertSource, settings: Any) -> None:
    settings.INTAKE_MAX_ALERTS = 1
    body = {"alerts": [{"status": "firing", "labels": {"alertname": n}} for n in "ab"]}
    kept = deliveries.take(source, "alertmanager", body, '{"alerts": "kept as text"}')
    Delivery.objects.filter(pk=kept.pk).update(
        body='{"alerts": [{"status": "firing", "labels": {"alertname": "a"}}]}'
    )

    answer = api.post(f"/api/deliveries/{kept.pk}/replay")

    assert kept.state == Delivery.State.REJECTED
    assert answer.json()["state"] == "queued"
    assert Alert.objects.get().name == "a"
    assert Delivery.objects.count() == 1


def test_waiting_delivery_is_not_replayed(api: APIClient, tell: Tell) -> None:
    answer = api.post(f"/api/deliveries/{tell().pk}/replay")

    assert (answer.status_code, answer.json()["type"]) == (409, "delivery-waiting")


def test_internal_source_is_neither_listed_nor_made(admin_api: APIClient, db: None) -> None:
    AlertSource.objects.create(slug="slo", kind=AlertSource.Kind.INTERNAL)

    listed = admin_api.get("/api/alert-sources").json()["results"]
    rotated = admin_api.post("/api/alert-sources/slo/rotate", {}, format="json")
    made = admin_api.post("/api/alert-sources", {"slug": "us", "kind": "internal"}, format="json")

    assert (listed, rotated.status_code, made.status_code) == ([], 404, 400)
