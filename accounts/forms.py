"""Forms of the account pages."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Scope, User
from accounts.registering import SCOPES_OF, name_taken
from accounts.serializers import PASSWORD_MAX


class LoginForm(forms.Form):
    identifier = forms.CharField(
        label="Username or email",
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        max_length=PASSWORD_MAX,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class RegisterForm(BaseUserCreationForm):
    class Meta:
        model = User
        fields = ("username", "email")

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if name_taken(username=username):
            raise ValidationError("A user with that username already exists.")
        return username

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if name_taken(email=email):
            raise ValidationError("A user with that email already exists.")
        return email


class TimeZoneForm(forms.ModelForm):
    time_zone = forms.ChoiceField()

    class Meta:
        model = User
        fields = ("time_zone",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(available_timezones())
        self.fields["time_zone"] = forms.ChoiceField(choices=[(name, name) for name in names])


class IssueTokenForm(forms.Form):
    name = forms.CharField(max_length=100, label="What is it for?")
    scopes = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    expires_at = forms.DateTimeField(
        required=False,
        label="Expires at (UTC, empty: never)",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = [(s.value, s.label) for s in Scope if s in SCOPES_OF[user.effective_role]]
        self.fields["scopes"] = forms.MultipleChoiceField(
            choices=allowed, widget=forms.CheckboxSelectMultiple
        )

    def clean_expires_at(self) -> Any:
        at = self.cleaned_data["expires_at"]
        if at is not None and at <= timezone.now():
            raise ValidationError("This is in the past.")
        return at
