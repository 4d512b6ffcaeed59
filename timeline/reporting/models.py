"""The report of an incident: a row that waits to be written, and then keeps what it says."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from incidents.models import Incident


class ReportQuerySet(models.QuerySet["IncidentReport"]):
    def unfinished(self) -> ReportQuerySet:
        return self.filter(state__in=(IncidentReport.State.WAITING, IncidentReport.State.WRITING))

    def lost(self, now: datetime) -> ReportQuerySet:
        """Being written by their row, but the lease of who wrote them has run out."""
        return self.filter(state=IncidentReport.State.WRITING, lease_until__lte=now)


class IncidentReport(models.Model):
    """One version of an incident's report: outbox entry, lease, error record and the text itself.

    Versions count from 1; each resolution makes one, the earlier ones are kept. `data` is
    {"incident", "sections": [{"name", "title", "data", "markdown"}], ...} as
    `timeline.reporting.composing` makes it, `markdown` the whole as one file and `digest` the
    SHA-256 (hex) of that file. `root_digest` is the sealed timeline's, which it was written from.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        WRITING = "writing"
        DONE = "done"
        FAILED = "failed"
        DROPPED = "dropped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, models.PROTECT, related_name="reports")
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    attempt = models.PositiveSmallIntegerField(default=0)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    queued_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    generated_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")
    sealed_at = models.DateTimeField(null=True)
    root_digest = models.CharField(max_length=64, blank=True, default="")
    data = models.JSONField(default=dict)
    markdown = models.TextField(blank=True, default="")
    digest = models.CharField(max_length=64, blank=True, default="")

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ["incident", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "version"], name="incident_report_version_unique"
            ),
            models.UniqueConstraint(
                fields=["incident"],
                condition=Q(state__in=("waiting", "writing")),
                name="incident_report_one_unfinished",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="incident_report_unfinished",
                condition=Q(state__in=("waiting", "writing")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} version {self.version} {self.state}"

    @property
    def is_unfinished(self) -> bool:
        return self.state in (self.State.WAITING, self.State.WRITING)
