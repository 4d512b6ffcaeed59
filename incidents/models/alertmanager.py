"""The Alertmanagers behind a source, read now and then for what a webhook cannot report."""

from __future__ import annotations

import uuid

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from incidents.models.alert import AlertSource
from incidents.outbound.columns import Authorized, LatestAnswers, OverTls
from incidents.outbound.fields import http_errors


class Alertmanager(Authorized, OverTls, LatestAnswers):
    """One address of `/api/v2`. Secrets are named (a variable, a file), never stored.

    The rows of a source are together all that send to it: what none of them lists is over.
    What stands below `created_at`, and LatestAnswers, `incidents.upkeep.reconcile` writes alone.
    """

    class Origin(models.TextChoices):
        ENVIRONMENT = "environment"
        USER = "user"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(AlertSource, models.CASCADE, related_name="alertmanagers")
    # not URLField: it refuses host names without a dot, such as http://alertmanager:9093
    url = models.CharField(
        max_length=500, help_text="Base address, path prefix included, without /api/v2."
    )
    enabled = models.BooleanField(default=True)
    origin = models.CharField(
        max_length=16, choices=Origin.choices, default=Origin.USER, editable=False
    )
    receiver = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="The receiver there that posts to us; empty: the one its last delivery named.",
    )
    timeout_seconds = models.FloatField(
        default=5.0, validators=[MinValueValidator(0.1), MaxValueValidator(60.0)]
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    note = models.TextField(
        blank=True,
        default="",
        editable=False,
        help_text="Why what it does not list was not closed at the last reading.",
    )
    firing = models.PositiveIntegerField(null=True, editable=False, help_text="Alerts it listed.")
    version = models.CharField(max_length=100, blank=True, default="", editable=False)
    up_since = models.DateTimeField(null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "url"], name="alertmanager_address_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.url}"

    def clean(self) -> None:
        """Raises ValidationError by field for what could never be asked."""
        if errors := http_errors(self.url, self.auth_variable, self.auth_file):
            raise ValidationError(errors)

    ENVIRONMENT_OWNS = ("source", "url", "receiver", "auth_variable", "auth_file", "ca_file")
    """Fields of a row of origin `environment` that follow its variables."""

    @property
    def follows_environment(self) -> bool:
        return self.origin == self.Origin.ENVIRONMENT

    @property
    def state(self) -> str:
        """disabled, never_read, ok or failing."""
        if not self.enabled:
            return "disabled"
        if self.failures:
            return "failing"
        return "ok" if self.last_success_at else "never_read"

    @property
    def state_words(self) -> str:
        return {"never_read": "never read", "ok": "answers"}.get(self.state, self.state)
