"""What people type about tasks."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User
from incidents.acts.forms import LONG, assignable
from incidents.followup.work import ALLOWED
from incidents.models import IncidentTask

State = IncidentTask.State


class TaskForm(forms.Form):
    """A task, new or as it is; only what was changed is sent, see `acts.forms`."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    title = forms.CharField(label="What is to be done", max_length=300, show_hidden_initial=True)
    owner = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        to_field_name="username",
        empty_label="Nobody yet",
        show_hidden_initial=True,
    )
    due_at = forms.DateTimeField(
        label="Due",
        required=False,
        show_hidden_initial=True,
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
    )
    state = forms.ChoiceField(required=False, show_hidden_initial=True)
    description = forms.CharField(
        label="Details",
        required=False,
        max_length=LONG,
        show_hidden_initial=True,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, task: IncidentTask | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "task_%s", **kwargs})
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)
        owner.queryset = assignable()
        if task is None:
            del self.fields["state"]
            return
        now = State(task.state)
        state = self.fields["state"]
        assert isinstance(state, forms.ChoiceField)
        state.choices = [(one.value, one.label) for one in (now, *ALLOWED[now])]
        self.initial = {
            "version": task.version,
            "title": task.title,
            "owner": task.owner.username if task.owner else None,
            "due_at": task.due_at.replace(second=0, microsecond=0) if task.due_at else None,
            "state": task.state,
            "description": task.description,
        }

    def changes(self) -> dict[str, Any]:
        names = [name for name in self.fields if name != "version" and name in self.changed_data]
        return {name: self.cleaned_data[name] for name in names}

    def made(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


class TaskFilter(forms.Form):
    """The query string of the page of all tasks."""

    owner = forms.CharField(required=False, max_length=150)
    state = forms.ChoiceField(
        required=False,
        choices=[("", "Unfinished"), *State.choices, ("all", "All")],
    )
    overdue = forms.BooleanField(required=False, label="Overdue only")
    q = forms.CharField(required=False, max_length=200, label="Search")
    page = forms.IntegerField(required=False, min_value=1, max_value=100_000)
