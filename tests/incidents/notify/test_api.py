"""Channels, rules and deliveries in the API."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from accounts.models import Role
from incidents.models import NotificationChannel, NotificationDelivery, NotificationRule
from incidents.notify.deliveries import run_channel
from tests.incidents.conftest import MakeIncident, make_person
from tests.incidents.notify.conftest import MakeChannel, MakeRule, states
from tests.incidents.notify.receiving import Answer, Receiver


@pytest.fixture
def admin_api(db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(make_person("ada", Role.ADMIN))
    return client


def body(**columns: Any) -> dict[str, Any]:
    return {"name": "ops", "kind": "webhook", "url": "https://93.184.216.34/in", **columns}


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"url": ""}, "url"),
        ({"url": "ftp://example.com"}, "url"),
        ({"url": "https://user:word@93.184.216.34/"}, "url"),
        ({"url": "http://127.0.0.1:9/in"}, "url"),
        ({"url": "http://169.254.169.254/"}, "url"),
        ({"url_variable": "HOOK"}, "url"),
        ({"url": "", "url_variable": "SECRET_KEY"}, "url_variable"),
        ({"url": "", "url_file": "../../etc/passwd"}, "url_file"),
        ({"kind": "slack"}, "url"),
        ({"kind": "slack", "url": ""}, "url_variable"),
        ({"kind": "pagerduty", "url": ""}, "secret_variable"),
        ({"kind": "email", "url": ""}, "recipients"),
        ({"kind": "email", "url": "", "recipients": ["nobody"]}, "recipients"),
        ({"recipients": ["a@example.com"]}, "recipients"),
        ({"kind": "pigeon"}, "kind"),
        ({"timeout_seconds": 31}, "timeout_seconds"),
    ],
)
def test_channel_that_could_not_be_sent_to_is_refused_by_field(
    admin_api: APIClient, columns: dict[str, Any], field: str
) -> None:
    answer = admin_api.post("/api/channels", body(**columns), format="json")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_channel_is_made_changed_and_removed(
    admin_api: APIClient,
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
) -> None:
    made = admin_api.post("/api/channels", body(), format="json").json()
    address = f"/api/channels/{made['id']}"
    changed = admin_api.patch(address, {"name": "chat"}, format="json", headers={"If-Match": '"1"'})
    late = admin_api.patch(address, {"name": "x"}, format="json", headers={"If-Match": '"1"'})
    channel = NotificationChannel.objects.get()
    make_rule(channel)
    make_incident()

    gone = admin_api.delete(address)

    assert (made["state"], changed.json()["name"], changed["ETag"]) == ("unused", "chat", '"2"')
    assert (late.status_code, gone.status_code) == (412, 204)
    assert admin_api.get("/api/channels").json()["results"] == []
    assert states(channel) == [("opened", "given_up")]
    assert admin_api.post("/api/channels", body(name="chat"), format="json").status_code == 201


def test_disabled_channel_gives_up_what_waits(
    admin_api: APIClient,
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
) -> None:
    channel = make_channel()
    make_rule(channel)
    make_incident()

    answer = admin_api.patch(f"/api/channels/{channel.pk}", {"enabled": False}, format="json")

    assert answer.json()["state"] == "disabled"
    assert states(channel) == [("opened", "given_up")]
    assert NotificationDelivery.objects.get().error == "The channel was disabled."


def test_test_message_says_how_it_went(
    admin_api: APIClient, make_channel: MakeChannel, receiver: Receiver
) -> None:
    channel = make_channel()
    address = f"/api/channels/{channel.pk}/test"
    receiver.answers = [Answer(403, "invalid_token")]

    failed = admin_api.post(address).json()
    arrived = admin_api.post(address).json()

    assert (failed["outcome"], failed["status_code"], failed["said"]) == (
        "failed",
        403,
        "403 invalid_token",
    )
    assert (arrived["outcome"], arrived["status_code"]) == ("sent", 200)
    assert receiver.received[1].json["data"]["title"] == "Test of this channel, nothing is broken"
    assert NotificationDelivery.objects.count() == 0


def test_pagerduty_test_is_resolved_at_once(
    admin_api: APIClient, make_channel: MakeChannel, receiver: Receiver
) -> None:
    channel = make_channel(kind="pagerduty")

    admin_api.post(f"/api/channels/{channel.pk}/test")

    sent = [(one.json["event_action"], one.json["dedup_key"]) for one in receiver.received]
    assert [action for action, _key in sent] == ["trigger", "resolve"]
    assert len({key for _action, key in sent}) == 1


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"events": []}, "events"),
        ({"events": ["exploded"]}, "events.0"),
        ({"quiet_from": "22:00"}, "quiet_until"),
        ({"quiet_days": ["someday"]}, "quiet_days.0"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"channels": ["00000000-0000-0000-0000-000000000000"]}, "channels"),
    ],
)
def test_rule_that_makes_no_sense_is_refused_by_field(
    admin_api: APIClient, make_channel: MakeChannel, columns: dict[str, Any], field: str
) -> None:
    given = {"name": "all", "events": ["opened"], "channels": [make_channel().pk], **columns}

    answer = admin_api.post("/api/notification-rules", given, format="json")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_rule_is_made_and_heeds_the_version(
    admin_api: APIClient, make_channel: MakeChannel
) -> None:
    channel = make_channel()
    given = {"name": "all", "events": ["opened"], "channels": [channel.pk]}

    made = admin_api.post("/api/notification-rules", given, format="json")
    late = admin_api.patch(
        f"/api/notification-rules/{made.json()['id']}",
        {"enabled": False},
        format="json",
        headers={"If-Match": '"7"'},
    )

    assert (made.status_code, made["ETag"], late.status_code) == (201, '"1"', 412)
    assert NotificationRule.objects.get().enabled is True


def test_trial_says_who_would_be_told_and_sends_nothing(
    viewer_api: APIClient, make_channel: MakeChannel, make_rule: MakeRule, receiver: Receiver
) -> None:
    channel = make_channel()
    make_rule(channel, name="severe", severity_at_least="critical")
    make_rule(
        channel,
        name="night",
        quiet_from="22:00",
        quiet_until="07:00",
        critical_breaks_through=False,
    )
    given = {"event": "opened", "severity": "critical", "at": "2026-03-04T23:00:00Z"}

    answer = viewer_api.post("/api/notification-rules/test", given, format="json").json()

    assert answer["told"] == [
        {"channel": "ops", "due_at": "2026-03-04T23:00:00.000000Z", "rules": ["night", "severe"]}
    ]
    assert [(one["rule"], one["outcome"], one["until"]) for one in answer["rules"]] == [
        ("night", "held", "2026-03-05T07:00:00.000000Z"),
        ("severe", "told", None),
    ]
    assert (receiver.received, NotificationDelivery.objects.count()) == ([], 0)


def test_given_up_delivery_is_retried_under_its_key(
    api: APIClient,
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
) -> None:
    channel = make_channel()
    make_rule(channel)
    incident = make_incident()
    receiver.answers = [Answer(400, "no")]
    run_channel(channel.pk)
    (row,) = api.get(f"/api/notification-deliveries?incident={incident.reference}").json()[
        "results"
    ]

    retried = api.post(f"/api/notification-deliveries/{row['key']}/retry")
    run_channel(channel.pk)

    whole = api.get(f"/api/notification-deliveries/{row['key']}").json()
    again = api.post(f"/api/notification-deliveries/{row['key']}/retry")
    assert (row["state"], row["error"], retried.status_code) == ("given_up", "400 no", 200)
    assert whole["state"] == "sent"
    assert [(one["outcome"], one["said"]) for one in whole["tries"]] == [
        ("refused", "400 no"),
        ("sent", "200 ok"),
    ]
    assert receiver.keys == [row["key"]] * 2
    assert (again.status_code, again.json()["type"]) == (409, "cannot-retry")


@pytest.mark.parametrize("path", ["channels", "notification-rules", "notification-deliveries"])
@pytest.mark.parametrize("rows", [1, 3])
def test_lists_ask_the_same_few_queries(
    path: str,
    rows: int,
    api: APIClient,
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for n in range(rows):
        make_rule(make_channel(f"ops {n}"), name=f"rule {n}")
    make_incident()

    with django_assert_num_queries({"notification-rules": 3}.get(path, 1)):
        answer = api.get(f"/api/{path}").json()

    assert len(answer["results"]) == rows


def test_no_answer_and_no_row_holds_a_secret(
    admin_api: APIClient,
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    channel = make_channel(kind="pagerduty")
    make_rule(channel)
    make_incident()
    receiver.answers = [Answer(500, "bad key R0UT1NG")]
    run_channel(channel.pk)

    shown = [
        admin_api.get(f"/api/channels/{channel.pk}").content.decode(),
        admin_api.get("/api/notification-deliveries").content.decode(),
        str(list(NotificationChannel.objects.values())),
        str(list(NotificationDelivery.objects.values())),
        caplog.text,
    ]

    assert not any("R0UT1NG" in text for text in shown)
