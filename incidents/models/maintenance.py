"""Planned work: its alerts are held back, or their incidents marked."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import validate_time_zone
from incidents.models.catalogue import Service
from incidents.models.label_matchers import validate_matchers
from incidents.upkeep.spans import LONGEST_WEEKLY, Span, Times, next_span, over_at, span_at


class MaintenanceQuerySet(models.QuerySet["MaintenanceWindow"]):
    def candidates(self, at: datetime) -> MaintenanceQuerySet:
        """Begun and not over for good at `at`; a weekly one may be between two occasions."""
        return self.filter(starts_at__lte=at).filter(Q(over_at=None) | Q(over_at__gt=at))

    def current(self, at: datetime) -> list[MaintenanceWindow]:
        """Those that hold at `at`, the one that ends last first."""
        found = [(w.span_at(at), w) for w in self.candidates(at)]
        held = [(span, window) for span, window in found if span is not None]
        return [w for _span, w in sorted(held, key=lambda pair: (-pair[0].end, str(pair[1].pk)))]


class MaintenanceWindow(models.Model):
    """When, and which alerts: those of `environment` that all `matchers` fit and, where services
    are named, that are of one of them.

    `over_at` is the moment after which it never holds again; null for a weekly one without end.
    """

    class Mode(models.TextChoices):
        SUPPRESS = "suppress", "hold alerts back"
        ANNOTATE = "annotate", "mark incidents"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    mode = models.CharField(max_length=16, choices=Mode.choices, default=Mode.SUPPRESS)
    environment = models.CharField(
        max_length=63, blank=True, default="", help_text="Empty: every environment."
    )
    services = models.ManyToManyField(Service, blank=True, related_name="maintenance_windows")
    matchers = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_matchers],
        help_text='Label matchers, such as ["cluster=eu-1"]; all must hold.',
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="Of a weekly one: when the first occasion ends.")
    weekly = models.BooleanField(default=False)
    repeats_until = models.DateTimeField(
        null=True, blank=True, help_text="No occasion begins later; empty: for ever."
    )
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text="Whose clock a weekly one keeps to when summer time begins and ends.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    cancelled_at = models.DateTimeField(null=True, editable=False)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    over_at = models.DateTimeField(null=True, editable=False)

    objects = MaintenanceQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="maintenance_ends_after_it_starts"
            ),
        ]
        indexes = [
            models.Index(fields=["-starts_at", "-id"], name="maintenance_newest"),
            models.Index(fields=["over_at"], name="maintenance_over"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.over_at = self.last_ends_at
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, "over_at"}
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Raises ValidationError by field for times that make no window."""
        if self.starts_at and self.ends_at:
            if self.ends_at <= self.starts_at:
                raise ValidationError({"ends_at": "It ends before it starts."})
            longest = self.ends_at - self.starts_at
            if self.weekly and longest.total_seconds() > LONGEST_WEEKLY:
                raise ValidationError({"ends_at": "A weekly window is shorter than a week."})
        if self.repeats_until and not self.weekly:
            raise ValidationError({"repeats_until": "Only a weekly window repeats."})
        if self.repeats_until and self.starts_at and self.repeats_until < self.starts_at:
            raise ValidationError({"repeats_until": "It is before the first occasion."})
        if self._state.adding and self.starts_at and self.ends_at:
            last = self.last_ends_at
            if last is not None and last <= timezone.now():
                field = "repeats_until" if self.weekly else "ends_at"
                raise ValidationError({field: "This is over already."})

    @property
    def times(self) -> Times:
        return Times(
            start=self.starts_at.timestamp(),
            end=self.ends_at.timestamp(),
            weekly=self.weekly,
            zone=self.time_zone,
            until=self.repeats_until.timestamp() if self.repeats_until else None,
            over=self.cancelled_at.timestamp() if self.cancelled_at else None,
        )

    @property
    def last_ends_at(self) -> datetime | None:
        """When its last occasion ends; None where it repeats for ever."""
        last = over_at(self.times)
        return datetime.fromtimestamp(last, UTC) if last is not None else None

    @property
    def state(self) -> str:
        """upcoming, current, between (weekly only) or over, now."""
        now = timezone.now()
        if self.over_at is not None and self.over_at <= now:
            return "over"
        if self.starts_at > now:
            return "upcoming"
        return "current" if self.span_at(now) is not None else "between"

    @property
    def state_words(self) -> str:
        words = {"current": "active now", "between": "until its next occasion"}
        return words.get(self.state, self.state)

    @property
    def occasion_now(self) -> Span | None:
        return self.next_span(timezone.now())

    def span_at(self, at: datetime) -> Span | None:
        """The occasion that holds at `at`."""
        return span_at(self.times, at.timestamp())

    def next_span(self, at: datetime) -> Span | None:
        """The occasion that holds at `at` or else begins next."""
        return next_span(self.times, at.timestamp())
