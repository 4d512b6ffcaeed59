"""The API of maintenance windows, heartbeats and Alertmanagers: roles, refusals, query counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import Role
from incidents.models import Alertmanager, AlertSource, Heartbeat, Incident, MaintenanceWindow
from tests.incidents.conftest import MakeService, make_person
from tests.incidents.upkeep.conftest import Deliver

WINDOWS, HEARTBEATS, SERVERS = (
    "/api/maintenance-windows",
    "/api/heartbeats",
    "/api/alertmanagers",
)


@pytest.fixture
def admin(db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(make_person("ada", Role.ADMIN))
    return client


def stamp(at: datetime) -> str:
    return at.isoformat()


def window(**changed: Any) -> dict[str, Any]:
    now = timezone.now()
    return {
        "name": "Database upgrade",
        "matchers": ["alertname=~High.*"],
        "starts_at": stamp(now - timedelta(minutes=1)),
        "ends_at": stamp(now + timedelta(hours=1)),
        **changed,
    }


def test_responder_makes_a_window_and_it_says_how_it_stands(
    api: APIClient, make_service: MakeService
) -> None:
    make_service("checkout")

    made = api.post(WINDOWS, window(services=["checkout"]), format="json")

    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["state"], body["services"], body["matchers"], body["created_by"]) == (
        "current",
        ["checkout"],
        ['alertname=~"High.*"'],
        "sam",
    )
    assert body["occasion"]["ends_at"] == body["ends_at"] == body["over_at"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"services": ["nowhere"]}, "services"),
        ({"matchers": ["alertname"]}, "matchers"),
        ({"matchers": ["a=~(x+)+y"]}, "matchers"),
        ({"matchers": []}, "matchers"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
        ({"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-01-02T00:00:00Z"}, "ends_at"),
        ({"repeats_until": "2030-01-01T00:00:00Z"}, "repeats_until"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"mode": "ignore"}, "mode"),
        ({"starts_at": "2026-11-01T00:00:00Z", "weekly": True}, "ends_at"),
    ],
)
def test_window_that_makes_no_sense_names_the_field(
    api: APIClient, changed: dict[str, Any], field: str
) -> None:
    answer = api.post(WINDOWS, window(**changed), format="json")

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_window_is_extended_and_cancelled_and_then_stays_as_it_was(api: APIClient) -> None:
    made = api.post(WINDOWS, window(), format="json").json()
    address = f"{WINDOWS}/{made['id']}"
    later = timezone.now() + timedelta(hours=3)

    extended = api.post(f"{address}/extend", {"ends_at": stamp(later)}, format="json")
    cancelled = api.post(f"{address}/cancel")
    refused = [
        api.post(f"{address}/cancel"),
        api.post(f"{address}/extend", {"ends_at": stamp(later)}, format="json"),
        api.patch(address, {"name": "Another"}, format="json"),
    ]

    assert datetime.fromisoformat(extended.json()["ends_at"]) == later
    assert (cancelled.json()["state"], cancelled.json()["cancelled_by"]) == ("over", "sam")
    assert [(r.status_code, r.json()["type"]) for r in refused] == [(409, "window-over")] * 3


def test_windows_are_filtered_by_whether_they_are_over(api: APIClient) -> None:
    first = api.post(WINDOWS, window(name="First"), format="json").json()
    api.post(WINDOWS, window(name="Second"), format="json")
    api.post(f"{WINDOWS}/{first['id']}/cancel")

    over, not_over = (
        [row["name"] for row in api.get(f"{WINDOWS}?over={which}").json()["results"]]
        for which in ("true", "false")
    )

    assert (over, not_over) == (["First"], ["Second"])
    assert api.get(f"{WINDOWS}?over=perhaps").status_code == 400


def test_admin_makes_a_heartbeat_and_others_do_not(
    admin: APIClient, api: APIClient, source: AlertSource
) -> None:
    body = {
        "source": source.slug,
        "name": "Dead man",
        "matchers": ["alertname=DeadMansSwitch"],
        "interval_seconds": 300,
    }

    refused = api.post(HEARTBEATS, body, format="json")
    made = admin.post(HEARTBEATS, body, format="json")

    assert (refused.status_code, made.status_code) == (403, 201)
    assert (made.json()["state"], made.json()["pulses"]) == ("waiting", [])


def test_heartbeat_shows_each_series_and_its_incident(
    api: APIClient, deliver: Deliver, source: AlertSource
) -> None:
    from incidents.upkeep import heartbeats

    deliver(alertname="Watchdog")
    heartbeats.check(timezone.now() + timedelta(hours=6))

    shown = api.get(f"{HEARTBEATS}?source={source.slug}").json()["results"][0]

    assert (shown["state"], shown["automatic"]) == ("stopped", True)
    [pulse] = shown["pulses"]
    assert pulse["labels"] == {"alertname": "Watchdog", "service": "checkout"}
    assert pulse["incident"] == Incident.objects.get().reference
    assert pulse["due_at"] > pulse["beat_at"]


def test_alertmanagers_address_is_an_admins_and_its_secret_is_named_only(
    admin: APIClient, api: APIClient, source: AlertSource
) -> None:
    body = {"source": source.slug, "url": "http://alertmanager:9093", "auth_variable": "AM_TOKEN"}

    refused = api.post(SERVERS, body, format="json")
    made = admin.post(SERVERS, body, format="json")
    wrong = [
        admin.post(SERVERS, {**body, **changed}, format="json").json()["errors"]
        for changed in (
            {"url": "http://user:secret@alertmanager:9093"},
            {"url": "alertmanager:9093"},
            {"url": "http://b:9093", "auth_variable": "SECRET_KEY"},
            {"url": "http://b:9093", "auth_variable": "", "auth_file": "../passwd"},
        )
    ]

    assert (refused.status_code, made.status_code) == (403, 201)
    assert made.json()["state"] == "never_read"
    assert [list(errors) for errors in wrong] == [
        ["url"],
        ["url"],
        ["auth_variable"],
        ["auth_file"],
    ]


def test_row_of_the_environment_keeps_what_the_environment_says(
    admin: APIClient, source: AlertSource
) -> None:
    row = Alertmanager.objects.create(source=source, url="http://am:9093", origin="environment")
    address = f"{SERVERS}/{row.pk}"

    moved = admin.patch(address, {"url": "http://b:9093"}, format="json")
    switched = admin.patch(address, {"enabled": False}, format="json")
    deleted = admin.delete(address)

    assert (moved.status_code, list(moved.json()["errors"])) == (400, ["url"])
    assert (switched.status_code, switched.json()["state"]) == (200, "disabled")
    assert (deleted.status_code, deleted.json()["type"]) == (409, "follows-environment")


def test_responder_has_the_alertmanagers_read_now(api: APIClient, source: AlertSource) -> None:
    row = Alertmanager.objects.create(source=source, url="http://am:9093")
    with responses.RequestsMock() as http:
        http.add(responses.GET, "http://am:9093/api/v2/alerts", json=[])
        http.add(responses.GET, "http://am:9093/api/v2/status", json={})

        answer = api.post(f"{SERVERS}/{row.pk}/reconcile")

    assert (answer.status_code, answer.json()["read"]) == (200, 1)
    assert api.get(f"{SERVERS}/{row.pk}").json()["note"] == (
        "it does not say how long it has been up"
    )


def fill(rows: int, source: AlertSource, deliver: Deliver) -> None:
    now = timezone.now()
    for number in range(rows):
        deliver(alertname=f"Watchdog{number}")
        made = MaintenanceWindow.objects.create(
            name=f"W{number}", starts_at=now, ends_at=now + timedelta(hours=1)
        )
        made.services.add(*[])
        Alertmanager.objects.create(source=source, url=f"http://am-{number}:9093")
        Heartbeat.objects.create(source=source, name=f"H{number}", interval_seconds=60)


@pytest.mark.parametrize(("path", "queries"), [(WINDOWS, 2), (HEARTBEATS, 2), (SERVERS, 1)])
@pytest.mark.parametrize("rows", [1, 3])
def test_lists_cost_the_same_whatever_their_length(
    viewer_api: APIClient,
    source: AlertSource,
    deliver: Deliver,
    django_assert_num_queries: DjangoAssertNumQueries,
    path: str,
    queries: int,
    rows: int,
) -> None:
    fill(rows, source, deliver)

    with django_assert_num_queries(queries):
        answer = viewer_api.get(path)

    assert len(answer.json()["results"]) == rows
