"""One run of the analysis, the evidence it found and the causes it ranked."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from incidents.models import Incident


class AnalysisQuerySet(models.QuerySet["Analysis"]):
    def leased(self, now: datetime) -> AnalysisQuerySet:
        """Running under a lease that has not run out."""
        return self.filter(status=Analysis.Status.RUNNING, lease_until__gt=now)

    def lost(self, now: datetime) -> AnalysisQuerySet:
        """Running by their row, but their worker has stopped renewing the lease."""
        return self.filter(status=Analysis.Status.RUNNING, lease_until__lte=now)

    def finished(self) -> AnalysisQuerySet:
        return self.filter(status__in=(Analysis.Status.DONE, Analysis.Status.INCONCLUSIVE))

    def stood(self) -> AnalysisQuerySet:
        """Finished and shown from then on: not superseded by a run that was there before."""
        return self.finished().exclude(superseded_by__finished_at__lt=F("finished_at"))


class Analysis(models.Model):
    """One run: outbox entry, lease, progress indicator and error record in one row.

    `attempt` fences it: a worker whose lease ran out cannot finish what another has claimed.
    `sources` holds each source's status as the API shows it.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        INCONCLUSIVE = "inconclusive"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, models.PROTECT, related_name="analyses")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    reason = models.CharField(max_length=64, default="opened")
    attempt = models.PositiveSmallIntegerField(default=0)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")
    sources = models.JSONField(default=dict)
    missing = models.JSONField(default=list)
    rules_skipped = models.JSONField(
        default=list, help_text="Stored rules that could not be used: {name, problem}."
    )
    checks = models.JSONField(
        default=list, help_text="What to look at next while no cause stands out."
    )
    sureness = models.JSONField(
        default=dict, help_text="What the first cause's confidence means, and what holds it back."
    )
    superseded_by = models.ForeignKey("self", models.SET_NULL, null=True, related_name="supersedes")

    objects = AnalysisQuerySet.as_manager()

    class Meta:
        ordering = ["-queued_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident"],
                condition=Q(status="queued"),
                name="analysis_one_queued_per_incident",
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "-queued_at"], name="analysis_newest"),
            models.Index(fields=["-finished_at"], name="analysis_last_finished"),
            models.Index(
                fields=["status", "lease_until"],
                name="analysis_unfinished",
                condition=Q(status__in=("queued", "running")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.status} ({self.reason})"

    def forget_after(self, at: datetime) -> None:
        """Make this copy of the row what it was at `at`; it is not to be saved."""
        if self.superseded_by is not None and (self.superseded_by.finished_at or at) > at:
            self.superseded_by = None
        if self.finished_at is None or self.finished_at <= at:
            return
        claimed = self.started_at is not None and self.started_at <= at
        self.status = self.Status.RUNNING if claimed else self.Status.QUEUED
        self.finished_at, self.error, self.sources, self.missing = None, "", {}, []

    @property
    def is_active(self) -> bool:
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)

    @property
    def duration(self) -> timedelta | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


class Correlation(models.Model):
    """One signal that changed with the incident. Its id is uuid5(analysis, signal key)."""

    class Type(models.TextChoices):
        METRIC = "metric"
        LOG = "log"
        TRACE = "trace"
        KUBERNETES = "kubernetes"
        CHANGE = "change"

    id = models.UUIDField(primary_key=True, editable=False)
    analysis = models.ForeignKey(Analysis, models.CASCADE, related_name="correlations")
    key = models.CharField(max_length=500, help_text="The signal's identity across analyses.")
    rank = models.PositiveIntegerField()
    type = models.CharField(max_length=16, choices=Type.choices)
    source = models.CharField(max_length=63, blank=True)
    service = models.CharField(max_length=100)
    peer = models.CharField(max_length=100, blank=True)
    signal = models.CharField(max_length=200)
    title = models.CharField(max_length=500)
    unit = models.CharField(max_length=16, blank=True)
    direction = models.CharField(max_length=8, default="up")
    confidence_score = models.FloatField()
    onset_at = models.DateTimeField(null=True)
    baseline = models.FloatField(null=True)
    value = models.FloatField(null=True)
    query = models.TextField(blank=True)
    links = models.JSONField(default=list)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["rank"]

    def __str__(self) -> str:
        return self.title


class RootCause(models.Model):
    """A ranked hypothesis of one analysis, with a calibrated probability."""

    class Verdict(models.TextChoices):
        CONFIRMED = "confirmed"
        REJECTED = "rejected"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    analysis = models.ForeignKey(Analysis, models.CASCADE, related_name="root_causes")
    rank = models.PositiveSmallIntegerField()
    service = models.CharField(max_length=100)
    kind = models.CharField(max_length=64)
    rule = models.CharField(
        max_length=63, blank=True, default="", help_text="The rule that named the kind."
    )
    title = models.CharField(max_length=500)
    explanation = models.TextField(blank=True)
    reasoning = models.JSONField(
        default=dict, help_text="The explanation in parts; empty for runs that kept none."
    )
    confidence = models.FloatField()
    change = models.CharField(max_length=100, blank=True)
    supporting = models.JSONField(default=list)
    contradicting = models.JSONField(default=list)
    verdict = models.CharField(max_length=16, choices=Verdict.choices, blank=True, default="")

    class Meta:
        ordering = ["rank"]
        constraints = [
            models.UniqueConstraint(fields=["analysis", "rank"], name="root_cause_one_per_rank"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def band(self) -> str:
        return confidence_band(self.confidence)


def confidence_band(confidence: float) -> str:
    """The word shown with a confidence: high >= 0.90, medium >= 0.60, low below."""
    if confidence >= 0.90:
        return "high"
    return "medium" if confidence >= 0.60 else "low"
