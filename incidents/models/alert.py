"""Alerts as received: the delivery, the series it names, and each firing of it.

`incidents.intake.alerts` writes these tables in SQL: a column added to one of them needs
null=True or a db_default.
"""

from __future__ import annotations

import uuid

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiToken
from incidents.ids import time_ordered
from incidents.models.catalogue import PRODUCTION, Service
from incidents.models.incident import Incident
from incidents.upkeep.quieting import in_words


class AlertSource(models.Model):
    """A sender of alerts; identity of a series is relative to it."""

    class Kind(models.TextChoices):
        ALERTMANAGER = "alertmanager", "Alertmanager"
        GRAFANA = "grafana", "Grafana"
        EVENTS = "events", "Events (PagerDuty v2)"
        INTERNAL = "internal", "Reliability Studio itself"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.ALERTMANAGER)
    environment = models.CharField(max_length=63, default=PRODUCTION)
    ignored_labels = models.JSONField(
        default=list, blank=True, help_text="Labels left out of a series' identity."
    )
    repeat_interval_seconds = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(10.0)],
        help_text="The sender's repeat_interval; empty: ALERT_REPEAT_INTERVAL_SECONDS.",
    )
    flap_changes = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="More changes within the window are flapping; empty: ALERT_FLAP_CHANGES.",
    )
    flap_window_seconds = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(10.0)],
        help_text="Empty: ALERT_FLAP_WINDOW_SECONDS.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.slug


class SourceToken(models.Model):
    """A token that says which source its bearer is. Several may be valid while one replaces
    another."""

    token = models.OneToOneField(
        ApiToken, models.PROTECT, primary_key=True, related_name="alert_source_token"
    )
    source = models.ForeignKey(AlertSource, models.CASCADE, related_name="source_tokens")

    def __str__(self) -> str:
        return f"{self.source_id} {self.token_id}"


