"""What of an SLO was broken, from when to when."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q

from incidents.models import Incident
from slos.models.slo import SLO


class SLOBreach(models.Model):
    """A burn policy of an SLO that fires, its budget overspent, or its objective missed over the
    time of an incident: open while it goes on.

    The first two are written by `slos.breaches.following` in the transaction of the evaluation
    that saw them, the last by `slos.breaches.objectives`. `policy` is "1h/5m", the windows of the
    policy, BUDGET, or OBJECTIVE and the incident's reference. `peak_burn_rate` is the highest of
    the long window (of the budget: of the period); `incident` the one it belongs to, as far as
    known.
    """

    BUDGET = "budget"
    OBJECTIVE = "objective"

    class Severity(models.TextChoices):
        PAGE = "page"
        TICKET = "ticket"
        BUDGET = "budget"
        OBJECTIVE = "objective"

    class EndedBy(models.TextChoices):
        RECOVERY = "recovery", "it is within its limit again"
        EDIT = "edit", "the SLO was edited or disabled"
        RESOLUTION = "resolution", "its incident was resolved"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slo = models.ForeignKey(SLO, models.CASCADE, related_name="breaches")
    incident = models.ForeignKey(
        Incident, models.PROTECT, null=True, blank=True, related_name="slo_breaches"
    )
    policy = models.CharField(max_length=32)
    severity = models.CharField(max_length=16, choices=Severity.choices)
    factor = models.FloatField(help_text="The burn rate that was exceeded; of the budget: 1.")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=16, choices=EndedBy.choices, blank=True, default="")
    burn_rate = models.FloatField(null=True, help_text="As it was last known.")
    peak_burn_rate = models.FloatField(null=True)
    told_at = models.DateTimeField(
        null=True, editable=False, help_text="When its incident's timeline was told of it."
    )
    end_told_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-started_at", "-id"]
        verbose_name = "SLO breach"
        verbose_name_plural = "SLO breaches"
        constraints = [
            models.UniqueConstraint(
                fields=["slo", "policy"], condition=Q(ended_at=None), name="slo_breach_open_once"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                name="slo_breach_ends_after_its_start",
            ),
        ]
        indexes = [
            models.Index(fields=["slo", "-started_at"], name="slo_breach_of_slo"),
            models.Index(
                fields=["started_at"], name="slo_breach_going_on", condition=Q(ended_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slo_id} {self.policy} since {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def what(self) -> str:
        """In words: "burns too fast (1h/5m)", "budget spent" or "objective missed"."""
        if self.severity in (self.Severity.BUDGET, self.Severity.OBJECTIVE):
            return "budget spent" if self.severity == self.Severity.BUDGET else "objective missed"
        return f"burns too fast ({self.policy})"
