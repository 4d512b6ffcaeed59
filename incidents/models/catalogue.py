"""The service catalogue: services, who calls whom, and what was changed."""

from __future__ import annotations

import uuid

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

from incidents import selectors
from incidents.catalogue import users_query

PRODUCTION = "production"
slug_shape = RegexValidator(
    r"^[a-z0-9]([a-z0-9._-]{0,98}[a-z0-9])?$",
    "Use lower-case letters, digits, dots, dashes and underscores.",
)


class Service(models.Model):
    """One thing that can break; `slug` is what telemetry calls it."""

    class Role(models.TextChoices):
        SERVICE = "service"
        DATABASE = "database"
        CACHE = "cache"
        QUEUE = "queue"
        EXTERNAL = "external"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.CharField(max_length=100, validators=[slug_shape])
    environment = models.CharField(max_length=63, default=PRODUCTION)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.SERVICE)
    tier = models.PositiveSmallIntegerField(
        default=3, choices=[(n, f"Tier {n}") for n in (1, 2, 3, 4)]
    )
    team = models.CharField(max_length=100, blank=True, default="")
    namespace = models.CharField(max_length=63, blank=True, default="")
    users = models.PositiveIntegerField(
        null=True, blank=True, help_text="Active users; empty when not known."
    )
    users_query = models.TextField(
        blank=True,
        default="",
        max_length=2000,
        help_text="PromQL that counts the users active now; where it answers, `users` does not.",
    )
    revenue_per_hour = models.DecimalField(
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Empty when not known.",
    )
    runbook_url = models.URLField(blank=True, default="", max_length=500)
    selectors = models.JSONField(
        default=dict, blank=True, help_text="Label selectors by data source kind."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "slug"], name="service_slug_unique_in_environment"
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        super().clean()
        errors: dict[str, list[str]] = {}
        found = selectors.check(self.selectors, self.environment)
        if found:
            errors["selectors"] = [f"{path}: {why}".lstrip(": ") for path, why in found.items()]
        if why := users_query.malformed(self.users_query):
            errors["users_query"] = [why]
        if errors:
            raise ValidationError(errors)


class ServiceDependency(models.Model):
    """`caller` sends requests to `callee`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    caller = models.ForeignKey(Service, models.CASCADE, related_name="calls")
    callee = models.ForeignKey(Service, models.CASCADE, related_name="called_by")
    source = models.CharField(max_length=32, default="catalogue")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "callee"], name="dependency_unique"),
            models.CheckConstraint(
                condition=~models.Q(caller=models.F("callee")), name="dependency_not_on_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.caller} -> {self.callee}"


class ChangeEvent(models.Model):
    """A deploy, commit, configuration edit, flag or scaling that may explain an incident.

    A commit's `ref` is its hash, which a deploy names as the `commit` it brought out. Commits may
    have no service: what they touch is read off their `files`.
    """

    class Kind(models.TextChoices):
        COMMIT = "commit"
        DEPLOY = "deploy"
        CONFIG = "config"
        FLAG = "flag"
        SCALE = "scale"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(
        Service, models.CASCADE, null=True, blank=True, related_name="changes"
    )
    kind = models.CharField(max_length=16, choices=Kind.choices)
    at = models.DateTimeField(db_index=True)
    title = models.CharField(max_length=500)
    ref = models.CharField(max_length=200, blank=True, default="")
    author = models.CharField(max_length=200, blank=True, default="")
    url = models.URLField(max_length=1000, blank=True, default="")
    description = models.TextField(blank=True, default="")
    diff = models.TextField(blank=True, default="")
    files = models.JSONField(blank=True, default=list)
    commit = models.CharField(max_length=200, blank=True, default="")
    source = models.CharField(max_length=64, default="api")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "service", "kind", "ref"],
                condition=~models.Q(ref=""),
                name="change_unique_by_ref",
            ),
            models.UniqueConstraint(
                fields=["source", "kind", "ref"],
                condition=models.Q(service=None) & ~models.Q(ref=""),
                name="change_unique_by_ref_alone",
            ),
        ]

    def __str__(self) -> str:
        return self.title
