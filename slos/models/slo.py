"""A service level objective, and how it stands."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

from correlation.models import DataSource
from incidents.models import Service
from slos import stored
from slos.burn import Quality, Status
from slos.definition import Definition, Wrong


class SLO(models.Model):
    """What counts as good for a service, and how much of it must be.

    `indicator` and `policies` are JSON forms of `slos.definition`'s (see `slos.stored`). The
    columns from `status` on are written by `slos.evaluating` alone and summarise its rows.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(
        max_length=63,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z",
                "Use at most 63 lower-case letters, digits and dashes.",
            )
        ],
    )
    display_name = models.CharField(max_length=200, blank=True, default="")
    description = models.TextField(blank=True, default="", max_length=1050)
    service = models.ForeignKey(Service, models.PROTECT, related_name="slos")
    data_source = models.ForeignKey(
        DataSource,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="slos",
        limit_choices_to={"kind": DataSource.Kind.PROMETHEUS},
        help_text="Empty: the Prometheus asked by default in the service's environment.",
    )
    indicator = models.JSONField()
    target = models.FloatField(
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="The share of events that must be good: 0.999.",
    )
    period = models.CharField(max_length=8, default="30d", help_text="28d, or 1M by calendar.")
    rolling = models.BooleanField(default=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    anchor = models.CharField(
        max_length=19,
        blank=True,
        default="",
        help_text="Local start of a calendar period, such as 2026-01-15 06:00:00; mostly empty.",
    )
    least_events = models.FloatField(
        default=1.0, help_text="Fewer events in a policy's long window never fire it."
    )
    policies = models.JSONField(default=list, blank=True)
    labels = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    status = models.CharField(
        max_length=16,
        choices=[(status.value, status.value) for status in Status],
        default=Status.NO_DATA.value,
        editable=False,
    )
    status_since = models.DateTimeField(null=True, editable=False)
    quality = models.CharField(
        max_length=16,
        choices=[(quality.value, quality.value) for quality in Quality],
        default=Quality.NO_DATA.value,
        editable=False,
    )
    sli = models.FloatField(null=True, editable=False, help_text="Of the period so far.")
    budget_remaining = models.FloatField(null=True, editable=False, help_text="Signed.")
    burn_rates = models.JSONField(default=dict, editable=False, help_text="By window: 5m.")
    judgements = models.JSONField(default=list, editable=False, help_text="A policy each.")
    covered_seconds = models.FloatField(
        default=0.0, editable=False, help_text="How much of the period has samples."
    )
    evaluated_at = models.DateTimeField(null=True, editable=False)
    error = models.TextField(blank=True, default="", editable=False)
    failed_at = models.DateTimeField(null=True, editable=False)

    COMPUTED = (
        "status",
        "status_since",
        "quality",
        "sli",
        "budget_remaining",
        "burn_rates",
        "judgements",
        "covered_seconds",
        "evaluated_at",
        "error",
        "failed_at",
    )
    """The columns that `slos.evaluating` writes."""

    class Meta:
        ordering = ["name"]
        verbose_name = "SLO"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(target__gt=0.0, target__lt=1.0), name="slo_target_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.name

    def get_absolute_url(self) -> str:
        return f"/slos/{self.name}"

    def definition(self) -> Definition:
        """Raises Wrong where the columns hold what is no SLO."""
        return stored.definition(self)

    def clean(self) -> None:
        """Raises ValidationError by field for what cannot be an SLO."""
        if self.service_id is None:
            return  # the field itself says so
        try:
            self.definition().check()
        except Wrong as wrong:
            name = wrong.field.partition(".")[0]
            known = {field.name for field in self._meta.get_fields()}
            raise ValidationError({name if name in known else "__all__": str(wrong)}) from None

    @property
    def is_undecided(self) -> bool:
        """Whether too little of its period is known to say that the budget is spent; a policy may
        fire all the same."""
        remaining = self.budget_remaining
        if remaining is None or self.status == Status.EXHAUSTED:
            return False
        return self.status == Status.NO_DATA or remaining <= 0

    @property
    def is_overspent(self) -> bool:
        return (
            self.budget_remaining is not None
            and self.budget_remaining <= 0
            and not self.is_undecided
        )

    def firing(self) -> list[dict[str, Any]]:
        return [judgement for judgement in self.judgements if judgement["firing"]]
