"""What people type into the pages."""

from __future__ import annotations

from typing import Any

from django import forms

from incidents.models import Incident, Service, Severity, Status


class BoardFilter(forms.Form):
    """The board's query string; an unknown value is an error that names its field."""

    q = forms.CharField(label="Search", required=False, max_length=200)
    status = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any status"),
            ("active", "All unresolved"),
            *[(s.value, s.label) for s in Status],
            ("archived", "Archived"),
        ],
    )
    severity = forms.ChoiceField(
        required=False,
        choices=[("", "Any severity"), *[(s.value, s.label) for s in Severity]],
    )
    service = forms.CharField(required=False, max_length=100)
    older = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)


class NewIncident(forms.ModelForm):
    """A person opens an incident; `service` is hit first, `others` as well."""

    service = forms.ModelChoiceField(
        Service.objects.all(), label="Service", empty_label="Choose a service"
    )
    others = forms.ModelMultipleChoiceField(
        Service.objects.all(),
        label="Also affected",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    allow_duplicate = forms.BooleanField(required=False, label="Open it anyway")

    class Meta:
        model = Incident
        fields = ("title", "severity", "description")
        widgets = {"description": forms.Textarea(attrs={"rows": 4})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"].widget.attrs.update(
            {"placeholder": "Checkout fails for some customers", "autofocus": True}
        )
        self.fields["severity"].initial = Severity.HIGH

    def services(self) -> list[Service]:
        """The affected services, the primary one first."""
        first = self.cleaned_data["service"]
        return [first, *[other for other in self.cleaned_data["others"] if other != first]]


class Resolution(forms.Form):
    root_cause = forms.CharField(
        label="Root cause", required=False, max_length=10_000, widget=forms.Textarea
    )
    resolution = forms.CharField(
        label="What fixed it", required=False, max_length=10_000, widget=forms.Textarea
    )


class CustomFailure(forms.Form):
    """The failure lab's payload; what is left empty is not disturbed."""

    service = forms.ModelChoiceField(
        Service.objects.all(), to_field_name="slug", empty_label="Choose a service"
    )
    error_rate = forms.FloatField(
        label="Error rate (0 to 1)", required=False, min_value=0, max_value=1
    )
    cpu_usage = forms.FloatField(label="CPU usage (%)", required=False, min_value=0, max_value=100)
    memory_usage = forms.FloatField(
        label="Memory usage (%)", required=False, min_value=0, max_value=100
    )
    response_time_ms = forms.FloatField(
        label="Response time (ms)", required=False, min_value=0, max_value=60_000
    )
    db_connections = forms.IntegerField(
        label="Database connections", required=False, min_value=0, max_value=10_000
    )

    def failure(self) -> dict[str, Any]:
        """What was filled in, without the service."""
        return {k: v for k, v in self.cleaned_data.items() if k != "service" and v is not None}
