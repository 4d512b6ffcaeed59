"""Tasks of one incident and of all, and as they were at an earlier moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.utils import timezone

from accounts.models import User
from incidents.merges.survivors import members_of
from incidents.models import Incident, IncidentTask

PAGE_SIZE = 50
UNFINISHED = (IncidentTask.State.OPEN, IncidentTask.State.IN_PROGRESS)


@dataclass(frozen=True)
class Shown:
    """A task as it is or was; `overdue` only while it is unfinished."""

    task: IncidentTask
    title: str
    state: str
    owner: str | None
    due_at: datetime | None
    done_at: datetime | None
    overdue: bool

    @property
    def is_over(self) -> bool:
        return self.state not in UNFINISHED

    @property
    def state_words(self) -> str:
        return IncidentTask.State(self.state).label


def of_incident(incident: Incident, as_of: datetime | None = None) -> list[Shown]:
    """Its tasks and those of what was merged into it: unfinished first, then by due date."""
    tasks = IncidentTask.objects.filter(incident__in=members_of([incident.pk], as_of))
    rows = tasks.select_related("owner", "incident")
    if as_of is not None:
        rows = rows.filter(created_at__lte=as_of).prefetch_related("history")
        shown = [as_it_was(row, as_of) for row in rows]
    else:
        shown = [as_it_is(row) for row in rows]
    return sorted(shown, key=_urgency)


def as_it_is(task: IncidentTask) -> Shown:
    owner = task.owner.username if task.owner else None
    return _shown(task, task.title, task.state, owner, task.due_at, task.done_at, timezone.now())


def as_it_was(task: IncidentTask, as_of: datetime) -> Shown:
    """Its edits since `as_of` undone, the newest first."""
    now: dict[str, Any] = {
        "title": task.title,
        "state": task.state,
        "owner": task.owner.username if task.owner else None,
        "due_at": task.due_at,
    }
    done_at = task.done_at
    for change in reversed(task.history.all()):
        if change.at > as_of:
            now |= {name: old for name, (old, _new) in change.changes.items() if name in now}
        elif change.changes.get("state", [None, None])[1] == IncidentTask.State.DONE:
            done_at = change.at
            break
    due = now["due_at"]
    due_at = datetime.fromisoformat(due) if isinstance(due, str) else due
    done_at = done_at if now["state"] == IncidentTask.State.DONE else None
    return _shown(task, now["title"], now["state"], now["owner"], due_at, done_at, as_of)


def _shown(
    task: IncidentTask,
    title: str,
    state: str,
    owner: str | None,
    due_at: datetime | None,
    done_at: datetime | None,
    now: datetime,
) -> Shown:
    overdue = state in UNFINISHED and due_at is not None and due_at < now
    return Shown(task, title, state, owner, due_at, done_at, overdue)


def _urgency(one: Shown) -> tuple[bool, bool, float, float]:
    due = one.due_at.timestamp() if one.due_at else 0.0
    return one.is_over, one.due_at is None, due, one.task.created_at.timestamp()


def matching(
    *,
    state: str = "unfinished",
    owner: str = "",
    me: User | None = None,
    overdue: bool = False,
    q: str = "",
) -> QuerySet[IncidentTask]:
    """Tasks of all incidents, unfinished first, then by due date, then newest.

    `state` is a state, "unfinished" or "" for all; `owner` a username, "me" or "nobody".
    """
    rows = IncidentTask.objects.select_related("incident", "owner", "created_by")
    if state == "unfinished":
        rows = rows.filter(state__in=UNFINISHED)
    elif state:
        rows = rows.filter(state=state)
    if owner == "nobody":
        rows = rows.filter(owner=None)
    elif owner == "me":
        rows = rows.filter(owner=me)
    elif owner:
        rows = rows.filter(owner__username=owner)
    if overdue:
        rows = rows.filter(state__in=UNFINISHED, due_at__lt=timezone.now())
    if q:
        rows = rows.filter(Q(title__icontains=q) | Q(description__icontains=q))
    over = Case(When(state__in=UNFINISHED, then=Value(0)), default=1, output_field=IntegerField())
    return rows.annotate(over=over).order_by(
        "over", F("due_at").asc(nulls_last=True), "-created_at", "-id"
    )


def shown(tasks: Iterable[IncidentTask]) -> list[Shown]:
    return [as_it_is(task) for task in tasks]
