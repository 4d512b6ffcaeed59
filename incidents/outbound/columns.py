"""Columns that rows which are asked or sent to over HTTP have in common."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

NAMES_A_VARIABLE = RegexValidator(r"^[A-Z][A-Z0-9_]*\Z", "Name an environment variable.")


class Authorized(models.Model):
    """Where the Authorization header's value stands: it is named, never stored."""

    auth_variable = models.CharField(
        max_length=100,
        blank=True,
        default="",
        validators=[NAMES_A_VARIABLE],
        help_text="Environment variable that holds the Authorization header's value.",
    )
    auth_file = models.CharField(
        max_length=500,
        blank=True,
        default="",
        help_text="File under SECRETS_DIR that holds the Authorization header's value.",
    )

    class Meta:
        abstract = True


class OverTls(models.Model):
    """How far its certificate is trusted."""

    verify_tls = models.BooleanField(default=True)
    ca_file = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        abstract = True


class LatestAnswers(models.Model):
    """How it did lately; written by the module that asks it alone."""

    failures = models.PositiveIntegerField(default=0, editable=False, help_text="In a row.")
    last_success_at = models.DateTimeField(null=True, editable=False)
    last_error_at = models.DateTimeField(null=True, editable=False)
    last_error = models.TextField(blank=True, default="", editable=False)

    class Meta:
        abstract = True
