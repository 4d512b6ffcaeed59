"""What people do to channels and to what was sent through them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import audit
from incidents import live
from incidents.models import (
    NotificationChannel,
    NotificationDelivery,
    NotificationState,
    Severity,
    Status,
)
from incidents.models.notification import in_lock_order
from incidents.notify import wakeups
from incidents.notify.answers import Result
from incidents.notify.composing import site
from incidents.notify.deliveries import give_up
from incidents.notify.events import Event, Kind
from incidents.notify.facts import rfc3339
from incidents.notify.messages.message import Message, Told
from incidents.notify.outbox import PANEL
from incidents.notify.sending import send


class CannotRetry(ValueError):
    """The text says why, for the person who asked."""


def retry(delivery: NotificationDelivery) -> NotificationDelivery:
    """Send it again now, under the key it has; all of its bundle, where it went with others.

    Raises CannotRetry for one that neither failed nor was given up, or whose channel is off.
    """
    leader = delivery.bundle or delivery
    channel = leader.channel
    if not channel.enabled or channel.removed_at is not None:
        raise CannotRetry(f"The channel {channel.name} is {channel.state}.")
    now = timezone.now()
    with transaction.atomic():
        rows = NotificationDelivery.objects.filter(Q(pk=leader.pk) | Q(bundle=leader))
        for incident in in_lock_order(rows):
            live.changed(incident, PANEL)
        again = rows.filter(state__in=(NotificationState.FAILED, NotificationState.GIVEN_UP))
        if not again.update(
            state=NotificationState.FAILED, due_at=now, wanted_at=now, finished_at=None
        ):
            delivery.refresh_from_db()
            raise CannotRetry(f"It is {delivery.get_state_display()}.")
        NotificationChannel.objects.filter(pk=channel.pk).update(paused_until=None)
        audit.record("notification_delivery.retried", leader)
        wakeups.wake_after_commit()
    delivery.refresh_from_db()
    return delivery


def switch(channel: NotificationChannel, *, enabled: bool) -> None:
    """Turn a channel on or off, and end its pause."""
    with transaction.atomic():
        channel.enabled, channel.failures, channel.paused_until = enabled, 0, None
        channel.version += 1
        channel.save(update_fields=["enabled", "failures", "paused_until", "version", "updated_at"])
        if not enabled:
            let_go(channel)


def let_go(channel: NotificationChannel) -> None:
    """Give up what waits for a channel that was turned off."""
    give_up(_waiting(channel), "The channel was disabled.")


def remove(channel: NotificationChannel) -> None:
    """Take a channel away; its row stays, what was sent refers to it."""
    with transaction.atomic():
        channel.removed_at = timezone.now()
        channel.version += 1
        channel.save(update_fields=["removed_at", "version", "updated_at"])
        channel.rules.clear()
        give_up(_waiting(channel), "The channel was removed.")


def _waiting(channel: NotificationChannel) -> QuerySet[NotificationDelivery]:
    return NotificationDelivery.objects.filter(
        channel=channel, state__in=(NotificationState.PENDING, NotificationState.FAILED)
    )


def send_test(channel: NotificationChannel) -> Result:
    """Send a test message now and say how it went; PagerDuty's is resolved again at once.

    One that arrives ends the channel's pause.
    """
    number = str(uuid.uuid4())
    result = send(channel, _test_message(number, Event.OPENED))
    if channel.kind == Kind.PAGERDUTY and result.outcome == "sent":
        result = send(channel, _test_message(number, Event.RESOLVED))
    now = timezone.now()
    audit.record("notification_channel.tested", channel, None, {"outcome": result.outcome})
    row = NotificationChannel.objects.filter(pk=channel.pk)
    if result.outcome == "sent":
        row.update(failures=0, paused_until=None, last_success_at=now)
        wakeups.wake_after_commit()
    else:
        row.update(last_error_at=now, last_error=result.said)
    return result


def _test_message(number: str, event: Event) -> Message:
    now = timezone.now()
    facts: dict[str, Any] = {
        "event": event.value,
        "reference": "TEST",
        "number": 0,
        "incident": f"test-{number}",
        "title": "Test of this channel, nothing is broken",
        "severity": Severity.LOW.value,
        "status": Status.OPEN.value if event == Event.OPENED else Status.RESOLVED.value,
        "environment": "test",
        "services": [],
        "started_at": rfc3339(now),
        "at": rfc3339(now),
        "actor": "",
        "reason": "",
        "details": {},
        "cause": "",
        "cause_confidence": None,
        "closed_as": "",
        "mttr_seconds": None,
        "path": "/notifications",
    }
    key = str(uuid.uuid5(uuid.UUID(number), event.value))
    return Message(
        key=key,
        changes=(Told(key, facts),),
        site=site(),
        thread=f"test.{number}",
        subject="Test of a notification channel",
    )
