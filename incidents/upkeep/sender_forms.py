"""What people type into the pages of heartbeats and Alertmanagers."""

from __future__ import annotations

from typing import Any

from django import forms

from incidents.alert_rules.forms import Lines
from incidents.intake.matchers import BadMatcher, parse_matchers
from incidents.models import Alertmanager, AlertSource, Heartbeat

PLAIN = {"spellcheck": "false", "autocomplete": "off"}


class SourceField(forms.ModelChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(AlertSource.objects.order_by("slug"), empty_label="Choose one", **options)

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.slug)


class HeartbeatForm(forms.ModelForm[Heartbeat]):
    """A heartbeat. The source of one that exists stays: its series are of that source."""

    source = SourceField(help_text="Whose alerts the beats are.")
    matchers = Lines(
        label="Matchers",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "code"}),
        help_text="One a line, all must hold: alertname=Watchdog",
    )

    class Meta:
        model = Heartbeat
        fields = (
            "source",
            "name",
            "matchers",
            "interval_seconds",
            "grace_seconds",
            "severity",
            "enabled",
        )
        labels = {"interval_seconds": "A beat every (seconds)", "grace_seconds": "May be late by"}
        help_texts = {"grace_seconds": "Seconds."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].disabled = not self.instance._state.adding

    def clean_matchers(self) -> list[str]:
        try:
            found = [str(matcher) for matcher in parse_matchers(self.cleaned_data["matchers"])]
        except BadMatcher as error:
            raise forms.ValidationError(str(error)) from error
        if not found:
            raise forms.ValidationError("Name a label: every alert of the source would be a beat.")
        return found


class AlertmanagerForm(forms.ModelForm[Alertmanager]):
    """An Alertmanager; of one that the environment names only what is not said there."""

    source = SourceField(help_text="What it delivers. All that deliver to one source belong here.")

    class Meta:
        model = Alertmanager
        fields = (
            "source",
            "url",
            "receiver",
            "auth_variable",
            "auth_file",
            "verify_tls",
            "ca_file",
            "timeout_seconds",
            "enabled",
        )
        labels = {
            "url": "Address",
            "receiver": "Receiver",
            "auth_variable": "Variable with the login",
            "auth_file": "File with the login",
            "ca_file": "File of its certificate authority",
            "timeout_seconds": "Wait for an answer (seconds)",
        }
        widgets = {
            "url": forms.TextInput(attrs={**PLAIN, "placeholder": "http://alertmanager:9093"}),
            **{
                name: forms.TextInput(attrs=PLAIN)
                for name in ("receiver", "auth_variable", "auth_file", "ca_file")
            },
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.follows_environment:
            for name in Alertmanager.ENVIRONMENT_OWNS:
                self.fields[name].disabled = True
