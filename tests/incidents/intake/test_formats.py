"""Grafana's webhook and PagerDuty's events, and what becomes of odd ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from incidents.alerts import sources
from incidents.intake import alertmanager, events, grafana, grouping
from incidents.intake.received import Unacceptable
from incidents.models import Alert, AlertOccurrence, Delivery, Incident

EVENTS = "/api/intake/events"
PAYLOAD = {"summary": "Checkout fails", "source": "checkout-1", "severity": "critical"}


@pytest.fixture
def key(db: None) -> str:
    return sources.create(slug="pager", kind="events")[1]


def event(key: str, action: str, dedup_key: str | None = "k1", **more: Any) -> Any:
    body = {"routing_key": key, "event_action": action, "dedup_key": dedup_key, **more}
    answer = Client().post(EVENTS, body, content_type="application/json")
    grouping.run_waiting()
    return answer


def test_grafanas_links_and_values_become_annotations() -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "A"},
        "annotations": {"summary": "High"},
        "startsAt": "2026-01-01T00:00:00Z",
        "values": {"B": 2, "A": 1.5},
        "dashboardURL": "http://g/d/1",
        "panelURL": "",
        "silenceURL": None,
        "imageURL": "http://g/image/1.png",
        "fingerprint": "f",
    }

    (read,) = grafana.parse({"orgId": 1, "state": "alerting", "alerts": [alert]}).alerts

    assert read.annotations == {
        "summary": "High",
        "dashboard_url": "http://g/d/1",
        "image_url": "http://g/image/1.png",
        "values": "A=1.5, B=2",
    }


def test_trigger_opens_acknowledge_takes_on_and_resolve_ends(key: str) -> None:
    triggered = event(key, "trigger", payload={**PAYLOAD, "component": "checkout"})
    incident = Incident.objects.get()
    event(key, "acknowledge")
    incident.refresh_from_db()
    taken_on = incident.status
    event(key, "resolve")

    assert triggered.status_code == 202
    assert triggered.json() == {
        "status": "success",
        "message": "Event processed",
        "dedup_key": "k1",
    }
    assert (taken_on, incident.acknowledged_at) == ("investigating", None)
    assert Alert.objects.get().labels["service"] == "checkout"
    assert AlertOccurrence.objects.get().resolved_at is not None


def test_events_of_one_key_are_one_series_whatever_they_say(key: str) -> None:
    event(key, "trigger", payload=PAYLOAD)
    event(key, "trigger", payload={**PAYLOAD, "summary": "It is worse", "severity": "info"})

    alert = Alert.objects.get()
    assert (alert.received_count, alert.labels["severity"]) == (2, "info")
    assert alert.annotations["summary"] == "It is worse"


def test_key_that_triggers_after_its_end_fires_again(key: str) -> None:
    at = "2026-01-01T00:00:00Z"
    for action in ("trigger", "resolve", "trigger"):
        event(key, action, payload={**PAYLOAD, "timestamp": at})

    assert AlertOccurrence.objects.count() == 2
    assert Alert.objects.get().firing


def test_trigger_without_a_key_gets_one_made_of_what_it_says(key: str) -> None:
    first, again = (event(key, "trigger", None, payload=PAYLOAD).json() for _ in range(2))

    assert first["dedup_key"] == again["dedup_key"]
    assert Alert.objects.count() == 1


def test_routing_key_is_not_kept(key: str) -> None:
    event(key, "trigger", payload=PAYLOAD)

    assert key not in Delivery.objects.get().body
    assert key[:10] in Delivery.objects.get().body


@pytest.mark.parametrize("given", ["rst_wrong", "R0ABC", "rst_\ud800", "", None])
def test_wrong_routing_key_is_a_401(db: None, given: str | None) -> None:
    assert event(given or "", "trigger", payload=PAYLOAD).status_code == 401


def test_details_that_are_no_labels_do_not_cost_the_event(key: str, settings: Any) -> None:
    """As Alertmanager's own pages have them: a text that lists each alert of the group."""
    settings.INTAKE_MAX_LABELS, settings.INTAKE_MAX_LABEL_LENGTH = 6, 100
    listed = "Labels:\n - alertname = High\n" * 50
    details = {"firing": listed, "num_firing": "50", "severity": "low", "more": "x", "most": "y"}

    answer = event(key, "trigger", payload={**PAYLOAD, "custom_details": details})

    alert = Alert.objects.get()
    assert answer.json()["status"] == "success"
    assert alert.labels == {
        "alertname": "Checkout fails",
        "dedup_key": "k1",
        "more": "x",
        "num_firing": "50",
        "severity": "critical",
        "source": "checkout-1",
    }
    assert json.loads(alert.annotations["description"]) == details


