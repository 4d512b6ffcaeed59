"""The pages of maintenance, heartbeats and Alertmanagers: who may do what, and what they cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from incidents.models import (
    Alert,
    Alertmanager,
    AlertOccurrence,
    AlertSource,
    Heartbeat,
    MaintenanceWindow,
    Service,
)
from tests.incidents.conftest import MakeService, make_person
from tests.incidents.upkeep.conftest import Deliver

MAINTENANCE, HEARTBEATS, SERVERS = (
    "/alerts/maintenance",
    "/alerts/heartbeats",
    "/alerts/alertmanagers",
)


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def page(sam: User) -> Client:
    return client_of(sam)


@pytest.fixture
def viewer(db: None) -> Client:
    return client_of(make_person("vera", Role.VIEWER))


def make_window(name: str = "Upgrade", **columns: Any) -> MaintenanceWindow:
    now = timezone.now()
    given = {"starts_at": now - timedelta(minutes=5), "ends_at": now + timedelta(hours=1)}
    return MaintenanceWindow.objects.create(
        name=name, environment="production", **(given | columns)
    )


def typed(**changed: Any) -> dict[str, Any]:
    return {
        "name": "Upgrade",
        "mode": "suppress",
        "environment": "",
        "matchers": 'cluster=~"eu-.*"\n\nteam=core',
        "starts_at": "2030-07-01T02:00",
        "ends_at": "2030-07-01T03:00",
        "time_zone": "Europe/Berlin",
        **changed,
    }


def test_responder_plans_a_window_in_a_time_zone(page: Client, make_service: MakeService) -> None:
    service = make_service("checkout")

    answer = page.post(f"{MAINTENANCE}/new", typed(services=[str(service.pk)]))

    window = MaintenanceWindow.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, MAINTENANCE)
    assert window.starts_at == datetime(2030, 7, 1, 0, 0, tzinfo=UTC)
    assert window.matchers == ['cluster=~"eu-.*"', 'team="core"']
    assert list(window.services.all()) == [service]
    assert window.created_by is not None
    assert window.created_by.username == "sam"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"matchers": "cluster"}, "is no matcher"),
        ({"matchers": ""}, "this window covers everything"),
        ({"ends_at": "2030-07-01T01:00"}, "It ends before it starts"),
        ({"time_zone": "Mars/Olympus"}, "is not a time zone"),
    ],
)
def test_window_that_makes_no_sense_is_said_on_the_form(
    page: Client, changed: dict[str, Any], said: str
) -> None:
    answer = page.post(f"{MAINTENANCE}/new", typed(**changed))

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert MaintenanceWindow.objects.count() == 0


def test_form_shows_times_in_the_windows_own_zone_and_keeps_them(page: Client) -> None:
    page.post(f"{MAINTENANCE}/new", typed())
    window = MaintenanceWindow.objects.get()
    address = f"{MAINTENANCE}/{window.pk}"

    shown = page.get(address).content.decode()
    page.post(address, typed(name="Longer", ends_at="2030-07-01T04:00"))

    window.refresh_from_db()
    assert 'value="2030-07-01T02:00"' in shown
    assert (window.name, window.ends_at) == ("Longer", datetime(2030, 7, 1, 2, 0, tzinfo=UTC))


def test_window_is_extended_and_cancelled_from_the_list(page: Client) -> None:
    window = make_window()

    page.post(f"{MAINTENANCE}/{window.pk}/extend")
    extended = MaintenanceWindow.objects.get().ends_at
    page.post(f"{MAINTENANCE}/{window.pk}/cancel")
    again = page.post(f"{MAINTENANCE}/{window.pk}/cancel", follow=True)

    assert extended == window.ends_at + timedelta(hours=1)
    assert MaintenanceWindow.objects.get().state == "over"
    assert "was over at" in again.content.decode()
    assert "Upgrade" in page.get(f"{MAINTENANCE}?over=1").content.decode()


def test_window_that_is_over_is_not_changed(page: Client) -> None:
    window = make_window(ends_at=timezone.now())

    answer = page.post(f"{MAINTENANCE}/{window.pk}", typed())

    assert answer.status_code == 422
    assert MaintenanceWindow.objects.get().name == "Upgrade"


def test_viewer_sees_and_changes_nothing(viewer: Client, source: AlertSource) -> None:
    window = make_window()
    server = Alertmanager.objects.create(source=source, url="http://am:9093")

    read = [viewer.get(path).status_code for path in (MAINTENANCE, HEARTBEATS, SERVERS)]
    written = [
        viewer.post(path).status_code
        for path in (
            f"{MAINTENANCE}/new",
            f"{MAINTENANCE}/{window.pk}/cancel",
            f"{MAINTENANCE}/{window.pk}/extend",
            f"{SERVERS}/{server.pk}/read",
            f"{HEARTBEATS}/{uuid4()}/switch",
        )
    ]

    assert (read, written) == ([200] * 3, [403] * 5)


def test_admin_switches_a_heartbeat_off(source: AlertSource) -> None:
    admin = client_of(make_person("ada", Role.ADMIN))
    heartbeat = Heartbeat.objects.create(source=source, name="Watchdog", interval_seconds=60)

    admin.post(f"{HEARTBEATS}/{heartbeat.pk}/switch", {"enabled": "0"})

    assert Heartbeat.objects.get().state == "disabled"


def test_unread_alertmanager_says_so(page: Client, source: AlertSource) -> None:
    server = Alertmanager.objects.create(source=source, url="http://am:9093", enabled=False)

    answer = page.post(f"{SERVERS}/{server.pk}/read", follow=True)

    assert "It is disabled" in answer.content.decode()


def test_older_windows_are_a_page_further(page: Client) -> None:
    begin = timezone.now() + timedelta(days=1)
    for number in range(51):
        start = begin + timedelta(minutes=number)
        make_window(f"W{number:02}", starts_at=start, ends_at=start + timedelta(hours=1))

    first = page.get(MAINTENANCE)
    older = first.context["page"].older
    second = page.get(MAINTENANCE, {"older": older})

    assert [w.name for w in second.context["page"].windows] == ["W00"]
    assert second.context["page"].older == ""
    assert page.get(MAINTENANCE, {"older": "nonsense"}).status_code == 404


def test_board_and_incident_say_what_maintenance_there_is(page: Client, deliver: Deliver) -> None:
    make_window("Database upgrade", mode="annotate")
    occurrence = deliver()

    board = page.get("/").content.decode()
    assert occurrence is not None
    assert occurrence.incident is not None
    incident = page.get(f"/incidents/{occurrence.incident.reference}").content.decode()

    assert "Maintenance now:" in board
    assert "During maintenance: Database upgrade" in incident


def fill(rows: int, source: AlertSource, deliver: Deliver) -> None:
    for number in range(rows):
        make_window(f"W{number}").services.add(Service.objects.get(slug="checkout"))
        Alertmanager.objects.create(source=source, url=f"http://am-{number}:9093")
        Heartbeat.objects.create(
            source=source,
            name=f"H{number}",
            matchers=[f"alertname=Beat{number}"],
            interval_seconds=60,
        )
        deliver(alertname=f"Beat{number}")


@pytest.mark.parametrize(("path", "queries"), [(MAINTENANCE, 2), (HEARTBEATS, 2), (SERVERS, 1)])
@pytest.mark.parametrize("rows", [1, 3])
def test_pages_cost_the_same_whatever_their_length(
    viewer: Client,
    source: AlertSource,
    deliver: Deliver,
    django_assert_num_queries: DjangoAssertNumQueries,
    path: str,
    queries: int,
    rows: int,
) -> None:
    fill(rows, source, deliver)
    viewer.get(path)

    with django_assert_num_queries(queries + 2):  # and the session and its user
        answer = viewer.get(path)

    assert answer.status_code == 200


def test_list_of_firing_alerts_says_what_time_did_to_them(page: Client, deliver: Deliver) -> None:
    occurrence = deliver()
    assert occurrence is not None
    now = timezone.now()
    Alert.objects.update(flapping_since=now)
    AlertOccurrence.objects.update(
        stale_since=now, suppressed_since=now, suppressed_by={"silences": ["2c6d"]}
    )

    shown = page.get("/alerts").content.decode()

    assert "flapping" in shown
    assert "stale since" in shown
    assert "suppressed by silence 2c6d" in shown
