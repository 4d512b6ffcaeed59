"""What people type into the page of a maintenance window."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import validate_time_zone
from incidents.intake.matchers import BadMatcher, parse_matchers
from incidents.models import MaintenanceWindow, Service

LOCAL = "%Y-%m-%dT%H:%M"
TIMES = ("starts_at", "ends_at", "repeats_until")


def _moment(label: str, *, required: bool = True, help_text: str = "") -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        required=required,
        input_formats=[LOCAL, f"{LOCAL}:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=help_text,
    )


class MaintenanceForm(forms.ModelForm):
    """Times are wall times of the form's own time zone."""

    starts_at = _moment("Starts")
    ends_at = _moment("Ends", help_text="Of a weekly window: when the first occasion ends.")
    repeats_until = _moment("Repeats until", required=False, help_text="Empty: for ever.")
    matchers = forms.CharField(
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "code"}),
        help_text='Of the alert\'s labels, one a line, all must hold: cluster=~"eu-.*"',
    )
    services = forms.ModelMultipleChoiceField(
        Service.objects.order_by("environment", "slug"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = MaintenanceWindow
        fields = (
            "name",
            "description",
            "mode",
            "environment",
            "services",
            "matchers",
            "starts_at",
            "ends_at",
            "weekly",
            "repeats_until",
            "time_zone",
        )
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "environment": forms.TextInput(attrs={"placeholder": "every environment"}),
        }
        labels = {"time_zone": "Time zone of these times"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = _zone(str(self["time_zone"].value() or "UTC"))
        for name in TIMES:
            at = self.initial.get(name)
            if isinstance(at, datetime):
                self.initial[name] = f"{at.astimezone(zone):{LOCAL}}"
        self.initial["matchers"] = "\n".join(self.initial.get("matchers") or [])

    def full_clean(self) -> None:
        zone = _zone(str(self.data.get("time_zone", "UTC"))) if self.is_bound else None
        with timezone.override(zone):
            super().full_clean()

    def clean_matchers(self) -> list[str]:
        texts = [line.strip() for line in self.cleaned_data["matchers"].splitlines()]
        try:
            return [str(matcher) for matcher in parse_matchers([text for text in texts if text])]
        except BadMatcher as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not any(
            cleaned.get(name) for name in ("services", "matchers", "environment")
        ):
            raise forms.ValidationError(
                "Name services, matchers or an environment: this window covers everything."
            )
        return cleaned


def _zone(name: str) -> ZoneInfo:
    """UTC where the name is none: the field itself says so."""
    try:
        validate_time_zone(name)
    except ValidationError:
        return ZoneInfo("UTC")
    return ZoneInfo(name)
