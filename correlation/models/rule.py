"""People's cause rules, and what became of them."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from correlation.rules.documents import BadRule, parse_rule
from correlation.rules.pack import shipped_rules
from correlation.rules.vocabulary import MOST_PRIORITY, USER_PRIORITY


class CorrelationRule(models.Model):
    """A rule of the users, or what they made of a shipped one of the same name.

    `definition` is what docs/rules.md describes; null leaves a shipped rule as it is shipped, so
    that the row only switches it off or moves it. Written only by `correlation.rules.edits`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(
        max_length=63,
        unique=True,
        help_text="Lower-case letters, digits and hyphens. "
        "The name of a shipped rule puts this one in its place.",
    )
    enabled = models.BooleanField(default=True)
    priority = models.PositiveSmallIntegerField(
        default=USER_PRIORITY,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_PRIORITY)],
        help_text="1 to 1000, lower goes first. Shipped rules have 1000.",
    )
    definition = models.JSONField(
        null=True,
        blank=True,
        help_text="Kind, title, advice and conditions; see docs/rules.md. "
        "Empty for a shipped rule that is left as it is.",
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )

    class Meta:
        ordering = ["priority", "name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(priority__gte=1, priority__lte=MOST_PRIORITY),
                name="correlation_rule_priority",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError by field: `name`, or `definition` with the path in the text."""
        try:
            self.check_definition()
        except BadRule as error:
            found: dict[str, list[str]] = {}
            for path, messages in error.problems.items():
                here = path if path == "name" else "definition"
                prefix = "" if path in ("name", "definition") else f"{path}: "
                found.setdefault(here, []).extend(prefix + message for message in messages)
            raise ValidationError(found) from error

    def check_definition(self) -> None:
        """Raises BadRule when this cannot be a rule."""
        if self.definition is not None:
            parse_rule(self.definition, self.name, self.priority, shipped=False)
        elif self.name not in {rule.name for rule in shipped_rules()}:
            raise BadRule({"definition": ["Give one: no shipped rule has this name."]})


class RuleChange(models.Model):
    """Who did what to a rule, and when: never changed afterwards.

    `before` and `after` are {enabled, priority, definition}; null where there was no row.
    """

    class Action(models.TextChoices):
        CREATED = "created"
        EDITED = "edited"
        ENABLED = "enabled"
        DISABLED = "disabled"
        DELETED = "deleted"
        RESTORED = "restored"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule = models.CharField(max_length=63, help_text="Its name, which outlives the row.")
    action = models.CharField(max_length=16, choices=Action.choices)
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    before: Any = models.JSONField(null=True)
    after: Any = models.JSONField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["rule", "-at"], name="rule_change_newest")]

    def __str__(self) -> str:
        return f"{self.rule} {self.action}"
