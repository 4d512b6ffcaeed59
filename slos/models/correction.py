"""Periods that do not count."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from slos.models.slo import SLO

FIRST_YEAR, LAST_YEAR = 1971, 2999


class SLOCorrection(models.Model):
    """Events between `starts_at` and `ends_at` are left out of the budget, for `reason`.

    Whole five-minute rows are left out: those that the span touches. A withdrawn correction
    stays on the record.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slo = models.ForeignKey(SLO, models.CASCADE, related_name="corrections")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.TextField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )
    withdrawn_reason = models.TextField(blank=True, default="", editable=False)

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="slo_correction_has_a_length",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slo} {self.starts_at:%Y-%m-%d %H:%M} to {self.ends_at:%Y-%m-%d %H:%M}"

    def clean(self) -> None:
        for name in ("starts_at", "ends_at"):
            at = getattr(self, name)
            if at and not FIRST_YEAR <= at.year <= LAST_YEAR:
                raise ValidationError({name: f"A time from {FIRST_YEAR} to {LAST_YEAR}."})
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "It ends after it starts."})
        if not self.reason.strip():
            raise ValidationError({"reason": "Say why these events do not count."})
