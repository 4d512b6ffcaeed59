"""The pages of notifications, the panel of an incident and the board's notice."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from incidents import live, notices
from incidents.models import NotificationChannel, NotificationDelivery, NotificationRule
from incidents.notify.deliveries import run_channel
from tests.incidents.conftest import MakeIncident, make_person
from tests.incidents.notify.conftest import MakeChannel, MakeRule, states
from tests.incidents.notify.receiving import Answer, Receiver


@pytest.fixture
def admin(client: Client, db: None) -> Client:
    client.force_login(make_person("ada", Role.ADMIN))
    return client


@pytest.fixture
def responder(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


def channel_form(**columns: Any) -> dict[str, Any]:
    return {
        "name": "mail",
        "kind": "email",
        "recipients": "oncall@example.com\nlead@example.com",
        "timeout_seconds": "10",
        "bundle_above": "5",
        "bundle_seconds": "60",
        "enabled": "on",
        "verify_tls": "on",
        **columns,
    }


def rule_form(channel: NotificationChannel, **columns: Any) -> dict[str, Any]:
    return {
        "name": "night",
        "enabled": "on",
        "events": ["opened", "resolved"],
        "severity_at_least": "high",
        "channels": [str(channel.pk)],
        "quiet_from": "22:00",
        "quiet_until": "07:00",
        "quiet_days": ["saturday"],
        "time_zone": "Europe/Berlin",
        "quietly": "hold",
        **columns,
    }


def test_channel_is_added_on_the_page(admin: Client) -> None:
    answer = admin.post(reverse("channel-new"), channel_form())

    assert (answer.status_code, answer["Location"]) == (302, reverse("channels"))
    made = NotificationChannel.objects.get()
    assert (made.kind, made.recipients) == ("email", ["oncall@example.com", "lead@example.com"])


def test_channel_that_makes_no_sense_comes_back_with_what_was_typed(admin: Client) -> None:
    answer = admin.post(reverse("channel-new"), channel_form(recipients="nobody"))

    assert answer.status_code == 422
    assert "&#x27;nobody&#x27; is no address." in answer.content.decode()
    assert ">nobody</textarea>" in answer.content.decode().replace("\n", "")


def test_change_overtaken_by_another_is_not_saved(admin: Client, make_channel: MakeChannel) -> None:
    channel = make_channel(kind="email")
    form = channel_form(version="7")

    answer = admin.post(reverse("channel", args=[channel.pk]), form)

    assert answer.status_code == 422
    assert "Somebody changed it while you did" in answer.content.decode()
    assert NotificationChannel.objects.get().name == "ops"


def test_test_button_shows_the_answer(
    admin: Client, make_channel: MakeChannel, receiver: Receiver
) -> None:
    channel = make_channel()
    receiver.answers = [Answer(404, "no_service")]
    address = reverse("channel-test", args=[channel.pk])

    failed = admin.post(address, headers={"HX-Request": "true"}).content.decode()
    arrived = admin.post(address, headers={"HX-Request": "true"}).content.decode()

    assert "Did not arrive" in failed
    assert "404 no_service" in failed
    assert "Arrived" in arrived


def test_rule_is_added_and_edited_on_the_page(admin: Client, make_channel: MakeChannel) -> None:
    channel = make_channel()
    admin.post(reverse("notification-rule-new"), rule_form(channel))
    made = NotificationRule.objects.get()

    answer = admin.post(
        reverse("notification-rule", args=[made.pk]),
        rule_form(channel, name="nights", version=str(made.version)),
    )

    made.refresh_from_db()
    assert answer.status_code == 302
    assert (made.name, made.quiet_days, made.version) == ("nights", ["saturday"], 2)
    assert [one.name for one in made.channels.all()] == ["ops"]


def test_trial_on_the_page_names_channels_and_rules(
    responder: Client, make_channel: MakeChannel, make_rule: MakeRule
) -> None:
    make_rule(make_channel(), name="severe", severity_at_least="critical")
    change = {"event": "opened", "severity": "low", "environment": "production"}

    nobody = responder.post(reverse("notification-trial"), change).content.decode()
    told = responder.post(
        reverse("notification-trial"), {**change, "severity": "critical"}
    ).content.decode()

    assert "Nobody would be told." in nobody
    assert "less severe" in nobody
    assert "ops would be told." in re.sub(r"\s+", " ", told)


def test_incident_panel_says_what_failed_and_sends_it_again(
    responder: Client,
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
) -> None:
    channel = make_channel()
    make_rule(channel)
    incident = make_incident()
    receiver.answers = [Answer(400, "no such <room>")]
    run_channel(channel.pk)
    (panel,) = live.panels(["notifications"])
    shown = live.render(panel, incident, oob=False)

    answer = responder.post(
        reverse("notification-retry", args=[NotificationDelivery.objects.get().key]),
        headers={"HX-Request": "true"},
    )
    run_channel(channel.pk)

    assert "1 not delivered" in shown
    assert "400 no such &lt;room&gt;" in shown
    assert 'id="notifications"' in answer.content.decode()
    assert states(channel) == [("opened", "sent")]
    assert "not delivered" not in live.render(panel, incident, oob=False)


def test_panel_of_the_past_knows_nothing_of_what_came_later(
    make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident, receiver: Receiver
) -> None:
    channel = make_channel()
    make_rule(channel)
    incident = make_incident()
    before_sending = NotificationDelivery.objects.get().created_at
    receiver.answers = [Answer(400, "no")]
    run_channel(channel.pk)
    (panel,) = live.panels(["notifications"])

    shown = live.render(panel, incident, as_of=before_sending, oob=False)
    earlier = live.render(panel, incident, as_of=incident.started_at, oob=False)

    assert "notification-pending" in shown
    assert "400 no" not in shown
    assert "retry-" not in shown
    assert "<li>" not in earlier


def test_board_says_which_channel_fails_until_it_delivers(
    make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident, receiver: Receiver
) -> None:
    channel = make_channel()
    make_rule(channel)
    make_incident()
    receiver.answers = [Answer(500, "broken")]
    run_channel(channel.pk)
    failing = "".join(notices.drawn())
    NotificationChannel.objects.update(failures=0)

    delivering = "".join(notices.drawn())

    assert "A channel does not deliver" in failing
    assert "500 broken" in failing
    assert "1 notification waits" in failing
    assert "does not deliver" not in delivering


@pytest.mark.parametrize("state", ["", "undelivered", "pending", "sent"])
def test_list_shows_what_fits(
    state: str,
    responder: Client,
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
) -> None:
    make_rule(make_channel())
    make_incident()

    page = responder.get(reverse("notifications"), {"state": state, "channel": "ops"})

    assert ("Nothing was sent" in page.content.decode()) is (state == "sent")


def test_bad_filter_and_bad_cursor_are_answered_as_such(responder: Client) -> None:
    filtered = responder.get(reverse("notifications"), {"state": "lost"})
    older = responder.get(reverse("notifications"), {"older": "2026"})

    assert (filtered.status_code, older.status_code) == (400, 404)


def test_older_pages_follow_each_other(
    responder: Client, make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident
) -> None:
    make_rule(make_channel())
    row = NotificationDelivery.objects.get(incident=make_incident())
    for n in range(60):
        NotificationDelivery.objects.create(
            key=f"00000000-0000-0000-0000-{n:012}",
            channel=row.channel,
            incident=row.incident,
            event="opened",
            change=f"c{n}",
            facts=row.facts,
            created_at=row.created_at,
            wanted_at=row.wanted_at,
            due_at=row.due_at,
        )
    first = responder.get(reverse("notifications")).content.decode()
    older = re.search(r'href="\?(older=[^"]+)"', first)
    assert older is not None

    second = responder.get(f"{reverse('notifications')}?{older[1]}").content.decode()

    keys = [set(re.findall(r"/sent/([0-9a-f-]{36})\"", text)) for text in (first, second)]
    assert [len(found) for found in keys] == [50, 11]
    assert keys[0] & keys[1] == set()


@pytest.mark.parametrize(
    ("name", "queries"), [("notifications", 4), ("channels", 3), ("notification-rules", 6)]
)
@pytest.mark.parametrize("rows", [1, 3])
def test_pages_ask_the_same_few_queries(
    name: str,
    queries: int,
    rows: int,
    responder: Client,
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for n in range(rows):
        make_rule(make_channel(f"ops {n}"), name=f"rule {n}")
    make_incident()

    with django_assert_num_queries(queries):
        assert responder.get(reverse(name)).status_code == 200
