"""What a report says of people: who did what, and what is left to do."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from incidents.models import Incident, Status
from timeline.models import Kind
from timeline.reporting.markdown import clock, escaped, table
from timeline.reporting.sections import Section
from timeline.union import events_of

DEEDS: dict[str, tuple[str, str]] = {
    # kind: one of it, several
    Kind.INCIDENT_CREATED: ("opened the incident", "opened {} incidents"),
    "acknowledged": ("acknowledged it", "acknowledged it {} times"),
    Kind.STATUS_CHANGED: ("resumed the investigation", "resumed the investigation {} times"),
    Kind.SEVERITY_CHANGED: ("changed the severity", "changed the severity {} times"),
    Kind.EDITED: ("edited it", "edited it {} times"),
    Kind.MITIGATION_APPLIED: ("mitigated", "mitigated {} times"),
    Kind.INCIDENT_RESOLVED: ("resolved it", "resolved it {} times"),
    Kind.REOPENED: ("reopened it", "reopened it {} times"),
    Kind.CAUSE_REVIEWED: ("judged a cause", "judged causes {} times"),
    Kind.ABSORBED: ("merged an incident into it", "merged {} incidents into it"),
    Kind.NOTE: ("wrote a note", "wrote {} notes"),
    Kind.CORRECTION: ("corrected an event", "corrected {} events"),
    Kind.TASK: ("worked on a task", "worked on tasks {} times"),
    Kind.ROLE_CHANGED: ("gave out a role", "gave out roles {} times"),
    Kind.TIME_CORRECTED: ("corrected a time", "corrected times {} times"),
}
OTHER_DEEDS = ("did something else", "did {} other things")


def people(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{roles: [{role, username, from, until}], people: [{username, first_at, last_at, deeds}]}.

    Both by who came first; `deeds` are words.
    """
    events = events_of(incident, as_of).filter(actor__isnull=False)
    if as_of is not None:
        events = events.filter(recorded_at__lte=as_of)
    done: dict[UUID, Counter[str]] = {}
    seen: dict[UUID, dict[str, Any]] = {}
    for actor, name, kind, at, data in events.values_list(
        "actor", "actor__username", "kind", "recorded_at", "data"
    ):
        deed = _deed(kind, data)
        if deed is not None:
            done.setdefault(actor, Counter())[deed] += 1
        person = seen.setdefault(actor, {"username": name, "first_at": at})
        person["last_at"] = at
    return {
        "roles": _roles(incident, as_of),
        "people": [
            {**person, "deeds": _deeds(done.get(actor, Counter()))}
            for actor, person in seen.items()
        ],
    }


def _roles(incident: Incident, as_of: datetime | None) -> list[dict[str, Any]]:
    held = incident.roles.select_related("user")
    if as_of is not None:
        held = held.filter(assigned_at__lte=as_of)
    return [
        {
            "role": row.role,
            "username": row.user.username,
            "from": row.assigned_at,
            "until": row.ended_at if as_of is None or (row.ended_at or as_of) < as_of else None,
        }
        for row in held
    ]


def _deed(kind: str, data: dict[str, Any]) -> str | None:
    """What it counts as; None for the step to resolved, which an event of its own tells."""
    if kind == Kind.STATUS_CHANGED and data.get("to") == Status.RESOLVED:
        return None
    if kind == Kind.STATUS_CHANGED and data.get("from") == Status.OPEN:
        return "acknowledged"
    return kind if kind in DEEDS else ""


def _deeds(counted: Counter[str]) -> list[str]:
    ordered = [kind for kind in (*DEEDS, "") if counted[kind]]
    words = []
    for kind in ordered:
        one, many = DEEDS.get(kind, OTHER_DEEDS)
        words.append(one if counted[kind] == 1 else many.format(counted[kind]))
    return words


def people_markdown(data: dict[str, Any]) -> str:
    parts = []
    if data["roles"]:
        held = [
            (row["role"], row["username"], clock(row["from"]), clock(row["until"]) or "the end")
            for row in data["roles"]
        ]
        parts.append(table(("Role", "Who", "From", "Until"), held))
    if not data["people"]:
        return "\n\n".join([*parts, "Nobody has acted on it."])
    rows = [
        (one["username"], clock(one["first_at"]), clock(one["last_at"]), ", ".join(one["deeds"]))
        for one in data["people"]
    ]
    return "\n\n".join([*parts, table(("Who", "First", "Last", "What"), rows)])


def tasks(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{tasks: [{id, title, state, owner, due_at, done_at}]}, the oldest first."""
    found = incident.tasks.select_related("owner").order_by("created_at", "id")
    if as_of is not None:
        found = found.filter(created_at__lte=as_of)
    return {
        "tasks": [
            {
                "id": task.pk,
                "title": task.title,
                "state": task.get_state_display(),
                "owner": task.owner.username if task.owner else None,
                "due_at": task.due_at,
                "done_at": task.done_at,
            }
            for task in found
        ]
    }


def tasks_markdown(data: dict[str, Any]) -> str:
    if not data["tasks"]:
        return "No task was left."
    return "\n".join(
        f"- {escaped(task['title'])} ({escaped(task['state'])}, "
        f"{escaped(task['owner'] or 'nobody has it')}"
        f"{', due ' + clock(task['due_at']) if task['due_at'] else ''})"
        for task in data["tasks"]
    )


PEOPLE = Section("people", "People", 70, people, "timeline/_report_people.html", people_markdown)
TASKS = Section("tasks", "Tasks", 80, tasks, "timeline/_report_tasks.html", tasks_markdown)
