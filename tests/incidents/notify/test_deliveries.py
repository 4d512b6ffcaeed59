"""The queue of notifications against a receiver that fails in every way it can."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from incidents import lifecycle, signals
from incidents.models import (
    Incident,
    NotificationAttempt,
    NotificationChannel,
    NotificationDelivery,
)
from incidents.notify import deliveries
from incidents.notify.deliveries import due_channels, run_channel
from tests.incidents.conftest import MakeIncident
from tests.incidents.notify.conftest import MakeChannel, MakeRule, run_again, states
from tests.incidents.notify.receiving import Answer, Receiver

FAILURES = [
    Answer(500, "broken"),
    Answer(502, "<html>bad gateway</html>"),
    Answer(429, "slow down", {"Retry-After": "7"}),
    Answer(503, "later"),
    Answer(401, "who are you"),
    Answer(404, "no_service"),
    Answer(302, "", {"Location": "http://127.0.0.1:1/elsewhere"}),
    Answer(how="close"),
]


def attempts_of(channel: NotificationChannel) -> list[tuple[str, int | None]]:
    rows = NotificationAttempt.objects.filter(delivery__channel=channel).order_by("pk")
    return list(rows.values_list("outcome", "status_code"))


@pytest.mark.parametrize("kind", ["webhook", "slack", "pagerduty"])
def test_channel_delivers_after_every_failure_under_one_key(
    kind: str,
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
) -> None:
    channel = make_channel(kind=kind)
    make_rule(channel)
    make_incident()
    receiver.answers = list(FAILURES)

    for _ in range(len(FAILURES) + 1):
        run_again(channel)

    row = NotificationDelivery.objects.get()
    assert (row.state, row.attempts) == ("sent", len(FAILURES) + 1)
    assert receiver.keys == [str(row.key)] * (len(FAILURES) + 1)
    assert len({one.content for one in receiver.received}) == 1
    assert attempts_of(channel) == [
        *[("failed", answer.status if answer.how == "answer" else None) for answer in FAILURES],
        ("sent", 200),
    ]


@pytest.mark.parametrize("how", ["hang", "drip"])
def test_receiver_that_does_not_answer_in_time_is_tried_again(
    how: str,
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
) -> None:
    channel = make_channel(timeout_seconds=0.3)
    make_rule(channel)
    make_incident()
    receiver.answers = [Answer(how=how)]

    run_channel(channel.pk)
    first = NotificationDelivery.objects.get()
    NotificationChannel.objects.update(timeout_seconds=30.0)
    run_again(channel)

    assert first.state == "failed"
    assert first.error == "did not answer within 0.3 s"
    assert states(channel) == [("opened", "sent")]
    assert receiver.keys == [str(first.key)] * 2


def test_answer_cut_short_counts_by_its_status(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
) -> None:
    channel = make_channel()
    make_rule(channel)
    make_incident()
    receiver.answers = [Answer(200, "tak", how="cut")]

    run_channel(channel.pk)

    assert states(channel) == [("opened", "sent")]


def test_message_that_is_refused_is_given_up_at_once_and_others_go_on(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
    sam: User,
) -> None:
    channel = make_channel()
    make_rule(channel)
    incident = make_incident()
    lifecycle.acknowledge(incident_id=incident.pk, actor=sam)
    receiver.answers = [Answer(400, "invalid_payload")]

    run_channel(channel.pk)

    assert states(channel) == [("opened", "given_up"), ("acknowledged", "sent")]
    assert NotificationDelivery.objects.get(event="opened").error == "400 invalid_payload"


def test_failure_holds_later_changes_of_the_incident_and_of_no_other(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
    sam: User,
) -> None:
    channel = make_channel()
    make_rule(channel)
    first = make_incident("Checkout fails")
    receiver.answers = [Answer(500)]
    run_channel(channel.pk)
    lifecycle.acknowledge(incident_id=first.pk, actor=sam)
    second = make_incident("Search fails")
    NotificationChannel.objects.update(paused_until=None)

    run_channel(channel.pk)
    meanwhile = states(channel)
    run_again(channel)

    assert meanwhile == [("opened", "failed"), ("acknowledged", "pending"), ("opened", "sent")]
    told = [(one.json["subject"], one.json["type"].rpartition(".")[2]) for one in receiver.received]
    assert told == [
        (first.reference, "opened"),
        (second.reference, "opened"),
        (first.reference, "opened"),
        (first.reference, "acknowledged"),
    ]


def test_failing_channel_holds_no_other(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
) -> None:
    dead = make_channel("dead", url="http://127.0.0.1:1/nobody")
    alive = make_channel("alive")
    make_rule(dead, alive)
    make_incident()

    for channel in due_channels():
        run_channel(channel)

    assert (states(dead), states(alive)) == ([("opened", "failed")], [("opened", "sent")])
    assert due_channels() == []


def test_channel_rests_as_long_as_it_asked_for(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
) -> None:
    channel = make_channel()
    make_rule(channel)
    make_incident()
    receiver.answers = [Answer(429, "", {"Retry-After": "1200"})]
    before = timezone.now()

    run_channel(channel.pk)

    channel.refresh_from_db()
    assert channel.paused_until is not None
    assert channel.paused_until >= before + timedelta(seconds=1200)
    assert NotificationDelivery.objects.get().due_at >= before + timedelta(seconds=1200)
    assert due_channels(before + timedelta(seconds=1199)) == []
    assert due_channels(timezone.now() + timedelta(seconds=1201)) == [channel.pk]


def test_what_fails_for_too_long_is_given_up_and_said(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
    settings: Settings,
) -> None:
    channel = make_channel()
    make_rule(channel)
    make_incident("Checkout fails")
    make_incident("Search fails")
    receiver.answers = [Answer(500, "broken")]
    long_ago = timezone.now() - timedelta(seconds=settings.NOTIFY_GIVE_UP_SECONDS + 1)
    NotificationDelivery.objects.update(wanted_at=long_ago)
    ended: list[tuple[str, str]] = []

    def note(incident: Incident, delivery: NotificationDelivery, **kwargs: Any) -> None:
        ended.append((incident.title, delivery.state))

    signals.notification_finished.connect(note)
    try:
        run_channel(channel.pk)
    finally:
        signals.notification_finished.disconnect(note)

    assert states(channel) == [("opened", "given_up"), ("opened", "given_up")]
    assert ended == [("Checkout fails", "given_up"), ("Search fails", "given_up")]
    assert list(NotificationDelivery.objects.order_by("pk").values_list("error", flat=True)) == [
        "500 broken",
        "The channel has failed for too long: 500 broken",
    ]


def test_row_of_a_lost_worker_is_sent_again_under_its_key(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
) -> None:
    channel = make_channel()
    make_rule(channel)
    make_incident()
    held = deliveries._claim(channel.pk)  # the worker is killed after this line
    assert held is not None
    sending = deliveries._begin(held)
    assert sending is not None
    while_held = due_channels()
    NotificationChannel.objects.update(claimed_until=timezone.now())

    run_channel(channel.pk)

    assert while_held == []
    assert states(channel) == [("opened", "sent")]
    assert attempts_of(channel) == [("lost", None), ("sent", 200)]
    assert receiver.keys == [str(sending.leader.key)]


def test_worker_that_lost_its_lease_writes_nothing(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
) -> None:
    channel = make_channel()
    make_rule(channel)
    make_incident()
    late = deliveries._claim(channel.pk)
    assert late is not None
    sending = deliveries._begin(late)
    assert sending is not None
    NotificationChannel.objects.update(claimed_until=timezone.now())
    run_channel(channel.pk)

    told = deliveries.finish(late, sending, deliveries.Result("failed", "too late", 99.0))

    assert told is False
    assert deliveries._begin(late) is None
    assert states(channel) == [("opened", "sent")]


def test_claimed_channel_is_nobody_elses(
    make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident
) -> None:
    channel = make_channel()
    make_rule(channel)
    make_incident()
    deliveries._claim(channel.pk)

    assert run_channel(channel.pk) == 0
    assert states(channel) == [("opened", "pending")]


def test_storm_goes_as_one_digest_that_names_what_it_bundles(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
) -> None:
    channel = make_channel(bundle_above=3, bundle_seconds=3600)
    make_rule(channel)
    incidents = [make_incident(f"Part {n} fails") for n in range(5)]
    receiver.answers = [Answer(500), Answer(200)]

    run_channel(channel.pk)
    make_incident("One more fails")
    run_again(channel)

    rows = list(NotificationDelivery.objects.order_by("pk"))
    first, second = receiver.received[0].json, receiver.received[1].json
    assert first == second
    assert first["type"] == "com.reliability-studio.incident.digest"
    assert first["data"]["summary"] == "5 changes of 5 incidents"
    assert [change["reference"] for change in first["data"]["changes"]] == [
        incident.reference for incident in incidents
    ]
    assert [change["id"] for change in first["data"]["changes"]] == [str(r.key) for r in rows[:5]]
    assert receiver.keys[:2] == [str(rows[0].key)] * 2
    assert [row.bundle_id for row in rows] == [None, *[rows[0].pk] * 4, None]
    assert {row.state for row in rows} == {"sent"}


def test_window_that_is_full_holds_what_comes_until_it_has_moved_on(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
) -> None:
    channel = make_channel(bundle_above=2, bundle_seconds=3600)
    make_rule(channel)
    for n in range(2):
        make_incident(f"Part {n} fails")
        run_channel(channel.pk)
    for n in range(2, 5):
        make_incident(f"Part {n} fails")
        run_channel(channel.pk)
    during = [state for _event, state in states(channel)]
    earlier = timezone.now() - timedelta(seconds=3601)
    NotificationDelivery.objects.filter(state="sent").update(finished_at=earlier)

    run_channel(channel.pk)

    assert during == ["sent", "sent", "pending", "pending", "pending"]
    assert len(receiver.received) == 3
    assert receiver.received[2].json["data"]["summary"] == "3 changes of 3 incidents"


def test_disabled_channel_is_not_sent_to(
    make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident
) -> None:
    channel = make_channel(enabled=False)
    make_rule(channel)

    make_incident()

    assert states(channel) == []


def test_redirect_is_not_followed(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
) -> None:
    channel = make_channel()
    make_rule(channel)
    make_incident()
    receiver.answers = [Answer(307, "", {"Location": receiver.url + "/other"})]

    run_channel(channel.pk)

    assert [one.path for one in receiver.received] == ["/in"]
    assert states(channel) == [("opened", "failed")]


def test_failure_is_counted_on_the_channel_until_it_delivers(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
) -> None:
    channel = make_channel()
    make_rule(channel)
    make_incident()
    receiver.answers = [Answer(500, "broken"), Answer(500, "broken")]
    run_again(channel)
    run_again(channel)
    channel.refresh_from_db()
    failing = (channel.state, channel.failures, channel.last_error)

    run_again(channel)

    channel.refresh_from_db()
    assert failing == ("failing", 2, "500 broken")
    assert (channel.state, channel.failures) == ("ok", 0)