def test_long_summary_does_not_cost_the_event(key: str) -> None:
    event(key, "trigger", payload={**PAYLOAD, "summary": "x" * 5000})

    alert = Alert.objects.get()
    assert (alert.name, alert.annotations["summary"]) == ("x" * 200, "x" * 5000)


def test_images_and_links_of_an_event_become_annotations(key: str) -> None:
    links = [
        {"href": "https://wiki/runbook", "text": "Runbook"},
        {"href": "https://logs"},
        {"href": "https://traces", "text": "title"},
        {"text": "nowhere"},
        "https://no-object",
    ]
    images = [{"src": "https://graphs/1.png", "alt": "Errors"}]

    event(key, "trigger", payload=PAYLOAD, links=links, images=images)

    told = Alert.objects.get().annotations
    assert told["Runbook"] == "https://wiki/runbook"
    assert told["links"] == "https://logs\nhttps://traces"
    assert told["images"] == "https://graphs/1.png"
    assert "title" not in told


def test_many_links_of_an_event_do_not_cost_it(key: str, settings: Any) -> None:
    settings.INTAKE_MAX_LABELS = 10
    links = [{"href": f"https://logs/{n}", "text": f"Logs {n}"} for n in range(20)]

    event(key, "trigger", payload=PAYLOAD, links=links)

    told = Alert.objects.get().annotations
    assert len(told) == 10
    assert len(told["links"].splitlines()) == 20 - 8


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ([], "JSON object"),
        ({"event_action": "shout"}, "event_action"),
        ({"event_action": "resolve"}, "dedup_key"),
        ({"event_action": "trigger", "dedup_key": "k" * 256}, "dedup_key"),
        ({"event_action": "trigger"}, "payload"),
        ({"event_action": "trigger", "payload": {**PAYLOAD, "summary": ""}}, "payload.summary"),
        ({"event_action": "trigger", "payload": {**PAYLOAD, "source": 7}}, "payload.source"),
        ({"event_action": "trigger", "payload": {**PAYLOAD, "severity": "dire"}}, "severity"),
    ],
)
def test_event_that_cannot_be_taken_names_the_field(body: Any, named: str) -> None:
    with pytest.raises(Unacceptable, match=named):
        events.parse(body)


def test_one_bad_alert_does_not_cost_its_neighbours(db: None) -> None:
    _, token = sources.create(slug="eu", kind="alertmanager")
    good, long = {"alertname": "good"}, {"alertname": "long", "pod": "p" * 5000}
    body = {
        "alerts": [
            {"status": "firing", "labels": good},
            {"status": "odd", "labels": good},
            {"status": "firing", "labels": long},
        ]
    }

    answer = Client().post(
        f"/api/intake/alertmanager/{token}", body, content_type="application/json"
    )

    assert answer.json()["alerts"] == 1
    assert [line.partition(":")[0] for line in answer.json()["refused"]] == [
        "alerts[1].status",
        "long",
    ]
    assert [alert.name for alert in Alert.objects.all()] == ["good"]


@pytest.mark.parametrize(
    "at",
    [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "1970-01-01T00:00:00+23:59",
        "2199-12-31T23:59:59-23:59",
        "",
        None,
    ],
)
def test_impossible_time_is_no_claim(at: str | None) -> None:
    alert = {"status": "firing", "labels": {"a": "b"}, "startsAt": at}

    (read,) = alertmanager.parse({"alerts": [alert]}).alerts

    assert read.starts_at is None


def test_offset_that_no_database_knows_is_stored(db: None) -> None:
    _, token = sources.create(slug="eu", kind="alertmanager")
    alert = {"status": "firing", "labels": {"a": "b"}, "startsAt": "2026-01-02T00:00:00+23:59"}

    answer = Client().post(
        f"/api/intake/alertmanager/{token}", {"alerts": [alert]}, content_type="application/json"
    )

    assert answer.status_code == 202
    assert AlertOccurrence.objects.get().claimed_started_at == datetime(
        2026, 1, 1, 0, 1, tzinfo=UTC
    )


@pytest.mark.parametrize("text", ["\ud800", "a\x00b"])
def test_text_that_no_database_holds_is_cleaned(db: None, text: str) -> None:
    _, token = sources.create(slug="eu", kind="alertmanager")
    body = {"alerts": [{"status": "firing", "labels": {"alertname": text}, "fingerprint": text}]}

    answer = Client().post(
        f"/api/intake/alertmanager/{token}", body, content_type="application/json"
    )

    assert answer.status_code == 202
    assert Alert.objects.count() == 1


def test_body_nested_too_deep_is_a_400(db: None) -> None:
    _, token = sources.create(slug="eu", kind="alertmanager")

    answer = Client().post(
        f"/api/intake/alertmanager/{token}", b"[" * 100_000, content_type="application/json"
    )

    assert answer.status_code == 400
