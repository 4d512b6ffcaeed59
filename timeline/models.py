"""What happened, in order: an append-only chain of events per incident, and its anchor."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.html import linebreaks
from django.utils.safestring import SafeString, mark_safe

from incidents.models import Incident
from timeline import notes
from timeline.images.models import NoteImage  # noqa: F401  (a room's model)
from timeline.postmortems.models import Postmortem  # noqa: F401  (a room's models)
from timeline.reporting.models import IncidentReport  # noqa: F401  (a room's model)


class Kind(models.TextChoices):
    INCIDENT_CREATED = "incident_created"
    CORRELATION_ANALYSIS_STARTED = "correlation_analysis_started"
    METRIC_SPIKE = "metric_spike"
    LOG_PATTERN = "log_pattern"
    TRACE = "trace"
    POD = "pod"
    CHANGE = "change"
    ROOT_CAUSE_IDENTIFIED = "root_cause_identified"
    CAUSE_REVIEWED = "cause_reviewed"
    CORRELATION_FAILED = "correlation_failed"
    SOURCE_UNAVAILABLE = "source_unavailable"
    SOURCE_RECOVERED = "source_recovered"
    CORRELATION_INCONCLUSIVE = "correlation_inconclusive"
    ALERT_FIRING = "alert_firing"
    ALERT_RESOLVED = "alert_resolved"
    ALERT_SUPPRESSED = "alert_suppressed"
    ALERT_STALE = "alert_stale"
    ALERT_FLAPPING = "alert_flapping"
    HEARTBEAT = "heartbeat"
    MAINTENANCE = "maintenance"
    SLO_BREACH = "slo_breach"
    SLO_RECOVERED = "slo_recovered"
    IMPACT = "impact"
    STATUS_CHANGED = "status_changed"
    SEVERITY_CHANGED = "severity_changed"
    EDITED = "edited"
    MITIGATION_APPLIED = "mitigation_applied"
    INCIDENT_RESOLVED = "incident_resolved"
    REOPENED = "reopened"
    MERGED = "merged"
    ABSORBED = "absorbed"
    UNMERGED = "unmerged"
    RELEASED = "released"
    MERGE_PROPOSAL = "merge_proposal"
    TASK = "task"
    ROLE_CHANGED = "role_changed"
    TIME_CORRECTED = "time_corrected"
    NOTIFICATION_SENT = "notification_sent"
    NOTIFICATION_FAILED = "notification_failed"
    POSTMORTEM = "postmortem"
    NOTE = "note"
    ATTACHMENT = "attachment"
    LINK = "link"
    CORRECTION = "correction"


SEALING = (Kind.INCIDENT_RESOLVED, Kind.MERGED)  # a chain that ends in one of these is sealed
UNSEALING = (Kind.REOPENED, Kind.UNMERGED)  # and only one of these may follow
TITLE_LENGTH = 300
WRITTEN_BY_PEOPLE = "user"  # source of what a person wrote or did


class Severity(models.TextChoices):
    INFO = "info"
    WARNING = "warning"
    HIGH = "high"
    CRITICAL = "critical"


class TimelineEvent(models.Model):
    """One event, never changed. Written by `timeline.record` only; triggers refuse the rest.

    `canonical` is the text that was hashed, `digest` = SHA-256 of the digest before (`previous`,
    empty for the first) and that text.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, models.PROTECT, related_name="timeline")
    seq = models.PositiveIntegerField(help_text="1 for the incident's first event.")
    kind = models.CharField(max_length=40, choices=Kind.choices)
    severity = models.CharField(max_length=16, choices=Severity.choices, default=Severity.INFO)
    source = models.CharField(max_length=100, default="system")
    title = models.CharField(max_length=TITLE_LENGTH)
    body = models.TextField(blank=True, default="")
    data = models.JSONField(default=dict, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)
    corrects = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="corrections"
    )
    canonical = models.TextField()
    previous = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["incident", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "seq"], name="timeline_event_seq_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.seq}. {self.title}"

    def entry(self) -> dict[str, Any]:
        """What the canonical text says."""
        return {
            "id": self.id,
            "incident": self.incident_id,
            "seq": self.seq,
            "kind": self.kind,
            "severity": self.severity,
            "source": self.source,
            "title": self.title,
            "body": self.body,
            "data": self.data,
            "actor": self.actor_id,
            "occurred_at": self.occurred_at,
            "recorded_at": self.recorded_at,
            "corrects": self.corrects_id,
        }

    @property
    def body_html(self) -> SafeString:
        """People's text as sanitised Markdown; machines' as it stands (log templates have *)."""
        if self.actor_id is not None:
            return notes.render(self.body)
        return mark_safe(linebreaks(self.body, autoescape=True))  # noqa: S308  (escaped)


class TimelineAnchor(models.Model):
    """How long the chain is and where it ends: shows a deleted tail, which a chain cannot.

    `sealed_at` and `root_digest` (the head at that moment) are set while the timeline is sealed.
    """

    incident = models.OneToOneField(
        Incident, models.PROTECT, primary_key=True, related_name="timeline_anchor"
    )
    length = models.PositiveIntegerField(default=0)
    head = models.CharField(max_length=64, blank=True, default="")
    sealed_at = models.DateTimeField(null=True, blank=True)
    root_digest = models.CharField(max_length=64, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.length} events, {'sealed' if self.sealed_at else 'open'}"


class PinnedEvent(models.Model):
    """Somebody's mark that an event matters: a row of its own, no part of the chain."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(TimelineEvent, models.PROTECT, related_name="pins")
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    unpinned_at = models.DateTimeField(null=True)
    unpinned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["event"],
                condition=models.Q(unpinned_at=None),
                name="timeline_event_pinned_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} pinned"
