"""Which services an incident touches, and how."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from incidents.models.catalogue import Service
from incidents.models.incident import Incident


class Impact(models.TextChoices):
    """How an incident touches a service."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    TERTIARY = "tertiary"


class AffectedService(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, models.PROTECT, related_name="affected")
    service = models.ForeignKey(Service, models.PROTECT, related_name="affected_by")
    impact = models.CharField(max_length=16, choices=Impact.choices, default=Impact.PRIMARY)
    added_at = models.DateTimeField(default=timezone.now)
    recovered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["impact", "service__slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "service"], name="affected_service_once_per_incident"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.service_id} {self.impact}"
