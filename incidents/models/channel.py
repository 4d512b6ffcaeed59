"""Where notifications go, and by which rules."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    validate_email,
)
from django.db import models
from django.db.models import Q
from django.utils import timezone

from incidents.notify.events import KIND_CHOICES, Kind
from incidents.outbound.columns import NAMES_A_VARIABLE, LatestAnswers, OverTls
from incidents.outbound.fields import address_errors, named_errors

PAGERDUTY_URL = "https://events.pagerduty.com"
MOST_RECIPIENTS = 50


class NotificationChannelQuerySet(models.QuerySet["NotificationChannel"]):
    def kept(self) -> NotificationChannelQuerySet:
        """Those that were not removed."""
        return self.filter(removed_at=None)

    def failing(self) -> NotificationChannelQuerySet:
        return self.kept().filter(enabled=True, failures__gt=0)


class NotificationChannel(OverTls, LatestAnswers):
    """One receiver. What is secret about it is named (a variable, a file), never stored.

    A removed one stays as a row: what was sent through it refers to it. What stands below
    `removed_at`, and LatestAnswers, `incidents.notify.deliveries` writes alone; `claim` is the
    number of the worker that sends, `claimed_until` its lease.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=16, choices=KIND_CHOICES)
    enabled = models.BooleanField(default=True)
    # not URLField: it refuses host names without a dot, such as http://mattermost:8065
    url = models.CharField(
        max_length=500,
        blank=True,
        default="",
        help_text="Of a webhook whose address is no secret; of PagerDuty, its base address.",
    )
    url_variable = models.CharField(
        max_length=100,
        blank=True,
        default="",
        validators=[NAMES_A_VARIABLE],
        help_text="Environment variable that holds the whole address.",
    )
    url_file = models.CharField(
        max_length=500,
        blank=True,
        default="",
        help_text="File under SECRETS_DIR that holds the whole address.",
    )
    secret_variable = models.CharField(
        max_length=100,
        blank=True,
        default="",
        validators=[NAMES_A_VARIABLE],
        help_text="Environment variable that holds the key that signs (webhook), or the routing "
        "key (PagerDuty).",
    )
    secret_file = models.CharField(
        max_length=500,
        blank=True,
        default="",
        help_text="File under SECRETS_DIR that holds that key.",
    )
    recipients = models.JSONField(
        default=list, blank=True, help_text='Of e-mail: such as ["oncall@example.com"].'
    )
    timeout_seconds = models.FloatField(
        default=10.0, validators=[MinValueValidator(0.1), MaxValueValidator(30.0)]
    )
    bundle_above = models.PositiveSmallIntegerField(
        default=5,
        validators=[MaxValueValidator(1000)],
        help_text="Messages in the window below; what is more goes as one digest. 0: never.",
    )
    bundle_seconds = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(1), MaxValueValidator(3600)]
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    removed_at = models.DateTimeField(null=True, editable=False)

    paused_until = models.DateTimeField(null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    claim = models.PositiveIntegerField(default=0, editable=False)

    objects = NotificationChannelQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(removed_at=None), name="channel_name_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in Kind]), name="channel_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError by field for what could never be sent to."""
        super().clean()
        errors = {**self._address_errors(), **self._secret_errors(), **self._recipient_errors()}
        same = NotificationChannel.objects.kept().filter(name=self.name).exclude(pk=self.pk)
        if self.removed_at is None and same.exists():
            errors["name"] = ["There is a channel of this name."]
        if errors:
            raise ValidationError(errors)

    def _address_errors(self) -> dict[str, list[str]]:
        if self.kind == Kind.EMAIL:
            given = [n for n in ("url", "url_variable", "url_file") if getattr(self, n)]
            return {name: ["E-mail goes to its recipients."] for name in given}
        errors = named_errors("url", self.url_variable, self.url_file)
        named = bool(self.url_variable or self.url_file)
        if self.kind == Kind.SLACK:
            if self.url:
                errors["url"] = ["This address is the secret itself: name a variable or a file."]
            elif not named:
                errors["url_variable"] = ["Name the variable, or the file, that holds the address."]
        elif self.kind == Kind.PAGERDUTY and named:
            errors["url_variable" if self.url_variable else "url_file"] = [
                "Its address is no secret: leave it out, or give it in url."
            ]
        elif self.url and named:
            errors["url"] = ["Give the address, or name where it stands, not both."]
        elif self.url or (self.kind == Kind.WEBHOOK and not named):
            found = address_errors(self.url)
            if found:
                errors["url"] = found
        return errors

    def _secret_errors(self) -> dict[str, list[str]]:
        errors = named_errors("secret", self.secret_variable, self.secret_file)
        named = bool(self.secret_variable or self.secret_file)
        if self.kind == Kind.PAGERDUTY and not named:
            errors["secret_variable"] = ["Name what holds the routing key: a variable or a file."]
        if self.kind in (Kind.SLACK, Kind.EMAIL) and named:
            errors["secret_variable" if self.secret_variable else "secret_file"] = [
                "Only webhooks are signed, and only PagerDuty has a routing key."
            ]
        return errors

    def _recipient_errors(self) -> dict[str, list[str]]:
        given = self.recipients
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            return {"recipients": ["Give a list of addresses."]}
        if self.kind != Kind.EMAIL:
            return {"recipients": ["Only e-mail has recipients."]} if given else {}
        if not given:
            return {"recipients": ["Give at least one address."]}
        if len(given) > MOST_RECIPIENTS or len(set(given)) < len(given):
            return {"recipients": [f"Give at most {MOST_RECIPIENTS}, none of them twice."]}
        wrong = [one for one in given if not _is_address(one)]
        return {"recipients": [f"{one[:80]!r} is no address." for one in wrong]} if wrong else {}

    @property
    def where(self) -> str:
        """Where it leads, in words that give no secret away."""
        if self.kind == Kind.EMAIL:
            return ", ".join(self.recipients)
        if self.kind == Kind.PAGERDUTY:
            return self.url or PAGERDUTY_URL
        if self.url:
            return self.url
        return f"${self.url_variable}" if self.url_variable else f"file {self.url_file}"

    @property
    def state(self) -> str:
        """removed, disabled, unused, ok or failing."""
        if self.removed_at is not None:
            return "removed"
        if not self.enabled:
            return "disabled"
        if self.failures:
            return "failing"
        return "ok" if self.last_success_at else "unused"

    @property
    def state_words(self) -> str:
        return {"unused": "not used yet", "ok": "delivers"}.get(self.state, self.state)

    def is_paused(self, at: datetime) -> bool:
        return self.paused_until is not None and self.paused_until > at


def _is_address(text: Any) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
