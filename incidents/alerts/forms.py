"""What people type into the pages of alerts."""

from __future__ import annotations

from typing import Any

from django import forms

from incidents.models import AlertSource, Delivery


class AlertsFilter(forms.Form):
    q = forms.CharField(label="Alert", required=False, max_length=200)
    source = forms.SlugField(required=False, max_length=63)
    service = forms.CharField(required=False, max_length=100)
    older = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)


class DeliveriesFilter(forms.Form):
    source = forms.SlugField(required=False, max_length=63)
    state = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any state"),
            ("unaccepted", "Rejected or failed"),
            ("waiting", "Waiting"),
            *Delivery.State.choices,
        ],
    )
    older = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)


class NewSource(forms.ModelForm):
    class Meta:
        model = AlertSource
        fields = ("slug", "kind", "environment")
        labels = {"slug": "Name"}
        help_texts = {
            "slug": "Letters, digits and dashes: production-eu. It stays.",
            "environment": "Of the services its alerts are about.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        outside = [one for one in AlertSource.Kind.choices if one[0] != AlertSource.Kind.INTERNAL]
        self.fields["kind"].choices = outside  # type: ignore[attr-defined]  # a choice field
        self.fields["slug"].widget.attrs.update({"placeholder": "production-eu"})
