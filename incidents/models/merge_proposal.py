"""Incidents that may be one, and those that are not."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from incidents.models.incident import Incident


class MergeProposal(models.Model):
    """Two incidents that may be one, `older` opened before `newer`; one row a pair.

    A dismissed pair is not proposed again and never merged automatically.
    """

    class State(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        DISMISSED = "dismissed"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    older = models.ForeignKey(Incident, models.PROTECT, related_name="proposals_newer")
    newer = models.ForeignKey(Incident, models.PROTECT, related_name="proposals_older")
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    reason = models.TextField(blank=True, default="", help_text="Why they may be one, or are not.")
    score = models.FloatField()
    parts = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["-created_at", "-id"], name="merge_proposal_newest")]
        constraints = [
            models.UniqueConstraint(fields=["older", "newer"], name="merge_proposal_once_a_pair"),
            models.CheckConstraint(
                condition=~Q(older=F("newer")), name="merge_proposal_of_two_incidents"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.older_id} = {self.newer_id}? {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN
