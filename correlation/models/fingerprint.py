"""What an incident looked like, part by part, so that others like it are found by an index."""

from __future__ import annotations

from django.db import models

from correlation.models.analysis import Analysis
from incidents.models import Incident


class FingerprintPart(models.Model):
    """One part of an incident's fingerprint, from its latest finished run (fingerprint.Part)."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="fingerprint")
    analysis = models.ForeignKey(Analysis, models.CASCADE, related_name="+")
    token = models.CharField(max_length=200)
    words = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "token"], name="fingerprint_part_once"),
        ]
        indexes = [
            models.Index(fields=["token", "incident"], name="fingerprint_by_token"),
        ]

    def __str__(self) -> str:
        return self.words
