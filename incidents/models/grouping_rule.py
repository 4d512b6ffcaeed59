"""Which alerts share an incident, as people say it."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from incidents.intake.matchers import BadMatcher, parse_matchers
from incidents.models.alert import AlertSource

MOST_LABELS = 20
WEEK_SECONDS = 7 * 24 * 3600
_seconds = [MinValueValidator(0), MaxValueValidator(WEEK_SECONDS)]


class GroupingRule(models.Model):
    """An alert belongs to the first enabled rule that fits, by `priority`, then by `name`.

    It fits when all `matchers` do (none: every alert) and its source and environment are
    among those named (none: all). Alerts of one rule and environment with the same values of
    `group_by` share an incident. Empty delays mean the installation's.
    """

    class Window(models.TextChoices):
        OPEN = "open", "as long as it is open"
        ROLLING = "rolling", "while its last alert is younger than"
        FIXED = "fixed", "for so long after it began"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True, default="", max_length=2000)
    enabled = models.BooleanField(default=True)
    priority = models.PositiveSmallIntegerField(
        default=100, help_text="Lowest first; of equal ones by name."
    )
    matchers = models.JSONField(
        default=list, blank=True, help_text='Such as ["team=payments", "severity=~crit.*"].'
    )
    sources = models.ManyToManyField(
        AlertSource, blank=True, related_name="grouping_rules", help_text="None: all sources."
    )
    environment = models.CharField(
        max_length=63, blank=True, default="", help_text="Empty: all environments."
    )
    group_by = models.JSONField(
        default=list, blank=True, help_text='Labels, and "@service"; none: one incident for all.'
    )
    window = models.CharField(
        max_length=8,
        choices=Window.choices,
        default=Window.OPEN,
        help_text="How long an open incident takes newcomers.",
    )
    window_seconds = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(WEEK_SECONDS)]
    )
    resolve_delay_seconds = models.PositiveIntegerField(
        null=True, blank=True, validators=_seconds, help_text="Empty: the installation's."
    )
    reopen_window_seconds = models.PositiveIntegerField(
        null=True, blank=True, validators=_seconds, help_text="Empty: the installation's."
    )
    minimum_alerts = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    join_neighbours = models.BooleanField(
        default=True,
        help_text="Join the young incident of a service that calls this one or is called by it.",
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["priority", "name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(window="open") | Q(window_seconds__isnull=False),
                name="grouping_rule_window_has_a_length",
            ),
            models.CheckConstraint(
                condition=Q(minimum_alerts=1) | Q(window_seconds__isnull=False),
                name="grouping_rule_minimum_has_a_window",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        found: dict[str, str] = {}
        try:
            parse_matchers(self.matchers)
        except BadMatcher as error:
            found["matchers"] = str(error)
        if not _is_labels(self.group_by):
            found["group_by"] = f"Give at most {MOST_LABELS} label names, none of them twice."
        if self.window != self.Window.OPEN and self.window_seconds is None:
            found["window_seconds"] = f"A {self.window} window has a length."
        if (self.minimum_alerts or 1) > 1 and self.window_seconds is None:
            found["window_seconds"] = "Say within how many seconds so many alerts are to come."
        if found:
            raise ValidationError(found)


def _is_labels(given: Any) -> bool:
    return (
        isinstance(given, list)
        and len(given) <= MOST_LABELS
        and all(isinstance(name, str) and 0 < len(name) <= 200 for name in given)
        and all(name.isprintable() for name in given)
        and len(set(given)) == len(given)
    )
