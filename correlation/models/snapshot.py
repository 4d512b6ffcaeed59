"""What an analysis ranked, kept so that it can be ranked again when the telemetry has expired."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from correlation.models.analysis import Analysis


class SnapshotQuerySet(models.QuerySet["EvidenceSnapshot"]):
    def described(self) -> SnapshotQuerySet:
        """Without the megabytes, for lists."""
        return self.defer("telemetry", "ranking", "context")


class EvidenceSnapshot(models.Model):
    """The telemetry of one finished run, its answer, and the rules and calibration in force.

    `telemetry` is telemetry_codec's, `ranking` (ranking_text's) and `context` ({"rules",
    "calibration"}) are JSON under zlib. Where they are null, `state` and `note` say why; the
    digests stay. `left_out` names what was cut because the answer did not depend on it.
    """

    class State(models.TextChoices):
        STORED = "stored"
        TOO_LARGE = "too_large"
        FAILED = "failed"
        EXPIRED = "expired"

    analysis = models.OneToOneField(
        Analysis, models.CASCADE, primary_key=True, related_name="snapshot"
    )
    state = models.CharField(max_length=16, choices=State.choices)
    note = models.CharField(max_length=500, blank=True, default="")
    telemetry = models.BinaryField(null=True)
    ranking = models.BinaryField(null=True)
    context = models.BinaryField(null=True)
    left_out = models.JSONField(default=list)
    size_bytes = models.PositiveIntegerField(default=0, help_text="As stored, or as it would be.")
    ranking_digest = models.CharField(max_length=64, blank=True, default="")
    rules_digest = models.CharField(max_length=64, blank=True, default="")
    calibration_version = models.CharField(max_length=100, blank=True, default="")
    engine = models.JSONField(default=dict, help_text="release, code, numpy, python")
    stored_at = models.DateTimeField(default=timezone.now)

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        ordering = ["-stored_at"]
        indexes = [
            models.Index(fields=["state", "stored_at"], name="snapshot_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.analysis_id} {self.state} ({self.size_bytes} bytes)"

    @property
    def is_replayable(self) -> bool:
        return self.state == self.State.STORED
