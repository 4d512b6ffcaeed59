"""How alerts are read: which service they are about, and how severe they are."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from incidents.intake.steps import BadStep, parse_step
from incidents.models.incident import Severity

MOST_STEPS = 30
MOST_VALUES = 500


class AlertReading(models.Model):
    """The service map and the severity map, of one source or of the whole installation.

    A source's steps and labels are tried before the installation's, and its values go before
    the installation's. Without a row of the installation what is shipped holds
    (`intake.reading.SHIPPED`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scope = models.CharField(
        max_length=63, unique=True, blank=True, help_text="Slug of a source; empty: every source."
    )
    service_steps = models.JSONField(
        default=list,
        blank=True,
        help_text='Tried in order: ["service", "namespace/deployment", "pod ~ (.+)-\\\\d+"].',
    )
    service_names = models.JSONField(
        default=dict, blank=True, help_text="What alerts call a service: its slug here."
    )
    severity_labels = models.JSONField(
        default=list, blank=True, help_text="The first that the alert carries counts."
    )
    severity_values = models.JSONField(
        default=dict, blank=True, help_text="Value, lower case: critical, high, medium or low."
    )
    severity_default = models.CharField(
        max_length=16,
        choices=Severity.choices,
        blank=True,
        default="",
        help_text="Of no value, or of one that is not in the map.",
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["scope"]

    def __str__(self) -> str:
        return self.scope or "installation"

    def clean(self) -> None:
        super().clean()
        found: dict[str, str] = {}
        try:
            for step in _texts(self.service_steps):
                parse_step(step)
        except BadStep as error:
            found["service_steps"] = str(error)
        try:
            _texts(self.severity_labels)
        except BadStep as error:
            found["severity_labels"] = str(error)
        if not _is_map(self.service_names):
            found["service_names"] = f"Give at most {MOST_VALUES} names, each with a slug."
        if not _is_map(self.severity_values) or not set(self.severity_values.values()) <= set(
            Severity.values
        ):
            known = ", ".join(Severity.values)
            found["severity_values"] = f"Give at most {MOST_VALUES} values, each one of {known}."
        if found:
            raise ValidationError(found)


def _texts(given: Any) -> list[str]:
    if not isinstance(given, list) or len(given) > MOST_STEPS:
        raise BadStep(f"Give a list of at most {MOST_STEPS}.")
    if not all(isinstance(one, str) and one and one.isprintable() for one in given):
        raise BadStep("Each is a text, none of them empty.")
    return given


def _is_map(given: Any) -> bool:
    return (
        isinstance(given, dict)
        and len(given) <= MOST_VALUES
        and all(isinstance(one, str) and one for pair in given.items() for one in pair)
    )
