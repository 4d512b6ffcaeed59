"""The pages of grouping rules and maps: who may what, and what they show."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role
from incidents.intake import alerts
from incidents.models import AlertReading, GroupingRule
from tests.incidents.conftest import MakeIncident, make_person

RULES = "/alerts/rules"


def signed_in(role: Role) -> Client:
    client = Client()
    client.force_login(make_person(role.value, role))
    return client


@pytest.fixture
def admin(db: None) -> Client:
    return signed_in(Role.ADMIN)


@pytest.fixture
def viewer(db: None) -> Client:
    return signed_in(Role.VIEWER)


def filled(**given: Any) -> dict[str, Any]:
    usual = {
        "name": "payments",
        "matchers": "team=payments\nseverity!=info",
        "group_by": "@service, zone",
        "window": "open",
        "minimum_alerts": "1",
        "priority": "100",
        "enabled": "on",
    }
    return {**usual, **given}


def test_a_rule_is_made_and_changed(admin: Client) -> None:
    made = admin.post(f"{RULES}/new", filled())
    rule = GroupingRule.objects.get()
    page = admin.get(f"{RULES}/{rule.pk}").content.decode()
    changed = admin.post(f"{RULES}/{rule.pk}", filled(priority="7", version="1"))
    late = admin.post(f"{RULES}/{rule.pk}", filled(priority="9", version="1"))

    assert (made.status_code, changed.status_code, late.status_code) == (302, 302, 422)
    assert (rule.matchers, rule.group_by) == (
        ["team=payments", "severity!=info"],
        ["@service", "zone"],
    )
    assert "team=payments\nseverity!=info" in page
    assert GroupingRule.objects.get().priority == 7
    assert "Somebody changed it" in late.content.decode()


def test_a_bad_rule_is_said_at_its_field(admin: Client) -> None:
    answer = admin.post(f"{RULES}/new", filled(matchers="team", window="fixed"))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "is no matcher" in page
    assert "A fixed window has a length." in page


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_the_same_queries(
    viewer: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for n in range(count):
        GroupingRule.objects.create(name=f"rule {n}")
    viewer.get(RULES)

    with django_assert_num_queries(6):  # session and user are two
        answer = viewer.get(RULES)

    assert answer.content.decode().count("/alerts/rules/") >= count


def test_rules_are_switched_and_moved(admin: Client) -> None:
    first, second = (GroupingRule.objects.create(name=name) for name in "ab")

    moved = admin.post(f"{RULES}/{second.pk}/move", {"by": "-1"}, headers={"HX-Request": "true"})
    admin.post(f"{RULES}/{first.pk}/switch", {"enabled": "0"})

    assert moved.status_code == 200
    assert [rule.name for rule in GroupingRule.objects.all()] == ["b", "a"]
    assert not GroupingRule.objects.get(name="a").enabled


def test_a_rule_is_deleted_and_its_incidents_stay(
    admin: Client, make_incident: MakeIncident
) -> None:
    rule = GroupingRule.objects.create(name="a")
    incident = make_incident(grouping_rule=rule.pk)

    admin.post(f"{RULES}/{rule.pk}/remove")

    incident.refresh_from_db()
    assert incident.grouping_rule is None


def test_a_viewer_may_read_and_try_only(viewer: Client) -> None:
    rule = GroupingRule.objects.create(name="a")

    allowed = [viewer.get(RULES), viewer.post(f"{RULES}/test", {"alert": "a=b"})]
    refused = [
        viewer.get(f"{RULES}/new"),
        viewer.post(f"{RULES}/{rule.pk}/switch"),
        viewer.post(f"{RULES}/{rule.pk}/remove"),
        viewer.post("/alerts/reading/save"),
    ]

    assert [answer.status_code for answer in allowed] == [200, 200]
    assert [answer.status_code for answer in refused] == [403] * 4


def test_the_test_box_says_what_would_happen(viewer: Client, make_incident: MakeIncident) -> None:
    make_incident(correlation_key="service:production:checkout")

    answer = viewer.post(f"{RULES}/test", {"alert": "alertname=A\nservice=checkout"})
    bad = viewer.post(f"{RULES}/test", {"alert": "nonsense"})

    page = answer.content.decode()
    assert "It joins" in page
    assert "INC-1" in page
    assert "service:production:checkout" in page
    assert bad.status_code == 422


def test_maps_are_saved_and_given_up(admin: Client) -> None:
    url = "/alerts/reading/save"
    body = {
        "service_steps": "namespace/deployment\nservice",
        "service_names": "pay-svc = payment",
        "severity_labels": "severity, level",
        "severity_values": "P0 = critical",
        "severity_default": "low",
    }

    shipped = admin.get("/alerts/reading").content.decode()
    saved = admin.post(url, body)
    row = AlertReading.objects.get()
    late = admin.post(url, {**body, "version": "9"})
    removed = admin.post(url, {"remove": "1"})

    assert "app_kubernetes_io_name" in shipped
    assert (saved.status_code, late.status_code, removed.status_code) == (302, 422, 302)
    assert (row.scope, row.service_steps, row.severity_labels) == (
        "",
        ["namespace/deployment", "service"],
        ["severity", "level"],
    )
    assert (row.service_names, row.severity_values) == (
        {"pay-svc": "payment"},
        {"P0": "critical"},
    )
    assert not AlertReading.objects.exists()


def test_maps_of_one_source(admin: Client) -> None:
    alerts.source_of("grafana", "grafana")

    page = admin.get("/alerts/reading?source=grafana").content.decode()
    saved = admin.post("/alerts/reading/save?source=grafana", {"service_steps": "folder"})
    unknown = admin.get("/alerts/reading?source=nobody")

    assert "Only for the source grafana" in page
    assert saved.headers["Location"] == "/alerts/reading?source=grafana"
    assert AlertReading.objects.get().scope == "grafana"
    assert unknown.status_code == 404


def test_bad_maps_are_said_at_their_field(admin: Client) -> None:
    answer = admin.post(
        "/alerts/reading/save", {"service_steps": "a b", "severity_values": "p0 = awful\nx"}
    )

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "write a label" in page
    assert "write value = meaning" in page
