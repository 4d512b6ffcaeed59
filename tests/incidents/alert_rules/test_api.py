"""Grouping rules and maps over the API, and the trial of an alert."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import Role
from incidents.intake import alerts
from incidents.models import (
    AlertReading,
    GroupingRule,
    Heartbeat,
    Incident,
    MaintenanceWindow,
    ServiceDependency,
)
from tests.incidents.conftest import MakeIncident, MakeService, make_person

RULES, READINGS = "/api/grouping-rules", "/api/alert-readings"


@pytest.fixture
def admin_api(db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(make_person("ada", Role.ADMIN))
    return client


def post(client: APIClient, body: dict[str, Any], url: str = RULES) -> Any:
    return client.post(url, body, format="json")


def test_a_rule_is_made_read_changed_and_deleted(admin_api: APIClient) -> None:
    alerts.source_of("prom", "alertmanager")
    made = post(
        admin_api,
        {
            "name": "payments",
            "matchers": ["team=payments"],
            "sources": ["prom"],
            "group_by": ["@service", "zone"],
            "window": "rolling",
            "window_seconds": 600,
        },
    )
    url = f"{RULES}/{made.json()['id']}"

    changed = admin_api.patch(url, {"priority": 5}, format="json", HTTP_IF_MATCH='"1"')
    late = admin_api.patch(url, {"priority": 6}, format="json", HTTP_IF_MATCH='"1"')
    gone = admin_api.delete(url)

    assert (made.status_code, made["ETag"]) == (201, '"1"')
    assert made.json()["sources"] == ["prom"]
    assert (changed.status_code, changed.json()["priority"]) == (200, 5)
    assert (late.status_code, late.json()["version"]) == (412, 2)
    assert gone.status_code == 204
    assert not GroupingRule.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"matchers": ["team"]}, "matchers"),
        ({"matchers": ["team=~((a+)+b)+"]}, "matchers"),
        ({"matchers": "team=x"}, "matchers"),
        ({"group_by": ["a", "a"]}, "group_by"),
        ({"group_by": [""]}, "group_by.0"),
        ({"window": "rolling"}, "window_seconds"),
        ({"window": "sometimes"}, "window"),
        ({"minimum_alerts": 3}, "window_seconds"),
        ({"minimum_alerts": 0}, "minimum_alerts"),
        ({"reopen_window_seconds": -1}, "reopen_window_seconds"),
        ({"sources": ["nobody"]}, "sources"),
        ({"name": "taken"}, "name"),
    ],
)
def test_a_bad_rule_is_a_400_that_names_the_field(
    admin_api: APIClient, body: dict[str, Any], field: str
) -> None:
    GroupingRule.objects.create(name="taken")

    answer = post(admin_api, {"name": "new", **body})

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_part_of_a_rule_must_fit_the_rest(admin_api: APIClient) -> None:
    rule = GroupingRule.objects.create(name="a", window="fixed", window_seconds=60)

    answer = admin_api.patch(f"{RULES}/{rule.pk}", {"window_seconds": None}, format="json")

    assert answer.status_code == 400


def test_responders_may_try_but_not_change(api: APIClient, viewer_api: APIClient) -> None:
    body = {"name": "a"}

    assert post(api, body).status_code == 403
    assert viewer_api.get(RULES).status_code == 200
    assert post(viewer_api, {"labels": {"a": "b"}}, f"{RULES}/test").status_code == 200
    assert api.put(f"{READINGS}/installation", {}, format="json").status_code == 403


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_the_same_queries(
    viewer_api: APIClient, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for n in range(count):
        GroupingRule.objects.create(name=f"rule {n}", priority=9 - n)

    with django_assert_num_queries(2):
        answer = viewer_api.get(RULES)

    names = [row["name"] for row in answer.json()["results"]]
    assert names == [f"rule {n}" for n in reversed(range(count))]


def try_alert(client: APIClient, **labels: str) -> dict[str, Any]:
    body = {"labels": {"alertname": "HighErrorRate", **labels}, "source": "prom"}
    answer = post(client, body, f"{RULES}/test")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_a_trial_says_rule_service_severity_and_key(
    viewer_api: APIClient, make_service: MakeService
) -> None:
    make_service("checkout")
    GroupingRule.objects.create(name="other", priority=1, matchers=["team=x"])
    rule = GroupingRule.objects.create(name="pods", group_by=["pod"])

    found = try_alert(viewer_api, service="Checkout", pod="p1", severity="p0")

    assert [(one["rule"]["name"], one["fits"]) for one in found["tried"]] == [
        ("other", False),
        ("pods", True),
    ]
    assert found["rule"] == {"id": str(rule.pk), "name": "pods"}
    assert (found["key"], found["values"]) == (
        f"rule:{rule.pk}:production:pod=p1",
        {"pod": "p1"},
    )
    assert found["service"] == {"named": "Checkout", "slug": "checkout", "missing": ""}
    assert found["severity"]["severity"] == "high"
    assert found["severity"]["why"] == "The severity map does not know severity 'p0'."
    assert found["outcome"] == {
        "how": "opened",
        "why": "No open incident has its key.",
        "incident": None,
    }
    assert not Incident.objects.exists()


def test_a_trial_says_which_incident_would_be_joined(
    viewer_api: APIClient, make_service: MakeService, make_incident: MakeIncident
) -> None:
    checkout, payment = make_service("checkout"), make_service("payment")
    ServiceDependency.objects.create(caller=checkout, callee=payment)
    GroupingRule.objects.create(
        name="three", matchers=["team=x"], minimum_alerts=3, window_seconds=60
    )
    make_incident("Checkout fails", correlation_key="service:production:checkout")

    outcomes = [
        try_alert(viewer_api, service="checkout")["outcome"],
        try_alert(viewer_api, service="payment")["outcome"],
        try_alert(viewer_api, service="payment", team="x")["outcome"],
        try_alert(viewer_api, service="unknown")["outcome"],
    ]

    assert [(one["how"], one["incident"]) for one in outcomes] == [
        ("key", "INC-1"),
        ("neighbour", "INC-1"),
        ("waits", None),
        ("opened", None),
    ]


def test_a_trial_says_what_goes_before_any_rule(viewer_api: APIClient) -> None:
    now = timezone.now()
    MaintenanceWindow.objects.create(
        name="Upgrade",
        matchers=["team=x"],
        starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(hours=1),
        mode=MaintenanceWindow.Mode.SUPPRESS,
    )

    beat = try_alert(viewer_api, alertname="Watchdog")
    held = try_alert(viewer_api, team="x")

    assert beat["outcome"]["how"] == held["outcome"]["how"] == "held"
    assert beat["screened"] == "It feeds the heartbeat Watchdog."
    assert held["screened"] == "The maintenance window Upgrade holds it back."
    assert not Heartbeat.objects.exists()


def test_a_resolved_alert_opens_nothing(viewer_api: APIClient) -> None:
    body = {"labels": {"alertname": "A"}, "status": "resolved"}

    answer = post(viewer_api, body, f"{RULES}/test")

    assert answer.json()["outcome"]["how"] == "nothing"


def test_maps_are_made_changed_and_given_up(admin_api: APIClient) -> None:
    body = {"service_steps": ["namespace/deployment"], "severity_values": {"p0": "critical"}}
    url = f"{READINGS}/installation"

    made = admin_api.put(url, body, format="json")
    changed = admin_api.put(url, {"severity_default": "low"}, format="json", HTTP_IF_MATCH='"1"')
    late = admin_api.put(url, {}, format="json", HTTP_IF_MATCH='"1"')
    listed = admin_api.get(READINGS).json()["results"]
    gone = admin_api.delete(url)

    assert (made.status_code, changed.status_code, late.status_code) == (200, 200, 412)
    assert [(one["scope"], one["service_steps"], one["severity_default"]) for one in listed] == [
        ("", ["namespace/deployment"], "low")
    ]
    assert gone.status_code == 204
    assert admin_api.get(url).status_code == 404


def test_maps_of_a_source_that_is_not_there_are_a_404(admin_api: APIClient) -> None:
    alerts.source_of("prom", "alertmanager")

    answers = [
        admin_api.put(f"{READINGS}/{scope}", {"service_steps": ["team"]}, format="json").status_code
        for scope in ("prom", "nobody")
    ]

    assert answers == [200, 404]
    assert AlertReading.objects.get().scope == "prom"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"service_steps": ["a b"]}, "service_steps"),
        ({"service_steps": ["a"] * 31}, "service_steps"),
        ({"severity_values": {"p0": "awful"}}, "severity_values"),
        ({"severity_labels": [""]}, "severity_labels.0"),
        ({"service_names": {"x": ""}}, "service_names.x"),
        ({"severity_default": "awful"}, "severity_default"),
    ],
)
def test_bad_maps_are_a_400_that_names_the_field(
    admin_api: APIClient, body: dict[str, Any], field: str
) -> None:
    answer = admin_api.put(f"{READINGS}/installation", body, format="json")

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
