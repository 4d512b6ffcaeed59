"""What an incident costs, as it was last computed, and the wish to compute it anew."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from incidents.models import Incident


class IncidentImpact(models.Model):
    """The impact of one incident: its figures with their formulas, inputs and sources.

    Wish and result in one row: `wanted_at` is set by whoever wants it computed, and cleared by
    the computation that begins after it, which holds `lease_until`.
    `figures` and `services` are JSON forms of `slos.impacts`; once `frozen_at` is set neither
    changes until the incident is reopened. `counted` keeps what was asked of sources:
    {"at", "slos": {SLO id: {"during", "before"}}}, [good, total, present] each.
    """

    incident = models.OneToOneField(
        Incident, models.PROTECT, primary_key=True, related_name="impact"
    )
    wanted_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    computed_at = models.DateTimeField(null=True, blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    figures = models.JSONField(default=dict, blank=True)
    services = models.JSONField(default=list, blank=True)
    upstream = models.JSONField(default=list, blank=True)
    counted = models.JSONField(default=dict, blank=True)
    told = models.JSONField(default=dict, blank=True, help_text="What the timeline was told last.")
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "impact of an incident"
        verbose_name_plural = "impacts of incidents"
        indexes = [
            models.Index(
                fields=["wanted_at"],
                name="impact_wanted",
                condition=Q(wanted_at__isnull=False, frozen_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {'frozen' if self.frozen_at else 'live'}"
