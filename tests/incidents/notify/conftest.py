"""Channels that lead to receivers of this machine, and rules that use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from incidents.models import (
    NotificationChannel,
    NotificationDelivery,
    NotificationRule,
    NotificationState,
)
from incidents.notify.deliveries import run_channel
from incidents.notify.events import Event
from tests.incidents.notify.receiving import MailServer, Receiver

MakeChannel = Callable[..., NotificationChannel]
MakeRule = Callable[..., NotificationRule]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    made = MailServer()
    settings.EMAIL_BACKEND = "incidents.notify.smtp.Backend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = made.port
    settings.EMAIL_USE_TLS = False
    yield made
    made.stop()


@pytest.fixture
def local(settings: Settings) -> None:
    """This machine may be sent to."""
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def make_channel(
    db: None, local: None, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> MakeChannel:
    """A channel that leads to the receiver; a webhook unless told otherwise."""

    def make(name: str = "ops", kind: str = "webhook", **columns: Any) -> NotificationChannel:
        columns.setdefault("timeout_seconds", 30.0)
        if kind == "slack":
            monkeypatch.setenv("CHAT_URL", receiver.url)
            columns.setdefault("url_variable", "CHAT_URL")
        elif kind == "email":
            columns.setdefault("recipients", ["oncall@example.com"])
        elif kind == "pagerduty":
            monkeypatch.setenv("ROUTING_KEY", "R0UT1NG")
            columns.setdefault("secret_variable", "ROUTING_KEY")
            columns.setdefault("url", receiver.url.removesuffix("/in"))
        else:
            columns.setdefault("url", receiver.url)
        made = NotificationChannel(name=name, kind=kind, **columns)
        made.full_clean()
        made.save()
        return made

    return make


@pytest.fixture
def make_rule(db: None) -> MakeRule:
    def make(*channels: NotificationChannel, **columns: Any) -> NotificationRule:
        services = columns.pop("services", [])
        columns.setdefault("name", "everything")
        columns.setdefault("events", [event.value for event in Event])
        made = NotificationRule.objects.create(**columns)
        made.channels.set(channels)
        made.services.set(services)
        return made

    return make


def states(channel: NotificationChannel) -> list[tuple[str, str]]:
    """(event, state) of all rows of the channel in their order."""
    rows = NotificationDelivery.objects.filter(channel=channel).order_by("pk")
    return list(rows.values_list("event", "state"))


def wait_over(channel: NotificationChannel) -> None:
    """As if the pauses after failures had passed."""
    now = timezone.now() - timedelta(seconds=1)
    NotificationChannel.objects.filter(pk=channel.pk).update(paused_until=None)
    NotificationDelivery.objects.filter(channel=channel, state=NotificationState.FAILED).update(
        due_at=now
    )


def run_again(channel: NotificationChannel) -> int:
    wait_over(channel)
    return run_channel(channel.pk)
