"""What people type to exclude a span."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from accounts.models import User

LOCAL = "%Y-%m-%dT%H:%M"


def _moment(label: str) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        input_formats=[LOCAL, f"{LOCAL}:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )


class CorrectionForm(forms.Form):
    """Times are wall times of the person's time zone."""

    starts_at = _moment("From")
    ends_at = _moment("Until")
    reason = forms.CharField(
        label="Why it does not count", max_length=10_000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(user.time_zone)
        for name in ("starts_at", "ends_at"):
            self.fields[name].help_text = f"In {user.time_zone}."

    def full_clean(self) -> None:
        with timezone.override(self.zone):
            super().full_clean()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("starts_at"), cleaned.get("ends_at")
        if start is not None and end is not None and end <= start:
            self.add_error("ends_at", "It ends after it starts.")
        return cleaned
