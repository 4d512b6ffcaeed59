"""A service that nobody knew is made or linked from the incident, and later alerts find it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Role
from correlation.models import Analysis
from incidents.intake import alerts, grouping
from incidents.intake.received import ReceivedAlert
from incidents.models import AlertOccurrence, AlertReading, GroupingRule, Incident, Service
from tests.incidents.conftest import MakeService, make_person


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(make_person("ada", Role.ADMIN))
    return client


def fire(**labels: str) -> AlertOccurrence:
    labels = {"alertname": "HighErrorRate", **labels}
    name = "/".join(labels.values())
    source = alerts.source_of("alertmanager", "alertmanager")
    received = ReceivedAlert(True, labels, {}, name, "", timezone.now())
    delivery = alerts.store(source, "{}", [received])
    grouping.run_waiting()
    return AlertOccurrence.objects.get(delivery=delivery)


def test_the_page_offers_to_add_what_is_missing(admin: Client, make_service: MakeService) -> None:
    make_service("checkout")
    fire(service="Mystery-SVC")

    page = admin.get("/incidents/INC-1").content.decode()

    assert "Alerts name the service <strong>Mystery-SVC</strong>" in page
    assert "Add mystery-svc to the catalogue" in page
    assert "<option>checkout</option>" in page


@pytest.mark.parametrize("group_by", [None, ["@service", "zone"]], ids=["default", "rule"])
def test_an_added_service_is_linked_and_later_alerts_join(
    admin: Client, group_by: list[str] | None
) -> None:
    if group_by:
        GroupingRule.objects.create(name="r", group_by=group_by)
    incident = fire(service="Mystery-SVC", zone="a").incident
    assert incident is not None
    Analysis.objects.all().delete()

    answer = admin.post(f"/incidents/{incident.pk}/service", {"named": "Mystery-SVC"})
    later = fire(service="Mystery-SVC", zone="a", pod="b")

    assert answer.status_code == 200
    service = Service.objects.get()
    assert (service.slug, service.name) == ("mystery-svc", "Mystery-SVC")
    assert [a.service for a in incident.affected.all()] == [service]
    assert later.incident == incident
    assert {o.service for o in AlertOccurrence.objects.all()} == {service}
    assert Analysis.objects.get().reason == "requested"
    assert not AlertReading.objects.exists()


def test_spellings_of_an_unknown_service_share_an_incident_also_once_it_is_known(
    make_service: MakeService,
) -> None:
    """However it comes into the catalogue."""
    first, second = fire(service="Mystery-SVC"), fire(service="mystery svc")

    service = make_service("mystery-svc")
    third = fire(service="mystery-svc")

    assert first.incident is not None
    assert first.incident == second.incident == third.incident
    assert [a.service for a in first.incident.affected.all()] == [service]


def test_a_known_service_is_linked_through_the_map(
    admin: Client, make_service: MakeService
) -> None:
    payment = make_service("payment")
    incident = fire(service="pay-svc").incident
    assert incident is not None

    admin.post(f"/incidents/{incident.pk}/service", {"named": "pay-svc", "slug": "payment"})
    later = fire(service="pay-svc", pod="b")

    assert AlertReading.objects.get().service_names == {"pay-svc": "payment"}
    assert (later.service, later.incident) == (payment, incident)
    assert Incident.objects.count() == 1


def test_what_cannot_be_linked_is_refused(admin: Client) -> None:
    incident = fire(service="mystery").incident
    assert incident is not None
    url = f"/incidents/{incident.pk}/service"

    answers = [
        admin.post(url, {"named": "another"}),
        admin.post(url, {"named": "mystery", "slug": "nowhere"}),
    ]

    assert [answer.status_code for answer in answers] == [400, 404]
    assert not Service.objects.exists()


def test_responders_may_not_link(db: None) -> None:
    incident = fire(service="mystery").incident
    assert incident is not None
    client = Client()
    client.force_login(make_person("sam", Role.RESPONDER))

    answer = client.post(f"/incidents/{incident.pk}/service", {"named": "mystery"})

    assert answer.status_code == 403
