"""The queue of notifications: rows, claimed a channel at a time.

A channel has one worker at a time, held by a lease, so that its messages go in order; a channel
that hangs holds nobody but itself. Every attempt is a row before it is made: after a crash the
next worker finds it, and sends the same again under the same key.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from incidents import live, signals
from incidents.models import (
    UNDELIVERED,
    Incident,
    NotificationAttempt,
    NotificationChannel,
    NotificationDelivery,
    NotificationState,
)
from incidents.models.notification import in_lock_order
from incidents.notify.answers import Result, pause_seconds
from incidents.notify.bundling import Waiting, choose
from incidents.notify.composing import message_of
from incidents.notify.events import Kind
from incidents.notify.outbox import PANEL
from incidents.notify.sending import send

logger = logging.getLogger("studio.notify")
LEASE = timedelta(seconds=60)
"""Longer than any attempt may take: a timeout of at most 30 s, and a name to resolve."""
MOST_WAITING = 2000
"""Rows of a channel that are looked at to choose the next message."""
LOST = "The worker was lost while it sent; whether it arrived is not known."
SENDABLE = (NotificationState.PENDING, NotificationState.FAILED)


@dataclass(frozen=True)
class Sending:
    """Rows that are being sent as one message; the first stands for all."""

    rows: tuple[NotificationDelivery, ...]
    attempt: NotificationAttempt

    @property
    def leader(self) -> NotificationDelivery:
        return self.rows[0]


def due_channels(now: datetime | None = None) -> list[UUID]:
    """Channels with something to send, or to take over from a lost worker, that nobody holds."""
    now = now or timezone.now()
    work = Q(deliveries__state__in=SENDABLE, deliveries__due_at__lte=now)
    lost = Q(deliveries__state=NotificationState.SENDING)
    rows = _free(now).filter(work | lost).order_by("name").distinct()
    return list(rows.values_list("pk", flat=True))


def run_channel(channel_id: UUID) -> int:
    """Send what is due through the channel, one message after the other; how many attempts.

    Stops at the first failure: the channel then rests.
    """
    channel = _claim(channel_id)
    if channel is None:
        return 0
    attempts = 0
    try:
        while (sending := _begin(channel)) is not None:
            result = send(channel, message_of(channel, sending.rows))
            attempts += 1
            finish(channel, sending, result)
            if result.outcome == "failed":
                break
    finally:
        _held(channel).update(claimed_until=None)
    return attempts


def _free(now: datetime) -> QuerySet[NotificationChannel]:
    return NotificationChannel.objects.kept().filter(
        Q(claimed_until=None) | Q(claimed_until__lte=now),
        Q(paused_until=None) | Q(paused_until__lte=now),
        enabled=True,
    )


def _held(channel: NotificationChannel) -> QuerySet[NotificationChannel]:
    """The channel while this worker holds it."""
    return NotificationChannel.objects.filter(pk=channel.pk, claim=channel.claim)


def _claim(channel_id: UUID) -> NotificationChannel | None:
    now = timezone.now()
    claimed = _free(now).filter(pk=channel_id)
    if not claimed.update(claimed_until=now + LEASE, claim=F("claim") + 1):
        return None
    return NotificationChannel.objects.get(pk=channel_id)


def _begin(channel: NotificationChannel) -> Sending | None:
    """Renew the lease, choose the next message and write down that it is being sent."""
    now = timezone.now()
    with transaction.atomic():
        # the update is the channel's lock too: two workers that both think it theirs take turns
        if not _held(channel).filter(enabled=True).update(claimed_until=now + LEASE):
            return None
        _take_over(channel, now)
        chosen = _choice(channel, now)
        if not chosen:
            return None
        rows = _with_bundled(chosen)
        leader = rows[0]
        leader.attempts += 1
        ids = [row.pk for row in rows]
        NotificationDelivery.objects.filter(pk__in=ids).update(state=NotificationState.SENDING)
        NotificationDelivery.objects.filter(pk__in=ids[1:]).update(bundle=leader)
        NotificationDelivery.objects.filter(pk=leader.pk).update(attempts=leader.attempts)
        attempt = NotificationAttempt.objects.create(
            delivery=leader, number=leader.attempts, at=now
        )
        return Sending(tuple(rows), attempt)


def _take_over(channel: NotificationChannel, now: datetime) -> None:
    """Rows that a worker was sending when it was lost; whoever holds the channel sends none."""
    lost = NotificationDelivery.objects.filter(channel=channel, state=NotificationState.SENDING)
    NotificationAttempt.objects.filter(delivery__in=lost, outcome="").update(
        outcome=NotificationAttempt.Outcome.LOST, said=LOST
    )
    lost.update(state=NotificationState.FAILED, due_at=now, error=LOST)


def _choice(channel: NotificationChannel, now: datetime) -> tuple[int, ...]:
    rows = (
        NotificationDelivery.objects.undelivered()
        .filter(channel=channel)
        .order_by("pk")
        .values_list("pk", "incident", "attempts", "due_at", "bundle")[:MOST_WAITING]
    )
    at_most = 0 if channel.kind == Kind.PAGERDUTY else channel.bundle_above
    sent_recently = 0
    if at_most:
        window = now - timedelta(seconds=channel.bundle_seconds)
        sent_recently = NotificationDelivery.objects.filter(
            channel=channel, state=NotificationState.SENT, bundle=None, finished_at__gt=window
        ).count()
    return choose([Waiting(*row) for row in rows], sent_recently, now, at_most=at_most)


def _with_bundled(chosen: Sequence[int]) -> list[NotificationDelivery]:
    """The chosen rows, or the one of a bundle with those that it was made of, in order."""
    rows = NotificationDelivery.objects.filter(Q(pk__in=chosen) | Q(bundle=chosen[0]))
    return sorted(rows.order_by("pk"), key=lambda row: (row.pk != chosen[0], row.pk))


def finish(channel: NotificationChannel, sending: Sending, result: Result) -> bool:
    """Write down how the attempt went; False when another worker has taken over since."""
    now = timezone.now()
    leader = sending.leader
    with transaction.atomic():
        # the incidents first, in the order in which everybody locks them
        for incident in in_lock_order(sending.rows):
            live.changed(incident, PANEL)
        fenced = NotificationDelivery.objects.select_for_update().filter(
            pk=leader.pk, state=NotificationState.SENDING, attempts=leader.attempts
        )
        if not fenced.exists():
            return False
        NotificationAttempt.objects.filter(pk=sending.attempt.pk).update(
            outcome=result.outcome,
            seconds=result.seconds,
            status_code=result.status_code,
            said=result.said,
        )
        _note_health(channel, result, now)
        state, due_at = _next_state(leader, result, now)
        final = state != NotificationState.FAILED
        NotificationDelivery.objects.filter(pk__in=[row.pk for row in sending.rows]).update(
            state=state,
            due_at=due_at,
            finished_at=now if final else None,
            status_code=result.status_code,
            error="" if state == NotificationState.SENT else result.said,
        )
        if final:
            _announce([row.pk for row in sending.rows])
    if result.outcome != "sent":
        logger.warning(
            "notification %s to %s %s: %s", leader.key, channel.name, result.outcome, result.said
        )
    if result.outcome == "failed":
        give_up_old(channel, result.said, now)
    return True


def _next_state(
    leader: NotificationDelivery, result: Result, now: datetime
) -> tuple[NotificationState, datetime]:
    if result.outcome == "sent":
        return NotificationState.SENT, leader.due_at
    if result.outcome == "refused":
        return NotificationState.GIVEN_UP, leader.due_at
    wait = max(pause_seconds(leader.attempts, str(leader.key)), result.retry_after_seconds or 0.0)
    due_at = now + timedelta(seconds=min(wait, settings.NOTIFY_GIVE_UP_SECONDS))
    given_up_at = leader.wanted_at + timedelta(seconds=settings.NOTIFY_GIVE_UP_SECONDS)
    late = given_up_at <= now
    return (NotificationState.GIVEN_UP if late else NotificationState.FAILED), due_at


def _note_health(channel: NotificationChannel, result: Result, now: datetime) -> None:
    """The channel as it was found: a failure lets all of it rest, as long as it asked for."""
    row = NotificationChannel.objects.filter(pk=channel.pk)
    if result.outcome == "sent":
        row.update(failures=0, paused_until=None, last_success_at=now)
        channel.failures = 0
        return
    channel.failures += 1
    paused_until = None
    if result.outcome == "failed":
        wait = pause_seconds(channel.failures, str(channel.pk))
        asked = min(result.retry_after_seconds or 0.0, settings.NOTIFY_GIVE_UP_SECONDS)
        paused_until = now + timedelta(seconds=max(wait, asked))
    row.update(
        failures=F("failures") + 1,
        paused_until=paused_until,
        last_error_at=now,
        last_error=result.said,
    )


def give_up_old(channel: NotificationChannel, why: str, now: datetime) -> int:
    """What has waited for a channel that fails for longer than NOTIFY_GIVE_UP_SECONDS."""
    limit = now - timedelta(seconds=settings.NOTIFY_GIVE_UP_SECONDS)
    old = NotificationDelivery.objects.filter(
        channel=channel, state__in=SENDABLE, wanted_at__lte=limit
    )
    return give_up(old, f"The channel has failed for too long: {why}")


def give_up(rows: QuerySet[NotificationDelivery], why: str) -> int:
    """End these rows undelivered, visibly; how many."""
    now = timezone.now()
    with transaction.atomic():
        found = list(rows.order_by("pk")[:MOST_WAITING])
        for incident in in_lock_order(found):
            live.changed(incident, PANEL)
        # what was sent meanwhile stays so
        ids = [row.pk for row in found]
        still = rows.filter(pk__in=ids, state__in=UNDELIVERED).select_for_update()
        ended = list(still.values_list("pk", flat=True))
        NotificationDelivery.objects.filter(pk__in=ended).update(
            state=NotificationState.GIVEN_UP, finished_at=now, error=why[:2000]
        )
        _announce(ended)
    return len(ended)


def _announce(ids: Sequence[int]) -> None:
    rows = NotificationDelivery.objects.select_related("incident", "channel").filter(pk__in=ids)
    for row in rows.order_by("incident", "pk"):
        signals.notification_finished.send(Incident, incident=row.incident, delivery=row)


def release_leases() -> None:
    """Take back every lease: for the embedded server's start, when no other worker exists."""
    NotificationChannel.objects.exclude(claimed_until=None).update(claimed_until=None)