class Delivery(models.Model):
    """One request as it came, kept so that grouping can be done, redone and explained.

    `error` says why it was rejected or why grouping failed; `refused` names the alerts of an
    accepted one that were not. `acknowledges` is the identity of a series whose incident
    somebody acknowledged in the tool that sent this.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        GROUPING = "grouping"
        DONE = "done"
        REJECTED = "rejected"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=time_ordered, editable=False)
    source = models.ForeignKey(
        AlertSource, models.PROTECT, related_name="deliveries", db_index=False
    )
    received_at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(
        max_length=16,
        choices=AlertSource.Kind.choices,
        default=AlertSource.Kind.ALERTMANAGER,
        help_text="The format of the body.",
    )
    body = models.TextField()
    alert_count = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")
    refused = models.TextField(blank=True, default="")
    acknowledges = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-received_at", "-id"]
        indexes = [
            models.Index(
                fields=["received_at"],
                name="delivery_waiting",
                condition=Q(state__in=("queued", "grouping")),
            ),
            models.Index(
                fields=["-received_at", "-id"],
                name="delivery_unaccepted",
                condition=Q(state__in=("rejected", "failed")),
            ),
            models.Index(fields=["-received_at", "-id"], name="delivery_newest"),
            models.Index(fields=["source", "-received_at", "-id"], name="delivery_of_source"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.received_at:%Y-%m-%d %H:%M:%S} {self.state}"


class Alert(models.Model):
    """One series: the same labels from the same source are the same alert for ever.

    `identity` is the SHA-256 of the sorted labels without the source's ignored ones. `members`
    maps the sender's fingerprints to what is known of each (see `incidents.intake.members`): an HA
    pair sends two for one series. `firing` is whether any member is, `changed_by` the
    delivery that last opened or closed an occurrence. Nothing here is indexed that a repeat
    changes, so that PostgreSQL can rewrite the row in place.
    """

    id = models.UUIDField(primary_key=True, default=time_ordered, editable=False)
    source = models.ForeignKey(AlertSource, models.PROTECT, related_name="alerts", db_index=False)
    identity = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    labels = models.JSONField()
    annotations = models.JSONField(default=dict)
    generator_url = models.URLField(max_length=2000, blank=True, default="")
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    received_count = models.PositiveIntegerField(default=1)
    members = models.JSONField(default=dict)
    firing = models.BooleanField(default=False)
    latest_occurrence_id = models.UUIDField(null=True)
    changed_by = models.UUIDField(null=True)
    flapping_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-first_seen_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "identity"], name="alert_series_unique"),
        ]
        indexes = [
            # with the name, so that a search passes over rows without reading them
            models.Index(fields=["-first_seen_at", "-id", "name"], name="alert_newest"),
            models.Index(
                fields=["flapping_since"],
                name="alert_flapping",
                condition=Q(flapping_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AlertOccurrence(models.Model):
    """One firing of an alert, from when it fired to when all its members had resolved.

    `delivery` is the one that opened it, and once it is over the one that closed it. Whoever
    ends one without a delivery calls `incidents.intake.closing.close`. `suppressed_by` is what its
    Alertmanager said quiets it: {"silences": [id], "alerts": [fingerprint], "intervals": [name]}.
    `maintenance` is the window that held it back, or marked its incident.
    """

    class EndedBy(models.TextChoices):
        SENDER = "sender", "its sender"
        RECONCILED = "reconciled", "its Alertmanager, which holds it no longer"

    id = models.UUIDField(primary_key=True, default=time_ordered, editable=False)
    # its index is `occurrence_of_alert`
    alert = models.ForeignKey(Alert, models.PROTECT, related_name="occurrences", db_index=False)
    incident = models.ForeignKey(
        Incident, models.PROTECT, null=True, blank=True, related_name="occurrences"
    )
    service = models.ForeignKey(Service, models.PROTECT, null=True, related_name="+")
    claimed_started_at = models.DateTimeField(help_text="The sender's startsAt, as claimed.")
    started_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(
        max_length=16,
        choices=EndedBy.choices,
        default=EndedBy.SENDER,
        db_default=EndedBy.SENDER,
        help_text="Who said so, once it is over.",
    )
    stale_since = models.DateTimeField(
        null=True, blank=True, help_text="When it should have been heard of again; not the end."
    )
    absent_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when its Alertmanagers list it no longer."
    )
    suppressed_since = models.DateTimeField(null=True, blank=True)
    suppressed_by = models.JSONField(null=True, blank=True)
    maintenance = models.ForeignKey(
        "incidents.MaintenanceWindow",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="occurrences",
    )
    delivery = models.ForeignKey(Delivery, models.SET_NULL, null=True, related_name="occurrences")
    fired = models.BooleanField(
        default=True, db_default=True, help_text="False while it was only ever reported as over."
    )
    waiting_key = models.CharField(
        max_length=300,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Its correlation key, while its rule waits for more alerts.",
    )
    joined_by = models.JSONField(
        null=True, editable=False, help_text="How it came to its incident: {rule, how, why}."
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
        indexes = [
            # with the service, or SQLite looks through all of a service's rows for each alert
            models.Index(fields=["alert", "service"], name="occurrence_of_alert"),
            models.Index(
                fields=["-started_at", "-id"],
                name="occurrence_firing",
                condition=Q(resolved_at=None),
            ),
            models.Index(
                fields=["waiting_key", "started_at"],
                name="occurrence_waiting",
                condition=Q(incident=None) & ~Q(waiting_key=""),
            ),
            models.Index(
                fields=["stale_since"],
                name="occurrence_stale",
                condition=Q(stale_since__isnull=False, resolved_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} since {self.started_at:%Y-%m-%d %H:%M:%S}"

    @property
    def quieted_words(self) -> str:
        """By what its Alertmanager keeps it quiet."""
        return in_words(self.suppressed_by or {})
