"""How alerts are read: which service they are about, and how severe they are."""

from __future__ import annotations

import uuid

from django.db import models

from incidents.models.incident import Severity


class AlertReading(models.Model):
    """The service map and the severity map, of one source or of the whole installation.

    A source's steps and labels are tried before the installation's, and its values go before
    the installation's. Without a row of the installation what is shipped holds
    (`intake.reading.SHIPPED`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scope = models.CharField(
        max_length=63, unique=True, blank=True, help_text="Slug of a source; empty: every source."
    )
    service_steps = models.JSONField(
        default=list,
        blank=True,
        help_text='Tried in order: ["service", "namespace/deployment", "pod ~ (.+)-\\\\d+"].',
    )
    service_names = models.JSONField(
        default=dict, blank=True, help_text="What alerts call a service: its slug here."
    )
    severity_labels = models.JSONField(
        default=list, blank=True, help_text="The first that the alert carries counts."
    )
    severity_values = models.JSONField(
        default=dict, blank=True, help_text="Value, lower case: critical, high, medium or low."
    )
    severity_default = models.CharField(
        max_length=16,
        choices=Severity.choices,
        blank=True,
        default="",
        help_text="Of no value, or of one that is not in the map.",
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["scope"]

    def __str__(self) -> str:
        return self.scope or "installation"
