"""What people type into the pages of notifications."""

from __future__ import annotations

from typing import Any

from django import forms

from incidents.alert_rules.forms import Lines
from incidents.models import (
    NotificationChannel,
    NotificationRule,
    NotificationState,
    Service,
    Severity,
)
from incidents.models.notification_rule import DAYS
from incidents.notify.events import EVENT_CHOICES
from incidents.outbound.posting import forbidden_reason


class ChannelForm(forms.ModelForm[NotificationChannel]):
    """A channel; `version` is the one that was read. The kind is chosen once."""

    recipients = Lines(
        label="Recipients",
        help_text="One address a line. A list of your own reaches people who come and go.",
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = NotificationChannel
        fields = [
            "name",
            "kind",
            "enabled",
            "url",
            "url_variable",
            "url_file",
            "secret_variable",
            "secret_file",
            "recipients",
            "verify_tls",
            "ca_file",
            "timeout_seconds",
            "bundle_above",
            "bundle_seconds",
        ]
        labels = {
            "url": "Address",
            "url_variable": "Variable that holds the address",
            "url_file": "File that holds it",
            "secret_variable": "Variable that holds the key",
            "secret_file": "File that holds it",
            "verify_tls": "Check the certificate",
            "ca_file": "Authority to trust (PEM file)",
            "timeout_seconds": "Wait for an answer (seconds)",
            "bundle_above": "Messages at most",
            "bundle_seconds": "Within (seconds)",
        }
        help_texts = {
            "url": "Of a webhook whose address is no secret. Of PagerDuty: empty for its own.",
            "url_variable": "Slack's address is a secret: name the variable, never paste it.",
            "url_file": "Below SECRETS_DIR.",
            "secret_variable": "Signs a webhook; for PagerDuty the routing key.",
            "secret_file": "Below SECRETS_DIR.",
            "bundle_above": "What is more goes as one digest. 0: never. Not for PagerDuty.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.version
        if not self.instance._state.adding:
            self.fields["kind"].disabled = True

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if why := forbidden_reason(url) if url else "":
            raise forms.ValidationError(why)
        return url


class RuleForm(forms.ModelForm[NotificationRule]):
    """A notification rule; `version` is the one that was read."""

    events = forms.MultipleChoiceField(
        choices=EVENT_CHOICES, widget=forms.CheckboxSelectMultiple, label="When an incident is"
    )
    quiet_days = forms.MultipleChoiceField(
        choices=[(day, day.title()) for day in DAYS],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label="Quiet on",
        help_text="The days on which quiet hours begin. None: every day.",
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = NotificationRule
        fields = [
            "name",
            "description",
            "enabled",
            "events",
            "services",
            "severity_at_least",
            "environment",
            "channels",
            "quiet_from",
            "quiet_until",
            "quiet_days",
            "time_zone",
            "quietly",
            "critical_breaks_through",
        ]
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "services": forms.CheckboxSelectMultiple,
            "channels": forms.CheckboxSelectMultiple,
            "quiet_from": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "quiet_until": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }
        labels = {
            "services": "Only of",
            "severity_at_least": "At least",
            "environment": "Only in the environment",
            "channels": "Tell",
            "quiet_from": "Quiet from",
            "quiet_until": "Until",
            "quietly": "What comes meanwhile",
            "critical_breaks_through": "Critical incidents are told all the same",
        }
        help_texts = {
            "services": "None: every service.",
            "severity_at_least": "A channel that heard of an incident hears on when it is lowered.",
            "quiet_until": "Over midnight where this is not later.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.version
        channels: Any = self.fields["channels"]
        channels.queryset = NotificationChannel.objects.kept().order_by("name")


class RuleTrial(forms.Form):
    """A change to try on the rules."""

    event = forms.ChoiceField(choices=EVENT_CHOICES, label="An incident is")
    severity = forms.ChoiceField(choices=Severity.choices, initial=Severity.HIGH)
    service = forms.ModelChoiceField(
        Service.objects.order_by("slug", "environment"), required=False, empty_label="none"
    )
    environment = forms.CharField(max_length=63, initial="production")
    at = forms.DateTimeField(
        required=False,
        label="At (UTC)",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="Empty: now.",
    )


class NotificationFilterForm(forms.Form):
    state = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any state"),
            ("undelivered", "not delivered yet"),
            *NotificationState.choices,
        ],
    )
    channel = forms.CharField(required=False, max_length=100)
