"""Who took which role, and what became of tasks, on the timeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.models import User
from incidents.models import Incident, IncidentRole, IncidentTask
from timeline.edit_words import role_title, task_title
from timeline.models import Kind, TimelineEvent
from timeline.narrate import source_of, unless_sealed
from timeline.record import Entry


def role_changed(
    incident: Incident, role: IncidentRole, user: User, actor: User | None, ended: bool
) -> list[TimelineEvent]:
    entry = Entry(
        kind=Kind.ROLE_CHANGED,
        title=role_title(role, user, actor, ended),
        source=source_of(actor),
        actor=actor,
        occurred_at=role.ended_at if ended else role.assigned_at,
        data={"role": role.role, "user": user.username, "ended": ended},
    )
    return unless_sealed(incident, [entry])


def task_changed(
    incident: Incident, task: IncidentTask, actor: User | None, what: Mapping[str, Any]
) -> list[TimelineEvent]:
    """Empty when the timeline is sealed: the task has its own history."""
    entry = Entry(
        kind=Kind.TASK,
        title=task_title(task.title, actor, what, task.owner.username if task.owner else None),
        source=source_of(actor),
        actor=actor,
        data={"task": str(task.pk), "state": task.state, "changes": dict(what)},
    )
    return unless_sealed(incident, [entry])
