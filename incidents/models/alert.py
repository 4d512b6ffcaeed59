"""Alerts as received: the delivery, the series it names, and each firing of it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from incidents.models.catalogue import PRODUCTION, Service
from incidents.models.incident import Incident


class AlertSource(models.Model):
    """A sender of alerts; identity of a series is relative to it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    kind = models.CharField(max_length=16, default="alertmanager")
    environment = models.CharField(max_length=63, default=PRODUCTION)
    ignored_labels = models.JSONField(
        default=list, blank=True, help_text="Labels left out of a series' identity."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.slug


class Delivery(models.Model):
    """One request as it came, kept so that grouping can be done, redone and explained."""

    class State(models.TextChoices):
        QUEUED = "queued"
        GROUPING = "grouping"
        DONE = "done"
        REJECTED = "rejected"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(AlertSource, models.PROTECT, related_name="deliveries")
    received_at = models.DateTimeField(default=timezone.now)
    body = models.TextField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-received_at", "-id"]
        indexes = [
            models.Index(
                fields=["received_at"],
                name="delivery_waiting",
                condition=Q(state__in=("queued", "grouping")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.received_at:%Y-%m-%d %H:%M:%S} {self.state}"


class Alert(models.Model):
    """One series: the same labels from the same source are the same alert for ever.

    `identity` is the SHA-256 of the sorted labels without the source's ignored ones.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(AlertSource, models.PROTECT, related_name="alerts")
    identity = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    labels = models.JSONField()
    annotations = models.JSONField(default=dict)
    generator_url = models.URLField(max_length=2000, blank=True, default="")
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    received_count = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-first_seen_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "identity"], name="alert_series_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class AlertOccurrence(models.Model):
    """One firing of an alert; `members` maps the sender's fingerprints to "firing"/"resolved".

    It is resolved when all its members are (an HA pair sends two fingerprints for one).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    alert = models.ForeignKey(Alert, models.PROTECT, related_name="occurrences")
    incident = models.ForeignKey(
        Incident, models.PROTECT, null=True, blank=True, related_name="occurrences"
    )
    service = models.ForeignKey(Service, models.PROTECT, null=True, related_name="+")
    members = models.JSONField(default=dict)
    claimed_started_at = models.DateTimeField(help_text="The sender's startsAt, as claimed.")
    started_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True, blank=True)
    delivery = models.ForeignKey(Delivery, models.SET_NULL, null=True, related_name="occurrences")
    fired = models.BooleanField(
        default=True, db_default=True, help_text="False while it was only ever reported as over."
    )
    end_told_at = models.DateTimeField(
        null=True, editable=False, help_text="When its incident was told that it is over."
    )

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["alert"], condition=Q(resolved_at=None), name="alert_one_open_occurrence"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} since {self.started_at:%Y-%m-%d %H:%M:%S}"
