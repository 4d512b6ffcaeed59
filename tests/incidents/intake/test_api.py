"""Alertmanager's real webhooks: each alert by its own status, nothing twice, nothing lost."""

from __future__ import annotations

import copy
import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from incidents.intake import alerts, grouping, recovery
from incidents.intake.alertmanager import parse
from incidents.models import Alert, AlertOccurrence, Delivery, Incident
from tests.incidents.clock import pass_time
from tests.incidents.conftest import MakeService
from timeline.models import TimelineEvent

CONTRACTS = Path(__file__).parents[2] / "contracts" / "alertmanager"
URL = "/api/intake/alertmanager"


def webhook(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((CONTRACTS / f"{name}.json").read_text())["request"]["body"]
    return body


def one_alert(status: str = "firing", **labels: str) -> dict[str, Any]:
    return {
        "version": "4",
        "status": status,
        "alerts": [
            {
                "status": status,
                "labels": {"alertname": "HighErrorRate", "service": "checkout", **labels},
                "annotations": {"summary": "High 5xx ratio on checkout"},
                "startsAt": "2026-11-22T00:05:00.123456789Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "",
                "fingerprint": "aaaa",
            }
        ],
    }


def send(intake: APIClient, body: Any) -> Any:
    answer = intake.post(URL, body, format="json")
    assert answer.status_code == 202, answer.content
    grouping.run(answer.json()["delivery"])
    return answer.json()


@pytest.mark.parametrize("path", sorted(CONTRACTS.glob("webhook_*.json")), ids=lambda p: p.stem)
def test_every_recorded_webhook_is_stored(intake: APIClient, path: Path) -> None:
    body = webhook(path.stem)

    answer = send(intake, body)

    assert answer["alerts"] == len(body["alerts"])
    assert Delivery.objects.get().state == Delivery.State.DONE
    assert Alert.objects.count() == len(body["alerts"])


def test_firing_alert_opens_an_incident_of_its_service(
    intake: APIClient, make_service: MakeService
) -> None:
    make_service("checkout")

    send(intake, one_alert(severity="critical"))

    incident = Incident.objects.get()
    assert (incident.title, incident.severity, incident.source) == (
        "High 5xx ratio on checkout",
        "critical",
        "alert",
    )
    assert [a.service.slug for a in incident.affected.all()] == ["checkout"]
    assert AlertOccurrence.objects.get().incident == incident


def test_rule_4_repeats_change_a_count_and_nothing_else(
    intake: APIClient, make_service: MakeService
) -> None:
    make_service("checkout")
    send(intake, one_alert())
    revision = Incident.objects.get().revision

    for _ in range(3):
        send(intake, one_alert())

    assert Alert.objects.get().received_count == 4
    assert AlertOccurrence.objects.count() == 1
    assert Incident.objects.get().revision == revision


def test_rule_2_ha_pair_is_one_series_resolved_when_both_members_are(
    intake: APIClient, make_service: MakeService
) -> None:
    make_service("checkout")
    first, second = one_alert(replica="a"), one_alert(replica="b")
    second["alerts"][0]["fingerprint"] = "bbbb"
    send(intake, first)
    send(intake, second)
    for body in (first, second):
        body["alerts"][0]["status"] = "resolved"

    send(intake, first)
    half = AlertOccurrence.objects.get().resolved_at
    send(intake, second)

    assert half is None
    assert AlertOccurrence.objects.get().resolved_at is not None
    assert Incident.objects.count() == 1


def test_rule_5_absence_resolves_nothing(intake: APIClient) -> None:
    send(intake, webhook("webhook_firing_group"))
    shorter = webhook("webhook_firing_group")
    shorter["alerts"] = shorter["alerts"][:1]

    send(intake, shorter)

    assert AlertOccurrence.objects.filter(resolved_at=None).count() == 3


def test_rule_1_group_status_does_not_count(intake: APIClient) -> None:
    send(intake, webhook("webhook_firing_group"))

    send(intake, webhook("webhook_mixed"))

    assert AlertOccurrence.objects.filter(resolved_at=None).count() == 2


def test_rule_5_resolved_without_firing_records_an_occurrence_and_opens_nothing(
    intake: APIClient, make_service: MakeService
) -> None:
    make_service("checkout")

    send(intake, one_alert("resolved"))

    assert AlertOccurrence.objects.get().resolved_at is not None
    assert Incident.objects.count() == 0


def test_late_repeat_of_a_resolved_firing_does_not_reopen_it(
    intake: APIClient, make_service: MakeService
) -> None:
    make_service("checkout")
    send(intake, one_alert())
    send(intake, one_alert("resolved"))

    send(intake, one_alert())

    assert AlertOccurrence.objects.filter(resolved_at=None).count() == 0
    assert AlertOccurrence.objects.count() == 1


def test_the_same_firing_told_a_group_interval_after_its_end_fires_again(
    intake: APIClient, make_service: MakeService
) -> None:
    """A Prometheus that was restarted: its Alertmanager ended the alert meanwhile, and says once
    that it goes on."""
    make_service("checkout")
    began = timezone.now() - timedelta(minutes=10)
    firing, ended = one_alert(), one_alert("resolved")
    for body in (firing, ended):
        body["alerts"][0]["startsAt"] = began.isoformat()
    ended["alerts"][0]["endsAt"] = timezone.now().isoformat()
    send(intake, firing)
    send(intake, ended)

    pass_time(60)
    firing["alerts"][0]["startsAt"] = (began - timedelta(seconds=60)).isoformat()
    send(intake, firing)

    assert AlertOccurrence.objects.filter(resolved_at=None).count() == 1


def test_rule_3_fired_again_with_a_new_start_is_a_new_occurrence(
    intake: APIClient, make_service: MakeService
) -> None:
    make_service("checkout")
    send(intake, one_alert())
    send(intake, one_alert("resolved"))
    again = one_alert()
    again["alerts"][0]["startsAt"] = "2026-11-22T00:30:00Z"

    send(intake, again)

    assert AlertOccurrence.objects.count() == 2
    assert AlertOccurrence.objects.filter(incident=Incident.objects.get()).count() == 2


def test_unknown_service_makes_an_incident_that_says_so(intake: APIClient) -> None:
    send(intake, one_alert(service="mystery"))

    incident = Incident.objects.get()
    assert "'mystery' is not in the catalogue" in incident.description
    assert list(incident.affected.all()) == []


def test_alert_without_service_labels_makes_an_incident_that_says_so(intake: APIClient) -> None:
    send(intake, webhook("webhook_bare"))

    assert "names no service" in Incident.objects.get().description


def test_second_alert_of_a_service_joins_and_raises_the_severity(
    intake: APIClient, make_service: MakeService
) -> None:
    make_service("checkout")
    send(intake, one_alert(severity="warning"))

    send(intake, one_alert(alertname="HighLatency", severity="critical"))

    incident = Incident.objects.get()
    assert incident.severity == "critical"
    assert incident.occurrences.count() == 2


def test_started_at_is_the_claim_unless_it_is_in_the_future(
    intake: APIClient, make_service: MakeService
) -> None:
    make_service("checkout")
    body = one_alert()
    body["alerts"][0]["startsAt"] = (timezone.now() + timedelta(days=1)).isoformat()
    before = timezone.now()

    send(intake, body)

    assert before <= Incident.objects.get().started_at <= timezone.now()


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"\xff\xfe", 400), (b"", 400)],
)
def test_rule_6_a_body_that_cannot_be_read_is_400(
    intake: APIClient, body: bytes, status: int
) -> None:
    answer = intake.generic("POST", URL, body, content_type="application/json")

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ([], "JSON object"),
        ({}, "alerts"),
        ({"alerts": [7]}, "alerts[0]"),
        ({"alerts": [{"status": "firing"}]}, "alerts[0].labels"),
        ({"alerts": [{"status": "odd", "labels": {"a": "b"}}]}, "alerts[0].status"),
        (
            {"alerts": [{"status": "firing", "labels": {"a": "b"}, "startsAt": "noon"}]},
            "alerts[0].startsAt",
        ),
    ],
)
def test_rule_6_what_can_never_be_accepted_is_kept_and_answered_202(
    intake: APIClient, body: Any, named: str
) -> None:
    answer = intake.post(URL, body, format="json")

    assert answer.status_code == 202
    delivery = Delivery.objects.get()
    assert delivery.state == Delivery.State.REJECTED
    assert named in delivery.error
    assert answer.json()["rejected"] == delivery.error


