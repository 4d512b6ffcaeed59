"""Incidents that turned out to be one."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from incidents.models.incident import Incident


class IncidentMerge(models.Model):
    """`source` was merged into `target`; `moved` lists what an un-merge gives back.

    `similarity` and its parts are what was known when it was merged.
    `incidents.merges.merging` says what `moved` holds.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(Incident, models.PROTECT, related_name="merges_out")
    target = models.ForeignKey(Incident, models.PROTECT, related_name="merges_in")
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    automatic = models.BooleanField(default=False)
    reason = models.TextField(blank=True, default="")
    similarity = models.FloatField(null=True)
    similarity_parts = models.JSONField(default=dict)
    moved = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    undone_reason = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=Q(undone_at=None), name="merge_once_at_a_time"
            ),
            models.CheckConstraint(condition=~Q(source=F("target")), name="merge_not_into_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} -> {self.target_id}"
