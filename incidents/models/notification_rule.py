"""Who is told of what, and when."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import validate_time_zone
from incidents.models.catalogue import Service
from incidents.models.channel import NotificationChannel
from incidents.models.incident import Severity
from incidents.notify.events import Event
from incidents.notify.matching import Rule
from incidents.notify.quiet import Quiet

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class NotificationRuleQuerySet(models.QuerySet["NotificationRule"]):
    def in_force(self) -> list[Rule]:
        """The enabled rules as they are matched, with the channels that can be sent to."""
        rows = self.filter(enabled=True).prefetch_related("channels", "services").order_by("name")
        return [row.as_rule() for row in rows]


class NotificationRule(models.Model):
    """A change is told to `channels` when it is one of `events` and the incident fits the rest.

    Empty services, environment and days mean all of them. Quiet hours run from `quiet_from` to
    `quiet_until` on the clock of `time_zone`, over midnight where the end is not later.
    """

    class Quietly(models.TextChoices):
        HOLD = "hold", "hold them until the quiet hours end"
        DROP = "drop", "drop them"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True, default="", max_length=2000)
    enabled = models.BooleanField(default=True)
    events = models.JSONField(default=list, help_text='Such as ["opened", "resolved"].')
    services = models.ManyToManyField(
        Service, blank=True, related_name="notification_rules", help_text="None: all services."
    )
    severity_at_least = models.CharField(
        max_length=16, choices=Severity.choices, default=Severity.LOW
    )
    environment = models.CharField(
        max_length=63, blank=True, default="", help_text="Empty: all environments."
    )
    channels = models.ManyToManyField(NotificationChannel, related_name="rules")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    quiet_days = models.JSONField(
        default=list, blank=True, help_text='On which they begin, such as ["saturday"]; none: all.'
    )
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    quietly = models.CharField(max_length=8, choices=Quietly.choices, default=Quietly.HOLD)
    critical_breaks_through = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = NotificationRuleQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="notification_rule_quiet_has_two_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError by field."""
        super().clean()
        found: dict[str, str] = {}
        if not _are_names(self.events, [event.value for event in Event]) or not self.events:
            found["events"] = "Choose at least one event, none of them twice."
        if not _are_names(self.quiet_days, DAYS):
            found["quiet_days"] = f"Give days such as {DAYS[0]}, none of them twice."
        if (self.quiet_from is None) != (self.quiet_until is None):
            missing = "quiet_from" if self.quiet_from is None else "quiet_until"
            found[missing] = "Quiet hours have a beginning and an end."
        if found:
            raise ValidationError(found)

    @property
    def quiet(self) -> Quiet | None:
        if self.quiet_from is None or self.quiet_until is None:
            return None
        days = frozenset(DAYS.index(day) for day in self.quiet_days)
        return Quiet(self.quiet_from, self.quiet_until, self.time_zone, days)

    def as_rule(self) -> Rule:
        """As `notify.matching` wants it; `channels` and `services` are read as prefetched."""
        return Rule(
            name=self.name,
            events=frozenset(self.events),
            channels={
                channel.pk: channel.kind
                for channel in self.channels.all()
                if channel.enabled and channel.removed_at is None
            },
            services=frozenset(service.pk for service in self.services.all()),
            severity_at_least=self.severity_at_least,
            environment=self.environment,
            quiet=self.quiet,
            quiet_drops=self.quietly == self.Quietly.DROP,
            critical_breaks_through=self.critical_breaks_through,
        )


def _are_names(given: Any, known: Any) -> bool:
    return (
        isinstance(given, list)
        and all(isinstance(one, str) and one in known for one in given)
        and len(set(given)) == len(given)
    )