def test_nul_characters_are_stripped(intake: APIClient, make_service: MakeService) -> None:
    make_service("checkout")
    body = one_alert()
    body["alerts"][0]["annotations"]["summary"] = "High\x00 ratio"

    send(intake, body)

    assert Incident.objects.get().title == "High ratio"


def test_rule_6_too_long_a_body_is_413_by_its_length_alone(
    intake: APIClient, settings: Any
) -> None:
    settings.INTAKE_MAX_BYTES = 10

    answer = intake.post(URL, one_alert(), format="json")

    assert answer.status_code == 413
    assert Delivery.objects.count() == 0


def test_a_viewer_token_is_refused(db: None) -> None:
    answer = APIClient().post(URL, one_alert(), format="json")

    assert answer.status_code == 401


@pytest.mark.parametrize("count", [1, 20])
def test_store_takes_the_same_statements_however_many_alerts(
    db: None, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    source = alerts.source_of("alertmanager", "alertmanager")
    body = one_alert()
    for n in range(1, count):
        another = copy.deepcopy(body["alerts"][0])
        another["labels"]["pod"] = f"pod-{n}"
        body["alerts"].append(another)
    received = parse(body).alerts

    with django_assert_num_queries(
        1 if connection.vendor == "postgresql" else 5
    ):  # and a savepoint
        alerts.store(source, "{}", received)

    assert Alert.objects.count() == count


def test_lost_delivery_is_swept(intake: APIClient, make_service: MakeService) -> None:
    make_service("checkout")
    intake.post(URL, one_alert(), format="json")
    Delivery.objects.update(
        state=Delivery.State.GROUPING,
        lease_until=timezone.now() - timedelta(seconds=1),
    )

    swept = grouping.sweep()

    assert swept == 1
    assert Incident.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_group_by_eight_senders_is_one_incident(make_service: MakeService) -> None:
    make_service("checkout")
    source = alerts.source_of("alertmanager", "alertmanager")
    received = parse(one_alert()).alerts

    def deliver() -> None:
        try:
            grouping.run(alerts.store(source, "{}", received).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Incident.objects.count() == 1
    assert AlertOccurrence.objects.count() == 1
    assert Alert.objects.get().received_count == 8


def test_incident_resolves_once_its_alerts_have_been_quiet(
    intake: APIClient, make_service: MakeService, settings: Any
) -> None:
    settings.RESOLVE_HOLD_DOWN_SECONDS = 60
    make_service("checkout")
    send(intake, one_alert())
    send(intake, one_alert("resolved"))

    too_early = recovery.resolve_quiet()
    later = recovery.resolve_quiet(timezone.now() + timedelta(seconds=61))

    assert (too_early, later) == (0, 1)
    assert Incident.objects.get().status == "resolved"
    assert Incident.objects.get().affected.get().recovered_at is not None
    titles = TimelineEvent.objects.order_by("seq").values_list("title", flat=True)
    assert "Alert HighErrorRate firing on checkout" in titles
    assert "Alert HighErrorRate resolved on checkout" in titles


def test_change_event_is_kept_once(intake: APIClient, make_service: MakeService) -> None:
    make_service("checkout")
    body = {
        "service": "checkout",
        "kind": "deploy",
        "at": datetime(2026, 11, 22, tzinfo=UTC).isoformat(),
        "ref": "v2",
    }

    first = intake.post("/api/intake/changes", body, format="json")
    again = intake.post("/api/intake/changes", body, format="json")

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]


@pytest.mark.parametrize(
    ("url", "status"),
    [("http://jenkins:8080/job/1?x=2#log", 202), ("javascript:alert(1)", 400), ("http://", 400)],
)
def test_change_may_lead_to_a_host_without_a_dot(
    intake: APIClient, make_service: MakeService, url: str, status: int
) -> None:
    make_service("checkout")
    body = {"service": "checkout", "kind": "deploy", "at": "2026-11-22T00:00:00Z", "url": url}

    answer = intake.post("/api/intake/changes", body, format="json")

    assert answer.status_code == status


def test_change_without_a_title_is_called_by_its_description(
    intake: APIClient, make_service: MakeService
) -> None:
    make_service("checkout")
    said = "A long story. " * 100
    body = {"service": "checkout", "kind": "deploy", "at": "2026-11-22T00:00:00Z"}

    answer = intake.post("/api/intake/changes", {**body, "description": said}, format="json")

    assert answer.status_code == 202
    assert answer.json()["title"] == said[:500].strip()
