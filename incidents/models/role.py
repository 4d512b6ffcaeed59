"""Who does what in an incident."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from incidents.models.incident import Incident


class IncidentRole(models.Model):
    """One person in one role, from `assigned_at` until `ended_at`; at most one commands at a time.

    Written by `incidents.people.roles` only.
    """

    class Role(models.TextChoices):
        COMMANDER = "commander"
        SCRIBE = "scribe"
        RESPONDER = "responder"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, models.PROTECT, related_name="roles")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="incident_roles"
    )
    role = models.CharField(max_length=16, choices=Role.choices)
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    assigned_at = models.DateTimeField(default=timezone.now)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["assigned_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident"],
                condition=Q(role="commander", ended_at=None),
                name="incident_one_commander",
            ),
            models.UniqueConstraint(
                fields=["incident", "user", "role"],
                condition=Q(ended_at=None),
                name="incident_role_held_once",
            ),
            models.CheckConstraint(
                condition=Q(role__in=["commander", "scribe", "responder"]),
                name="incident_role_known",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("assigned_at")),
                name="incident_role_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.user_id}"
