"""The forms of the acts on the incident page.

`version` is what the person saw. A field with a hidden initial value is sent only where it was
changed: repeated after a conflict, a form does not undo what somebody else changed meanwhile.
"""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User
from incidents.models import Impact, Incident, IncidentRole, Service, Severity
from incidents.people.roles import may_hold
from incidents.suggestions import suggested_root_cause

LONG = 10_000


def text(label: str, *, required: bool = False, rows: int = 4, **kwargs: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, required=required, max_length=LONG, widget=widget, **kwargs)


class ActForm(forms.Form):
    """A form about one incident; `values` is what is to be written."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, incident: Incident, *args: Any, **kwargs: Any) -> None:
        self.incident = incident
        kwargs.setdefault("auto_id", "act_%s")
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = incident.version
        self.prepare()

    def prepare(self) -> None:
        """Fill in what the incident is now."""

    def values(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        given.pop("version")
        return given


class ReasonForm(ActForm):
    reason = text("Reason")


class MitigateForm(ActForm):
    reason = text("What stopped the harm?")


class ReopenForm(ActForm):
    reason = text("Why is it reopened?", required=True)


class ResolveForm(ActForm):
    root_cause = text("Root cause", help_text="Markdown. Kept with the sealed record.")
    resolution = text("What fixed it", help_text="Markdown.")

    def prepare(self) -> None:
        incident = self.incident
        self.fields["root_cause"].initial = incident.root_cause or suggested_root_cause(incident)
        self.fields["resolution"].initial = incident.resolution


class CloseForm(ActForm):
    closed_as = forms.ChoiceField(
        label="It is", choices=Incident.ClosedAs.choices, widget=forms.RadioSelect
    )
    duplicate_of = forms.CharField(
        label="Duplicate of",
        required=False,
        max_length=40,
        help_text="INC-number. An open one takes this one in; a resolved one is linked.",
        widget=forms.TextInput(attrs={"placeholder": "INC-12"}),
    )
    reason = text("Reason", rows=3)

    def clean_duplicate_of(self) -> Incident | None:
        named = self.cleaned_data["duplicate_of"].strip()
        if not named:
            return None
        try:
            return Incident.objects.by_reference(named)
        except Incident.DoesNotExist:
            raise forms.ValidationError(f"There is no incident {named!r}.") from None


class TimesForm(ActForm):
    """In the time zone of the person, to the second; only the changed ones are corrected."""

    reason = text("Why were they wrong?", required=True, rows=3)

    def prepare(self) -> None:
        labels = {
            "started_at": "Started",
            "detected_at": "Detected",
            "acknowledged_at": "Acknowledged",
        }
        for name, label in labels.items():
            at = getattr(self.incident, name)
            self.fields[name] = forms.DateTimeField(
                label=label,
                required=False,
                initial=at.replace(microsecond=0) if at else None,
                show_hidden_initial=True,
                widget=forms.DateTimeInput(
                    format="%Y-%m-%dT%H:%M:%S", attrs={"type": "datetime-local", "step": 1}
                ),
            )
        self.order_fields([*labels, "reason"])

    def values(self) -> dict[str, Any]:
        given = {
            name: self.cleaned_data[name]
            for name in self.changed_data
            if name.endswith("_at") and self.cleaned_data[name] is not None
        }
        return {"changes": given, "reason": self.cleaned_data["reason"]}


class EditForm(ActForm):
    title = forms.CharField(max_length=300, show_hidden_initial=True)
    severity = forms.ChoiceField(choices=Severity.choices, show_hidden_initial=True)
    description = text("Description", show_hidden_initial=True)
    reason = forms.CharField(label="Reason", required=False, max_length=LONG)

    def prepare(self) -> None:
        for name in ("title", "severity", "description"):
            self.fields[name].initial = getattr(self.incident, name)

    def values(self) -> dict[str, Any]:
        names = ("title", "severity", "description")
        changes = {n: self.cleaned_data[n] for n in names if n in self.changed_data}
        return {"changes": changes, "reason": self.cleaned_data["reason"]}


class ServicesForm(ActForm):
    """One field a service that is affected, and one for a newcomer."""

    REMOVED = "removed"
    add = forms.ModelChoiceField(
        Service.objects.none(), label="Also affected", required=False, empty_label="No other"
    )
    add_impact = forms.ChoiceField(
        label="Its impact", choices=Impact.choices, initial=Impact.SECONDARY, required=False
    )
    reason = forms.CharField(label="Reason", required=False, max_length=LONG)

    def prepare(self) -> None:
        self.rows = list(self.incident.affected.select_related("service"))
        for row in self.rows:
            self.fields[row.service.slug] = forms.ChoiceField(
                label=row.service.slug,
                choices=[*Impact.choices, (self.REMOVED, "Not affected: remove")],
                initial=row.impact,
                required=False,
                show_hidden_initial=True,
            )
        others = Service.objects.filter(environment=self.incident.environment)
        field = self.fields["add"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = others.exclude(pk__in=[row.service_id for row in self.rows])
        self.order_fields([*(row.service.slug for row in self.rows), "add", "add_impact"])

    def values(self) -> dict[str, Any]:
        levels: dict[Service, str] = {}
        for row in self.rows:
            slug = row.service.slug
            chosen = self.cleaned_data[slug] if slug in self.changed_data else ""
            if chosen != self.REMOVED:
                levels[row.service] = chosen or row.impact
        if self.cleaned_data["add"] is not None:
            impact = self.cleaned_data["add_impact"] or Impact.SECONDARY
            levels[self.cleaned_data["add"]] = impact
        return {"changes": {}, "services": levels, "reason": self.cleaned_data["reason"]}


class RoleForm(ActForm):
    role = forms.ChoiceField(choices=IncidentRole.Role.choices)
    user = forms.ModelChoiceField(
        User.objects.none(), label="Person", to_field_name="username", empty_label="Choose a person"
    )

    def prepare(self) -> None:
        field = self.fields["user"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = assignable()


def assignable() -> Any:
    """Everybody who may hold a role or a task, by name."""
    active = User.objects.filter(is_active=True)
    return active.filter(pk__in=[user.pk for user in active if may_hold(user)]).order_by("username")
