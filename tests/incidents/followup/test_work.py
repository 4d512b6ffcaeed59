"""Tasks move along their states, keep their history, and outlive the seal."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Role, User
from incidents import edits, lifecycle, signals
from incidents.followup import add_task, edit_task, work
from incidents.followup.listing import as_it_was, of_incident
from incidents.models import Incident, IncidentTask
from tests.incidents.conftest import MakeIncident, make_person


@pytest.fixture
def incident(make_incident: MakeIncident) -> Incident:
    return make_incident()


def make_task(incident: Incident, sam: User, **arguments: Any) -> IncidentTask:
    return add_task(
        incident_id=incident.pk, **{"title": "Raise the limit", "actor": sam, **arguments}
    )


MOVES = [
    ("open", "in_progress", True),
    ("open", "done", True),
    ("open", "dropped", True),
    ("in_progress", "open", True),
    ("in_progress", "done", True),
    ("in_progress", "dropped", True),
    ("done", "open", True),
    ("done", "in_progress", True),
    ("done", "dropped", False),
    ("dropped", "open", True),
    ("dropped", "in_progress", True),
    ("dropped", "done", False),
]


@pytest.mark.parametrize(("state", "to", "allowed"), MOVES)
def test_edit_task_follows_the_table(
    incident: Incident, sam: User, state: str, to: str, allowed: bool
) -> None:
    task = make_task(incident, sam, state=state)

    if allowed:
        after = edit_task(task_id=task.pk, actor=sam, changes={"state": to})
        assert (after.state, after.done_at is not None) == (to, to == "done")
    else:
        with pytest.raises(work.TaskRefused):
            edit_task(task_id=task.pk, actor=sam, changes={"state": to})


def test_edit_task_keeps_what_it_was(incident: Incident, sam: User) -> None:
    task = make_task(incident, sam)

    after = edit_task(task_id=task.pk, actor=sam, changes={"owner": sam, "title": task.title})

    change = task.history.last()
    assert change is not None
    assert (change.changes, change.actor, after.version) == ({"owner": [None, "sam"]}, sam, 2)


def test_edit_task_of_an_old_version_conflicts(incident: Incident, sam: User) -> None:
    task = make_task(incident, sam)
    edit_task(task_id=task.pk, actor=sam, changes={"state": "done"})

    with pytest.raises(work.TaskConflict) as conflict:
        edit_task(task_id=task.pk, actor=sam, changes={"title": "Other"}, version=1)

    assert str(conflict.value) == "The task was changed meanwhile by sam: state."


@pytest.mark.parametrize("field", ["title", "owner"])
def test_add_task_refuses_by_field(incident: Incident, sam: User, field: str) -> None:
    wrong = {"title": " ", "owner": make_person("vera", Role.VIEWER)}

    with pytest.raises(edits.EditRefused) as refused:
        make_task(incident, sam, **{field: wrong[field]})

    assert set(refused.value.errors) == {field}


def test_tasks_are_done_after_the_seal(incident: Incident, sam: User) -> None:
    task = make_task(incident, sam)
    lifecycle.resolve(incident_id=incident.pk, actor=sam)
    sealed = incident.timeline.count()

    edit_task(task_id=task.pk, actor=sam, changes={"state": "done"})
    make_task(incident, sam, title="Add an alert")

    assert incident.timeline.count() == sealed
    assert sorted(row.title for row in incident.tasks.all()) == ["Add an alert", "Raise the limit"]


def test_a_task_is_shown_as_it_was(incident: Incident, sam: User) -> None:
    task = make_task(incident, sam)
    begun = edit_task(task_id=task.pk, actor=sam, changes={"state": "done", "owner": sam})
    then = timezone.now()
    edit_task(task_id=task.pk, actor=sam, changes={"state": "open", "owner": None, "title": "No"})

    shown = as_it_was(IncidentTask.objects.get(pk=task.pk), then)

    assert (shown.title, shown.state, shown.owner) == ("Raise the limit", "done", "sam")
    assert shown.done_at == begun.history.all()[1].at


def test_of_incident_puts_what_is_due_first(incident: Incident, sam: User) -> None:
    now = timezone.now()
    make_task(incident, sam, title="done", state="done")
    make_task(incident, sam, title="some day")
    make_task(incident, sam, title="overdue", due_at=now)

    shown = of_incident(incident)

    assert [(one.title, one.overdue) for one in shown] == [
        ("overdue", True),
        ("some day", False),
        ("done", False),
    ]


def test_a_change_is_told_with_what_changed(incident: Incident, sam: User) -> None:
    told: list[Any] = []

    def listen(task: IncidentTask, what: Any, **kwargs: Any) -> None:
        told.append((task.title, what))

    signals.task_changed.connect(listen)
    task = make_task(incident, sam)
    edit_task(task_id=task.pk, actor=sam, changes={"state": "in_progress"})
    signals.task_changed.disconnect(listen)

    titles = list(incident.timeline.filter(kind="task").values_list("title", flat=True))
    assert told == [
        ("Raise the limit", {}),
        ("Raise the limit", {"state": ["open", "in_progress"]}),
    ]
    assert titles == ["sam added the task: Raise the limit", "sam began the task: Raise the limit"]
