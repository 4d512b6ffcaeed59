"""What was, is or will be sent to a channel, and how each attempt went."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone

from incidents.models.channel import NotificationChannel
from incidents.models.incident import Incident
from incidents.notify.events import EVENT_CHOICES


class NotificationState(models.TextChoices):
    PENDING = "pending", "waits"
    SENDING = "sending", "being sent"
    SENT = "sent", "sent"
    FAILED = "failed", "failed, will be tried again"
    GIVEN_UP = "given_up", "given up"


UNDELIVERED = (
    NotificationState.PENDING,
    NotificationState.SENDING,
    NotificationState.FAILED,
)


class NotificationDeliveryQuerySet(models.QuerySet["NotificationDelivery"]):
    def undelivered(self) -> NotificationDeliveryQuerySet:
        return self.filter(state__in=UNDELIVERED)

    def told_channels(self, incident_id: UUID) -> set[UUID]:
        """The channels that have been, or will be, told something of the incident."""
        return set(self.filter(incident=incident_id).values_list("channel", flat=True))


class NotificationDelivery(models.Model):
    """One change of an incident for one channel: outbox row, queue entry and record.

    `key` is made of the change and the channel, so that a change is told once however often it
    is noted, and what is sent again carries the same. `id` is the order. `facts` is the incident
    as it was at the change (`notify.facts`). `due_at` is when it may be sent next, `wanted_at`
    when it should have been. A row with a `bundle` goes with that row's message. Written by
    `incidents.notify` alone.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.UUIDField(unique=True, editable=False)
    channel = models.ForeignKey(NotificationChannel, models.PROTECT, related_name="deliveries")
    incident = models.ForeignKey(Incident, models.PROTECT, related_name="notifications")
    event = models.CharField(max_length=32, choices=EVENT_CHOICES)
    change = models.CharField(max_length=120)
    facts = models.JSONField()
    rules = models.JSONField(default=list)
    state = models.CharField(
        max_length=16, choices=NotificationState.choices, default=NotificationState.PENDING
    )
    created_at = models.DateTimeField(default=timezone.now)
    wanted_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    bundle = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="bundled"
    )
    finished_at = models.DateTimeField(null=True)
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.TextField(blank=True, default="")

    objects = NotificationDeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["incident", "-id"], name="notification_of_incident"),
            models.Index(fields=["-created_at", "-id"], name="notification_newest"),
            models.Index(
                fields=["channel", "id"],
                name="notification_undelivered",
                condition=Q(state__in=["pending", "sending", "failed"]),
            ),
            models.Index(
                fields=["channel", "-finished_at"],
                name="notification_sent",
                condition=Q(state="sent", bundle=None),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=NotificationState.values), name="notification_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} of {self.incident_id} to {self.channel_id}"

    @property
    def reference(self) -> str:
        """The incident's, without a query."""
        return str(self.facts["reference"])

    @property
    def is_held(self) -> bool:
        """Waits for the end of quiet hours."""
        return self.state == NotificationState.PENDING and self.due_at > timezone.now()

    @property
    def may_retry(self) -> bool:
        return self.state in (NotificationState.FAILED, NotificationState.GIVEN_UP)

    def state_at(self, as_of: datetime | None) -> str:
        """The state as it was known at `as_of`: what had not ended was waiting."""
        if as_of is None or (self.finished_at is not None and self.finished_at <= as_of):
            return self.state
        return NotificationState.PENDING


class NotificationAttempt(models.Model):
    """One try to send a row, and those bundled into it. `outcome` is empty while it runs."""

    class Outcome(models.TextChoices):
        SENT = "sent"
        FAILED = "failed"
        REFUSED = "refused", "refused for good"
        LOST = "lost", "worker lost"

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(NotificationDelivery, models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField(default=timezone.now)
    seconds = models.FloatField(null=True)
    outcome = models.CharField(
        max_length=8, choices=Outcome.choices, blank=True, default="", editable=False
    )
    status_code = models.PositiveSmallIntegerField(null=True)
    said = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["delivery", "number"], name="notification_attempt_once"
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.outcome or 'running'}"


def in_lock_order(rows: Iterable[Any]) -> list[UUID]:
    """The incidents of these rows in the order in which they may be locked."""
    return sorted({row.incident_id for row in rows})
