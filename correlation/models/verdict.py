"""What responders said of a cause, in the order they said it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from correlation.models.analysis import RootCause
from incidents.models import Incident


class CauseVerdict(models.Model):
    """One verdict on a hypothesis (service and kind) of an incident; never changed, only followed.

    The newest row of a service and kind holds, whichever run it was given on. `cause` is the
    ranked cause it was given on, None where responders named one that was not ranked; `kind` is
    then "" unless they knew it. `after_sealing` rows are not on the timeline.
    """

    class Verdict(models.TextChoices):
        CONFIRMED = "confirmed"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, models.PROTECT, related_name="verdicts")
    cause = models.ForeignKey(RootCause, models.PROTECT, null=True, related_name="verdicts")
    service = models.CharField(max_length=100)
    kind = models.CharField(max_length=64, blank=True)
    title = models.CharField(max_length=500)
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    reason = models.TextField(blank=True, default="")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    after_sealing = models.BooleanField(default=False)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["incident", "-at"], name="verdict_newest"),
            models.Index(
                fields=["-at"], name="verdict_confirmed", condition=Q(verdict="confirmed")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict}: {self.title}"

    @property
    def identity(self) -> tuple[str, str]:
        return (self.service, self.kind)
