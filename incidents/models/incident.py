"""The incident."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from incidents import durations
from incidents.models.catalogue import PRODUCTION, Service


class Severity(models.TextChoices):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Status(models.TextChoices):
    OPEN = "open"
    INVESTIGATING = "investigating"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


def _in_order(column: str, ranks: Sequence[tuple[str, int]], other: int) -> models.Func:
    """The rank of the column's text, written out: values that are bound match no index."""
    cases = " ".join(f"WHEN '{text}' THEN {rank}" for text, rank in ranks)
    return models.Func(
        F(column),
        template=f"(CASE %(expressions)s {cases} ELSE {other} END)",
        output_field=models.SmallIntegerField(),
    )


RESOLVED_LAST = _in_order("status", [("resolved", 1)], 0)
BY_SEVERITY = _in_order(
    "severity", [(s, n) for n, s in enumerate(Severity.values)], len(Severity.values)
)


class IncidentQuerySet(models.QuerySet["Incident"]):
    def active(self) -> IncidentQuerySet:
        """Not resolved and not merged into another."""
        return self.exclude(status=Status.RESOLVED).filter(merged_into=None)

    def on_board(self) -> IncidentQuerySet:
        """What the board shows unasked, in its order; the index `incident_board`."""
        return self.in_board_order().filter(archived_at=None)

    def in_board_order(self) -> IncidentQuerySet:
        """Open first, then by severity, then newest; the archived too, never the merged."""
        return (
            self.filter(merged_into=None)
            .annotate(resolved_last=RESOLVED_LAST, severity_order=BY_SEVERITY)
            .order_by("resolved_last", "severity_order", "-started_at", "-id")
        )

    def for_stats(self) -> IncidentQuerySet:
        """Those whose durations count: resolved, not merged, and a failure that was real."""
        return self.filter(status=Status.RESOLVED, merged_into=None, closed_as="")

    def by_reference(self, reference: str) -> Incident:
        """The incident with this UUID or number ("INC-142", "142"); DoesNotExist if none."""
        try:
            return self.get(reference_query(reference))
        except ValueError as error:
            raise Incident.DoesNotExist(str(error)) from error


class Incident(models.Model):
    """One failure, from first signal to sealed record.

    `version` counts human edits (the ETag); `revision` counts page changes and orders live
    panels. `started_at` is the earliest credible claim, `detected_at` the first receipt,
    `acknowledged_at` the first human step. Status is written by `incidents.lifecycle` only.
    """

    class Source(models.TextChoices):
        MANUAL = "manual"
        API = "api"
        ALERT = "alert"
        LAB = "lab"
        HEARTBEAT = "heartbeat"
        BACKFILL = "backfill"

    class ClosedAs(models.TextChoices):
        DUPLICATE = "duplicate"
        FALSE_POSITIVE = "false_positive"
        DRILL = "drill"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(unique=True, editable=False)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True, default="")
    severity = models.CharField(max_length=16, choices=Severity.choices)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.OPEN)
    environment = models.CharField(max_length=63, default=PRODUCTION)
    source = models.CharField(max_length=16, choices=Source.choices, default=Source.MANUAL)
    services = models.ManyToManyField(Service, through="AffectedService", related_name="incidents")
    correlation_key = models.CharField(max_length=300, null=True, blank=True, editable=False)
    grouping_rule = models.ForeignKey(
        "incidents.GroupingRule",
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="incidents",
        help_text="Whose delays hold for it; none: the default rule's.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    started_at = models.DateTimeField()
    detected_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    mitigated_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    root_cause = models.TextField(blank=True, default="")
    resolution = models.TextField(blank=True, default="")
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged"
    )
    closed_as = models.CharField(max_length=16, choices=ClosedAs.choices, blank=True, default="")

    duplicate_of = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="duplicates",
        help_text="The incident it was closed as a duplicate of, where that could take nothing in.",
    )

    version = models.PositiveIntegerField(default=1)
    revision = models.PositiveBigIntegerField(default=1)

    # summaries, each written by the app that owns the fact
    analysis_status = models.CharField(max_length=16, blank=True, default="")
    top_cause = models.CharField(max_length=300, blank=True, default="")
    top_cause_service = models.CharField(max_length=100, blank=True, default="")
    top_cause_kind = models.CharField(max_length=64, blank=True, default="")
    top_cause_confidence = models.FloatField(null=True, blank=True)
    business_impact = models.JSONField(null=True, blank=True)

    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["-started_at"], name="incident_started"),
            models.Index(
                RESOLVED_LAST,
                BY_SEVERITY,
                F("started_at").desc(),
                F("id").desc(),
                name="incident_board",
                condition=Q(merged_into=None, archived_at=None),
            ),
            models.Index(
                fields=["status", "severity"],
                name="incident_open",
                condition=~Q(status="resolved"),
            ),
            models.Index(
                fields=["correlation_key", "-number"],
                name="incident_by_correlation_key",
                condition=Q(correlation_key__isnull=False),
            ),
            models.Index(
                fields=["environment", "top_cause_service", "top_cause_kind"],
                name="incident_open_by_cause",
                condition=~Q(status="resolved") & Q(merged_into=None),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["correlation_key"],
                condition=~Q(status="resolved") & Q(merged_into=None),
                name="incident_one_open_per_correlation_key",
            ),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="incident_status_known"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="incident_severity_known"
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None) | Q(resolved_at__gte=F("started_at")),
                name="incident_resolved_after_start",
            ),
            models.CheckConstraint(
                condition=Q(closed_as="") | Q(status="resolved") | Q(merged_into__isnull=False),
                name="incident_closed_is_over",
            ),
            models.CheckConstraint(
                condition=Q(duplicate_of=None) | Q(closed_as="duplicate"),
                name="incident_duplicate_of_is_closed_as_one",
            ),
            models.CheckConstraint(
                condition=Q(archived_at=None) | Q(status="resolved"),
                name="incident_archived_is_resolved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def get_absolute_url(self) -> str:
        return f"/incidents/{self.reference}"

    @property
    def reference(self) -> str:
        return f"INC-{self.number}"

    @property
    def is_resolved(self) -> bool:
        return self.status == Status.RESOLVED

    @property
    def ttd_seconds(self) -> float | None:
        """detected_at - started_at."""
        return durations.seconds(durations.durations(self).ttd)

    @property
    def mtta_seconds(self) -> float | None:
        """acknowledged_at - started_at; None while nobody has acknowledged."""
        return durations.seconds(durations.durations(self).mtta)

    @property
    def ttm_seconds(self) -> float | None:
        """mitigated_at - started_at; None while nothing stopped the harm."""
        return durations.seconds(durations.durations(self).ttm)

    @property
    def mttr_seconds(self) -> float | None:
        """resolved_at - started_at; None until resolved."""
        return durations.seconds(durations.durations(self).mttr)

    @property
    def age(self) -> timedelta:
        return (self.resolved_at or timezone.now()) - self.started_at


REFERENCE = re.compile(r"(?:INC-)?(\d{1,9})", re.IGNORECASE)


def reference_query(reference: str, field: str = "") -> Q:
    """Q for an incident named by UUID or number, through `field` when given.

    Raises ValueError for text that is neither.
    """
    prefix = f"{field}__" if field else ""
    if match := REFERENCE.fullmatch(reference):
        return Q(**{f"{prefix}number": int(match[1])})
    return Q(**{f"{prefix}pk": uuid.UUID(reference)})
