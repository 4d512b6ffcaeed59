"""What was counted, and how an SLO stood."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from slos.models.slo import SLO


class SLOSample(models.Model):
    """Good and total events of the `seconds` before `at`: five minutes, or an hour of them.

    Written by `slos.evaluating.samples` only. `present` is the share of the scrapes that were
    there; `consistent` is False where more were good than there were; `excluded` by a
    correction. Hours sum up their five-minute rows and leave out excluded ones.
    """

    id = models.BigAutoField(primary_key=True)
    slo = models.ForeignKey(SLO, models.CASCADE, related_name="samples")
    at = models.DateTimeField()
    seconds = models.PositiveIntegerField()
    good = models.FloatField()
    total = models.FloatField()
    present = models.FloatField()
    counted_seconds = models.PositiveIntegerField(help_text="Not excluded by corrections.")
    consistent = models.BooleanField(default=True)
    excluded = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slo", "seconds", "at"], name="slo_sample_once"),
        ]
        indexes = [models.Index(fields=["seconds", "at"], name="slo_sample_by_time")]

    def __str__(self) -> str:
        return f"{self.slo_id} {self.at:%Y-%m-%d %H:%M} {self.good:g}/{self.total:g}"


class SLOSnapshot(models.Model):
    """How an SLO stood at a moment; thinned out with age by `slos.evaluating.pruning`."""

    id = models.BigAutoField(primary_key=True)
    slo = models.ForeignKey(SLO, models.CASCADE, related_name="snapshots")
    at = models.DateTimeField()
    status = models.CharField(max_length=16)
    quality = models.CharField(max_length=16)
    sli = models.FloatField(null=True)
    budget_remaining = models.FloatField(null=True)
    burn_rates = models.JSONField(default=dict)
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["slo", "at"], name="slo_snapshot_once"),
            models.CheckConstraint(
                condition=~Q(status="") & ~Q(quality=""), name="slo_snapshot_says_how"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slo_id} {self.at:%Y-%m-%d %H:%M} {self.status}"
