"""Alerts that always fire: their silence is the incident."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from incidents.models.alert import Alert, AlertSource
from incidents.models.incident import Incident, Severity
from incidents.models.label_matchers import validate_matchers

A_WEEK_SECONDS = 7 * 86_400.0


class Heartbeat(models.Model):
    """Which alerts of a source are beats, and how often they must come.

    A matching alert opens no incident, whether the heartbeat is enabled or not; a disabled one
    may fall silent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(AlertSource, models.CASCADE, related_name="heartbeats")
    name = models.CharField(max_length=100)
    matchers = models.JSONField(
        default=list,
        validators=[validate_matchers],
        help_text='Label matchers, such as ["alertname=Watchdog"]; all must hold.',
    )
    interval_seconds = models.FloatField(
        validators=[MinValueValidator(10.0), MaxValueValidator(A_WEEK_SECONDS)],
        help_text="How often the sender repeats the alert while it fires.",
    )
    grace_seconds = models.FloatField(
        default=60.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(A_WEEK_SECONDS)],
        help_text="How late a beat may be.",
    )
    severity = models.CharField(
        max_length=16,
        choices=Severity.choices,
        default=Severity.HIGH,
        help_text="Of the incident that its silence opens.",
    )
    enabled = models.BooleanField(default=True)
    automatic = models.BooleanField(
        default=False, editable=False, help_text="Made when the first such alert arrived."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "name"], name="heartbeat_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """disabled, waiting (no such alert yet), beating or stopped."""
        if not self.enabled:
            return "disabled"
        stopped = [pulse.stopped_at is not None for pulse in self.pulses.all()]
        if not stopped:
            return "waiting"
        return "stopped" if any(stopped) else "beating"


class Pulse(models.Model):
    """One series of a heartbeat: each Prometheus that sends a Watchdog has its own.

    `stopped_at` is when its silence was noticed; null while it beats. Written by
    `incidents.upkeep.heartbeats` alone.
    """

    alert = models.OneToOneField(Alert, models.CASCADE, primary_key=True, related_name="pulse")
    heartbeat = models.ForeignKey(Heartbeat, models.CASCADE, related_name="pulses")
    stopped_at = models.DateTimeField(null=True)
    incident = models.ForeignKey(
        Incident,
        models.PROTECT,
        null=True,
        related_name="pulses",
        help_text="The incident its last silence opened or joined.",
    )

    def __str__(self) -> str:
        return f"{self.heartbeat_id} {self.alert_id}"

    def due_at(self, beat_at: datetime, *, ended: bool) -> datetime:
        """When it counts as stopped; a sender that says "resolved" leaves the grace alone."""
        wait = self.heartbeat.grace_seconds
        if not ended:
            wait += self.heartbeat.interval_seconds
        return beat_at + timedelta(seconds=wait)
