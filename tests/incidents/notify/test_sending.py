"""One attempt through each kind of channel, to a real receiver."""

from __future__ import annotations

import email
import socket
import threading
from collections.abc import Iterator
from email import policy
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import User
from incidents import lifecycle
from incidents.models import NotificationChannel, NotificationDelivery
from incidents.notify.composing import message_of
from incidents.notify.deliveries import run_channel
from incidents.notify.messages import cloudevents
from incidents.notify.sending import send
from tests.incidents.conftest import MakeIncident
from tests.incidents.notify.conftest import MakeChannel, MakeRule, run_again, states
from tests.incidents.notify.receiving import Answer, MailServer, Receiver


def letters(server: MailServer) -> list[Any]:
    return [
        email.message_from_bytes(one.content or b"", policy=policy.default)
        for one in server.mailbox.letters
    ]


def sent_through(channel: NotificationChannel) -> Any:
    row = NotificationDelivery.objects.filter(channel=channel).latest("pk")
    return send(channel, message_of(channel, [row]))


def test_webhook_is_signed_with_a_key_from_a_file(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
    settings: Settings,
    tmp_path: Path,
) -> None:
    settings.SECRETS_DIR = str(tmp_path)
    (tmp_path / "signing").write_text("s3cr3t\n")
    channel = make_channel(secret_file="signing")
    make_rule(channel)
    make_incident()

    run_channel(channel.pk)

    (got,) = receiver.received
    stamp = int(got.headers["x-studio-timestamp"])
    assert got.headers["x-studio-signature"] == cloudevents.signature("s3cr3t", stamp, got.content)
    assert got.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert got.json["id"] == got.key


def test_pagerduty_gets_one_dedup_key_from_opening_to_resolution(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
    sam: User,
) -> None:
    channel = make_channel(kind="pagerduty")
    make_rule(channel)
    incident = make_incident()
    lifecycle.acknowledge(incident_id=incident.pk, actor=sam)
    lifecycle.mitigate(incident_id=incident.pk, actor=sam)
    lifecycle.resolve(incident_id=incident.pk, actor=sam)

    run_channel(channel.pk)

    assert [one.path for one in receiver.received] == ["/v2/enqueue"] * 3
    actions = [one.json["event_action"] for one in receiver.received]
    assert actions == ["trigger", "acknowledge", "resolve"]
    assert {one.json["dedup_key"] for one in receiver.received} == {
        f"reliability-studio/{incident.pk}"
    }


def test_secret_that_cannot_be_read_is_a_failure_in_words(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    channel = make_channel(kind="slack")
    make_rule(channel)
    make_incident()
    monkeypatch.delenv("CHAT_URL")

    run_channel(channel.pk)

    row = NotificationDelivery.objects.get()
    assert row.state == "failed"
    assert row.error == "the variable CHAT_URL named by the channel ops is not set"


def test_answer_that_repeats_the_secret_is_kept_without_it(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
) -> None:
    channel = make_channel(kind="pagerduty")
    make_rule(channel)
    make_incident()
    receiver.answers = [Answer(400, "unknown routing_key R0UT1NG")]

    result = sent_through(channel)

    assert (result.outcome, result.said) == ("refused", "400 unknown routing_key …")


def test_address_that_leads_inside_is_a_failure_and_is_not_sent_to(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    receiver: Receiver,
    settings: Settings,
) -> None:
    channel = make_channel()
    make_rule(channel)
    make_incident()
    settings.OUTBOUND_ALLOWED_NETWORKS = []

    run_channel(channel.pk)

    assert states(channel) == [("opened", "failed")]
    assert receiver.received == []


def test_mail_of_one_incident_is_one_thread(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    mail_server: MailServer,
    sam: User,
) -> None:
    channel = make_channel(kind="email", recipients=["oncall@example.com", "lead@example.com"])
    make_rule(channel)
    incident = make_incident("Checkout fails")
    lifecycle.acknowledge(incident_id=incident.pk, actor=sam)

    run_channel(channel.pk)

    first, second = letters(mail_server)
    assert states(channel) == [("opened", "sent"), ("acknowledged", "sent")]
    assert first["Subject"] == second["Subject"] == f"{incident.reference}: Checkout fails"
    assert second["References"] == second["In-Reply-To"] == first["Message-ID"]
    assert [part.get_content_type() for part in first.iter_parts()] == ["text/plain", "text/html"]
    assert mail_server.mailbox.letters[0].rcpt_tos == ["oncall@example.com", "lead@example.com"]


def test_mail_that_is_refused_for_now_is_sent_again_under_its_id(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    mail_server: MailServer,
) -> None:
    channel = make_channel(kind="email")
    make_rule(channel)
    make_incident()
    mail_server.mailbox.refusals["content"] = "451 try again later"

    run_channel(channel.pk)
    first = NotificationDelivery.objects.get()
    run_again(channel)

    assert (first.state, first.error, first.status_code) == ("failed", "451 try again later", 451)
    (letter,) = letters(mail_server)
    assert letter["Idempotency-Key"] == str(first.key)
    assert states(channel) == [("opened", "sent")]


def test_recipient_that_is_refused_is_said_and_the_others_get_theirs(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    mail_server: MailServer,
) -> None:
    channel = make_channel(kind="email", recipients=["gone@example.com", "oncall@example.com"])
    make_rule(channel)
    make_incident()
    mail_server.mailbox.refusals["gone@example.com"] = "550 no such user"

    result = sent_through(channel)

    assert result.outcome == "sent"
    assert result.said == "taken, but not for gone@example.com: 550 no such user"


def test_mail_that_no_recipient_may_have_is_given_up(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    mail_server: MailServer,
) -> None:
    channel = make_channel(kind="email")
    make_rule(channel)
    make_incident()
    mail_server.mailbox.refusals["oncall@example.com"] = "550 no such user"

    run_channel(channel.pk)

    row = NotificationDelivery.objects.get()
    assert (row.state, row.error) == ("given_up", "oncall@example.com: 550 no such user")


def test_mail_without_a_server_is_a_failure_in_words(
    make_channel: MakeChannel, make_rule: MakeRule, make_incident: MakeIncident
) -> None:
    channel = make_channel(kind="email")
    make_rule(channel)
    make_incident()

    result = sent_through(channel)

    assert (result.outcome, result.said) == ("failed", "no mail server is set: EMAIL_HOST")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and greets nobody, a byte of a greeting now and then."""
    closing = threading.Event()
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _address = listener.accept()
            taken.append(connection)
            while not closing.wait(0.05):
                try:
                    connection.sendall(b"2")
                except OSError:
                    return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        closing.set()
        thread.join()
        for connection in taken:
            connection.close()


def test_mail_server_that_drips_is_cut_off(
    make_channel: MakeChannel,
    make_rule: MakeRule,
    make_incident: MakeIncident,
    silent_port: int,
    settings: Settings,
) -> None:
    settings.EMAIL_BACKEND = "incidents.notify.smtp.Backend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", silent_port
    settings.EMAIL_USE_TLS = False
    channel = make_channel(kind="email", timeout_seconds=0.3)
    make_rule(channel)
    make_incident()

    result = sent_through(channel)

    assert result.outcome == "failed"
    assert result.said == "the mail server did not answer within 0.3 s"
