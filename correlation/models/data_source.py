"""The telemetry backends the analysis asks, and how each has been doing."""

from __future__ import annotations

import uuid

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from correlation.data_sources.fields import field_errors
from incidents.outbound.columns import Authorized, OverTls


class DataSource(Authorized, OverTls):
    """A telemetry backend. Secrets are named (a variable, a file), never stored.

    Rows of origin `environment` follow PROMETHEUS_URL and its like at every start; the others
    are people's.
    """

    class Kind(models.TextChoices):
        PROMETHEUS = "prometheus"
        LOKI = "loki"
        TEMPO = "tempo"
        KUBERNETES = "kubernetes"

    class Origin(models.TextChoices):
        ENVIRONMENT = "environment"
        USER = "user"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    # not URLField: it refuses host names without a dot, such as http://prometheus:9090
    url = models.CharField(
        max_length=500,
        blank=True,
        default="",
        help_text="Base address, path prefix included. "
        "For Kubernetes mostly empty: the kubeconfig's.",
    )
    environment = models.CharField(max_length=63, default="production")
    enabled = models.BooleanField(default=True)
    by_default = models.BooleanField(
        default=True, help_text="Asked for services that name no source of this kind."
    )
    required = models.BooleanField(
        default=True, help_text="Workers refuse to start while it cannot be used."
    )
    origin = models.CharField(
        max_length=16, choices=Origin.choices, default=Origin.USER, editable=False
    )
    unset = models.BooleanField(
        default=False,
        editable=False,
        help_text="Disabled because its variable is not set; comes back with it.",
    )
    tenant = models.CharField(
        max_length=150, blank=True, default="", help_text="Sent as X-Scope-OrgID."
    )
    kubeconfig = models.CharField(
        max_length=500,
        blank=True,
        default="",
        help_text="Kubernetes only: path of the kubeconfig; empty for in-cluster credentials.",
    )
    context = models.CharField(
        max_length=200, blank=True, default="", help_text="Kubernetes only: its context."
    )
    client_certificate_file = models.CharField(max_length=500, blank=True, default="")
    client_key_file = models.CharField(max_length=500, blank=True, default="")
    timeout_seconds = models.FloatField(
        default=5.0, validators=[MinValueValidator(0.1), MaxValueValidator(60.0)]
    )
    grafana_url = models.CharField(
        max_length=500, blank=True, default="", help_text="Grafana as people's browsers reach it."
    )
    grafana_uid = models.CharField(
        max_length=100, blank=True, default="", help_text="Uid of this data source in Grafana."
    )
    options = models.JSONField(
        default=dict,
        blank=True,
        help_text="Profile, scrape interval, labels, namespaces; see docs/telemetry.md.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["kind", "slug"]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """Raises ValidationError by field for what could never be asked."""
        if errors := field_errors(self):
            raise ValidationError(errors)


class SourceHealth(models.Model):
    """How a data source has been doing, and its circuit breaker: shared by all workers.

    `closed`: it is asked. `open`: it is left alone until `retry_at`. `half_open`: one analysis
    has taken the probe, until `retry_at`. Written only by `correlation.data_sources.breaker`.
    """

    class State(models.TextChoices):
        CLOSED = "closed"
        OPEN = "open"
        HALF_OPEN = "half_open"

    source = models.OneToOneField(
        DataSource, models.CASCADE, primary_key=True, related_name="health"
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.CLOSED)
    failures = models.PositiveIntegerField(default=0, help_text="Failures in a row.")
    opened_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    last_error_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True, default="")
    latency_seconds = models.FloatField(null=True, help_text="Of the last run that was answered.")
    version = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        verbose_name_plural = "source health"

    def __str__(self) -> str:
        return f"{self.source_id} {self.state}"
