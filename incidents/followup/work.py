"""The only writer of tasks. They outlive the seal: what an incident leaves to do comes after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from incidents import live, signals
from incidents.edits import EditRefused, as_json
from incidents.models import Incident, IncidentTask, TaskChange
from incidents.people.roles import may_hold

State = IncidentTask.State
ALLOWED: dict[str, tuple[State, ...]] = {
    State.OPEN: (State.IN_PROGRESS, State.DONE, State.DROPPED),
    State.IN_PROGRESS: (State.OPEN, State.DONE, State.DROPPED),
    State.DONE: (State.OPEN, State.IN_PROGRESS),
    State.DROPPED: (State.OPEN, State.IN_PROGRESS),
}
EDITABLE = ("title", "description", "owner", "due_at", "state")


class TaskRefused(Exception):
    """The task cannot go to that state from where it is; `allowed` names those it can."""

    def __init__(self, task: IncidentTask, to: str) -> None:
        self.task, self.allowed = task, ALLOWED[task.state]
        super().__init__(
            f"The task is {words(task.state)}; it cannot become {words(to)}. "
            f"Allowed: {', '.join(words(state) for state in self.allowed)}."
        )


class TaskConflict(Exception):
    """Somebody else edited the task since `expected` was read."""

    def __init__(self, task: IncidentTask, expected: int) -> None:
        self.task, self.expected = task, expected
        last = task.history.select_related("actor").order_by("at", "id").last()
        by = f" by {last.actor.username}" if last is not None and last.actor else ""
        what = f": {', '.join(words(name) for name in last.changes)}" if last else ""
        super().__init__(f"The task was changed meanwhile{by}{what}.")


def add_task(
    *,
    incident_id: UUID,
    title: str,
    actor: User | None,
    description: str = "",
    owner: User | None = None,
    due_at: datetime | None = None,
    state: str = State.OPEN,
) -> IncidentTask:
    """A new task of the incident, sealed or not. Raises EditRefused, Incident.DoesNotExist."""
    _check(title, owner)
    now = timezone.now()
    with transaction.atomic():
        incident = Incident.objects.get(pk=incident_id)
        live.changed(incident_id, "tasks")  # the lock, before the task's own
        task = IncidentTask.objects.create(
            incident=incident,
            title=title.strip(),
            description=description,
            state=State(state),
            owner=owner,
            due_at=due_at,
            done_at=now if state == State.DONE else None,
            created_by=actor,
            created_at=now,
        )
        made = {"state": [None, task.state], "owner": [None, _plain(owner)]}
        TaskChange.objects.create(task=task, at=now, actor=actor, changes=made)
        signals.task_changed.send(Incident, incident=incident, task=task, actor=actor, what={})
        return task


def edit_task(
    *, task_id: UUID, actor: User | None, changes: Mapping[str, Any], version: int | None = None
) -> IncidentTask:
    """Change EDITABLE fields; changes that change nothing are none.

    Raises TaskRefused, TaskConflict when it is not at `version`, EditRefused.
    """
    with transaction.atomic():
        incident = Incident.objects.get(tasks=task_id)
        live.changed(incident.pk, "tasks")
        task = IncidentTask.objects.select_related("owner").get(pk=task_id)
        if version is not None and task.version != version:
            raise TaskConflict(task, version)
        before = {name: getattr(task, name) for name in EDITABLE}
        after = {name: changes[name] for name in EDITABLE if name in changes}
        what = {
            name: [_plain(before[name]), _plain(value)]
            for name, value in after.items()
            if before[name] != value
        }
        if not what:
            return task
        _check(after.get("title", task.title), after["owner"] if "owner" in what else None)
        if "state" in what and after["state"] not in ALLOWED[task.state]:
            raise TaskRefused(task, after["state"])
        _write(task, {name: after[name] for name in what}, actor, what)
        signals.task_changed.send(Incident, incident=incident, task=task, actor=actor, what=what)
        return task


def _write(
    task: IncidentTask, changes: Mapping[str, Any], actor: User | None, what: Mapping[str, Any]
) -> None:
    now = timezone.now()
    for name, value in changes.items():
        setattr(task, name, value)
    if "state" in changes:
        task.done_at = now if task.state == State.DONE else None
    task.version += 1
    task.save(update_fields=[*changes, "done_at", "version", "updated_at"])
    TaskChange.objects.create(task=task, at=now, actor=actor, changes=dict(what))


def _check(title: str, owner: User | None) -> None:
    wrong = {}
    if not title.strip():
        wrong["title"] = "Say what is to be done."
    if owner is not None and not may_hold(owner):
        wrong["owner"] = f"{owner.username} may only look on: the role responder acts."
    if wrong:
        raise EditRefused(wrong)


def _plain(value: Any) -> Any:
    return value.username if isinstance(value, User) else as_json(value)


def words(name: str) -> str:
    return name.replace("_", " ")
