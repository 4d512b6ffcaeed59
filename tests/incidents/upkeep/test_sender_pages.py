"""The forms of heartbeats and Alertmanagers: an administrator's, errors beside their fields."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Role
from incidents.models import Alertmanager, AlertSource, Heartbeat, Pulse
from tests.incidents.conftest import make_person
from tests.incidents.upkeep.conftest import Deliver
from tests.incidents.upkeep.test_pages import client_of

HEARTBEATS, SERVERS = "/alerts/heartbeats", "/alerts/alertmanagers"


@pytest.fixture
def admin(db: None) -> Client:
    return client_of(make_person("ada", Role.ADMIN))


def beat(source: AlertSource, /, **changed: Any) -> dict[str, Any]:
    return {
        "source": str(source.pk),
        "name": "Dead man",
        "matchers": "alertname=DeadMansSwitch\n\ncluster=~eu-.*",
        "interval_seconds": "300",
        "grace_seconds": "60",
        "severity": "critical",
        "enabled": "on",
        **changed,
    }


def server(source: AlertSource, /, **changed: Any) -> dict[str, Any]:
    return {
        "source": str(source.pk),
        "url": "http://alertmanager:9093",
        "auth_variable": "AM_TOKEN",
        "verify_tls": "on",
        "timeout_seconds": "5",
        "enabled": "on",
        **changed,
    }


def errors_of(answer: Any) -> tuple[int, list[str]]:
    return answer.status_code, sorted(answer.context["form"].errors)


def test_admin_makes_a_heartbeat(admin: Client, source: AlertSource) -> None:
    answer = admin.post(f"{HEARTBEATS}/new", beat(source))

    made = Heartbeat.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, HEARTBEATS)
    assert made.matchers == ['alertname="DeadMansSwitch"', 'cluster=~"eu-.*"']
    assert (made.interval_seconds, made.severity, made.enabled) == (300.0, "critical", True)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"source": str(uuid4())}, "source"),
        ({"matchers": ""}, "matchers"),
        ({"matchers": "no matcher"}, "matchers"),
        ({"matchers": "a=~(x+)+y"}, "matchers"),
        ({"interval_seconds": "9"}, "interval_seconds"),
        ({"grace_seconds": "-1"}, "grace_seconds"),
        ({"severity": "awful"}, "severity"),
    ],
)
def test_heartbeat_that_makes_no_sense_names_the_field(
    admin: Client, source: AlertSource, changed: dict[str, str], field: str
) -> None:
    answer = admin.post(f"{HEARTBEATS}/new", beat(source, **changed))

    assert errors_of(answer) == (422, [field])
    assert Heartbeat.objects.count() == 0


def test_two_heartbeats_of_a_source_have_two_names(admin: Client, source: AlertSource) -> None:
    admin.post(f"{HEARTBEATS}/new", beat(source))

    answer = admin.post(f"{HEARTBEATS}/new", beat(source))

    assert answer.status_code == 422
    assert "already exists" in answer.content.decode()


def test_heartbeat_is_changed_and_keeps_its_source(admin: Client, source: AlertSource) -> None:
    other = AlertSource.objects.create(slug="other", kind="alertmanager")
    kept = Heartbeat.objects.create(
        source=source, name="Watchdog", matchers=["alertname=Watchdog"], interval_seconds=60
    )
    address = f"{HEARTBEATS}/{kept.pk}"

    shown = admin.get(address).content.decode()
    refused = admin.post(address, beat(source, name=""))
    admin.post(address, beat(other, name="Renamed", enabled=""))

    kept.refresh_from_db()
    assert "alertname=Watchdog</textarea>" in shown
    assert "Edit Watchdog" in refused.content.decode()
    assert (kept.name, kept.source, kept.enabled) == ("Renamed", source, False)


def test_deleted_heartbeat_takes_its_series_with_it(
    admin: Client, source: AlertSource, deliver: Deliver
) -> None:
    kept = Heartbeat.objects.create(
        source=source, name="Beat", matchers=["alertname=Beat"], interval_seconds=60
    )
    deliver(alertname="Beat")
    pulses = Pulse.objects.count()

    answer = admin.post(f"{HEARTBEATS}/{kept.pk}/remove")
    deliver("resolved", alertname="Beat")
    opened = deliver(alertname="Beat", at="2026-11-22T00:06:00Z")

    assert (pulses, Pulse.objects.count(), Heartbeat.objects.count()) == (1, 0, 0)
    assert answer["Location"] == HEARTBEATS
    assert opened is not None
    assert opened.incident is not None


def test_admin_adds_an_alertmanager(admin: Client, source: AlertSource) -> None:
    answer = admin.post(f"{SERVERS}/new", server(source))

    made = Alertmanager.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, SERVERS)
    assert (made.url, made.auth_variable, made.state) == (
        "http://alertmanager:9093",
        "AM_TOKEN",
        "never_read",
    )


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"url": ""}, "url"),
        ({"url": "http://user:secret@am:9093"}, "url"),
        ({"url": "am:9093"}, "url"),
        ({"auth_variable": "SECRET_KEY"}, "auth_variable"),
        ({"auth_variable": "lower"}, "auth_variable"),
        ({"auth_variable": "", "auth_file": "../passwd"}, "auth_file"),
        ({"timeout_seconds": "61"}, "timeout_seconds"),
        ({"source": ""}, "source"),
    ],
)
def test_alertmanager_that_cannot_be_asked_names_the_field(
    admin: Client, source: AlertSource, changed: dict[str, str], field: str
) -> None:
    answer = admin.post(f"{SERVERS}/new", server(source, **changed))

    assert errors_of(answer) == (422, [field])
    assert Alertmanager.objects.count() == 0


def test_alertmanager_is_changed_and_deleted(admin: Client, source: AlertSource) -> None:
    kept = Alertmanager.objects.create(source=source, url="http://am:9093")
    address = f"{SERVERS}/{kept.pk}"

    admin.post(address, server(source, url="https://am.example.com/prefix", enabled=""))
    kept.refresh_from_db()
    deleted = admin.post(f"{address}/remove")

    assert (kept.url, kept.state) == ("https://am.example.com/prefix", "disabled")
    assert (deleted["Location"], Alertmanager.objects.count()) == (SERVERS, 0)


def test_alertmanager_of_the_environment_can_only_be_disabled(
    admin: Client, source: AlertSource
) -> None:
    kept = Alertmanager.objects.create(source=source, url="http://am:9093", origin="environment")
    address = f"{SERVERS}/{kept.pk}"

    shown = admin.get(address).content.decode()
    changed = admin.post(address, server(source, url="http://other:9093", enabled=""))
    deleted = admin.post(f"{address}/remove", follow=True)

    kept.refresh_from_db()
    assert "follow <code>ALERTMANAGER_URL</code>" in shown
    assert "Delete this Alertmanager" not in shown
    assert changed.status_code == 302
    assert (kept.url, kept.auth_variable, kept.enabled) == ("http://am:9093", "", False)
    assert "unset that, or disable it" in deleted.content.decode()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER])
def test_others_see_the_lists_and_change_nothing(source: AlertSource, role: Role) -> None:
    person = client_of(make_person("rita", role))
    kept = Heartbeat.objects.create(source=source, name="Beat", interval_seconds=60)
    asked = Alertmanager.objects.create(source=source, url="http://am:9093")
    paths = [f"{page}/{tail}" for page in (HEARTBEATS, SERVERS) for tail in ("new",)]
    paths += [f"{HEARTBEATS}/{kept.pk}", f"{SERVERS}/{asked.pk}"]

    read = [person.get(page).status_code for page in (HEARTBEATS, SERVERS)]
    forms = [person.get(path).status_code for path in paths]
    written = [person.post(path).status_code for path in paths]
    removed = [person.post(f"{path}/remove").status_code for path in paths[2:]]

    assert (read, forms, written, removed) == ([200] * 2, [403] * 4, [403] * 4, [403] * 2)
    assert (Heartbeat.objects.count(), Alertmanager.objects.count()) == (1, 1)


def test_removing_from_the_form_goes_back_to_the_list(admin: Client, source: AlertSource) -> None:
    kept = Alertmanager.objects.create(source=source, url="http://am:9093")

    answer = admin.post(f"{SERVERS}/{kept.pk}/remove", headers={"HX-Request": "true"})

    assert answer["HX-Redirect"] == SERVERS
