"""What people type into the pages of grouping rules and maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from incidents.alert_rules.pasted import MOST_CHARACTERS, NotAnAlert, Pasted, parse_pasted
from incidents.models import AlertReading, AlertSource, GroupingRule, Severity

CODE = {"spellcheck": "false", "class": "code"}


class Lines(forms.CharField):
    """A text a line, as a list."""

    widget: forms.Widget = forms.Textarea(attrs={"rows": 7, **CODE})

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=MOST_CHARACTERS, **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]


class Commas(Lines):
    """Texts with commas between them, as a list."""

    widget = forms.TextInput(attrs={"spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        return super().clean(value.replace(",", "\n") if value else value)


class Pairs(Lines):
    """Lines `from = to`, as a mapping."""

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return "\n".join(f"{one} = {other}" for one, other in value.items())

    def clean(self, value: Any) -> Any:
        pairs: dict[str, str] = {}
        for line in super().clean(value):
            one, equals, other = (part.strip() for part in line.rpartition("="))
            if not (one and equals and other):
                raise forms.ValidationError(f"{line[:80]!r}: write value = meaning.")
            pairs[one] = other
        return pairs


class GroupingRuleForm(forms.ModelForm[GroupingRule]):
    """A grouping rule; `version` is the one that was read."""

    matchers = Lines(
        label="Matchers",
        help_text="One a line: team=payments, severity!=info, alertname=~High.*, env!~dev|test. "
        "None: every alert.",
    )
    group_by = Commas(
        label="Group by",
        help_text="One incident for each combination of their values. Labels with commas between "
        "them, and @service, the service that the alert is about. None: one incident for all.",
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = GroupingRule
        fields = [
            "name",
            "description",
            "matchers",
            "sources",
            "environment",
            "group_by",
            "window",
            "window_seconds",
            "minimum_alerts",
            "resolve_delay_seconds",
            "reopen_window_seconds",
            "join_neighbours",
            "priority",
            "enabled",
        ]
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "sources": forms.CheckboxSelectMultiple,
        }
        labels = {
            "sources": "Only from",
            "environment": "Only in the environment",
            "window": "Takes new alerts",
            "window_seconds": "Window (seconds)",
            "minimum_alerts": "Minimum alerts",
            "resolve_delay_seconds": "Resolve after (seconds)",
            "reopen_window_seconds": "Reopen within (seconds)",
            "join_neighbours": "Join an incident of a neighbouring service",
        }
        help_texts = {
            "window_seconds": "Of the window; also how long alerts wait for others.",
            "minimum_alerts": "So many open an incident; fewer wait.",
            "resolve_delay_seconds": "Without a firing alert. Empty: the installation's.",
            "reopen_window_seconds": "After the resolution. Empty: the installation's.",
            "join_neighbours": "One begun shortly before, of a service that calls this one or is "
            "called by it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.version


class AlertReadingForm(forms.ModelForm[AlertReading]):
    """The service map and the severity map of the installation or of a source."""

    service_steps = Lines(
        label="Labels that name the service",
        help_text="Tried in order: service, namespace/deployment, pod ~ (.+)-[a-z0-9]+-[a-z0-9]{5}",
    )
    service_names = Pairs(label="Aliases of services", help_text="pay-svc = payment, one a line.")
    severity_labels = Commas(
        label="Labels that tell the severity", help_text="Labels; the first that is set counts."
    )
    severity_values = Pairs(
        label="Values of severity",
        help_text="p0 = critical, one a line: critical, high, medium or low.",
    )
    severity_default = forms.ChoiceField(
        label="Any other value", required=False, choices=[("", "—"), *Severity.choices]
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = AlertReading
        fields = [
            "service_steps",
            "service_names",
            "severity_labels",
            "severity_values",
            "severity_default",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.version


class TrialForm(forms.Form):
    """An alert to try on the rules."""

    alert = forms.CharField(
        label="An alert, or its labels",
        max_length=MOST_CHARACTERS,
        widget=forms.Textarea(
            attrs={
                "rows": 7,
                "placeholder": "alertname=HighErrorRate\nservice=checkout\nseverity=critical",
                **CODE,
            }
        ),
        help_text="JSON of a webhook or of Alertmanager, or lines label=value.",
    )
    source = forms.ModelChoiceField(
        AlertSource.objects.order_by("slug"),
        to_field_name="slug",
        required=False,
        empty_label="any, in production",
    )

    def clean_alert(self) -> Pasted:
        try:
            return parse_pasted(self.cleaned_data["alert"])
        except NotAnAlert as error:
            raise forms.ValidationError(str(error)) from error
