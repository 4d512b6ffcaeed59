"""What somebody changed of an incident, of its people and of its tasks, in one line each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from accounts.models import User
from incidents.models import FieldChange, IncidentRole, IncidentTask

TIMES = {
    "started_at": "start of the incident",
    "detected_at": "time of detection",
    "acknowledged_at": "time of acknowledgement",
}
AS = {
    "duplicate": "a duplicate",
    "false_positive": "a false positive",
    "drill": "a drill",
}


def field_title(change: FieldChange) -> str:
    who = change.actor.username if change.actor else ""
    field = change.field
    if field == "severity":
        move = f"from {change.old} to {change.new}"
        return f"{who} changed the severity {move}" if who else f"Severity {move}"
    if field in TIMES:
        move = f"the {TIMES[field]} from {_moment(change.old)} to {_moment(change.new)}"
        return f"{who} corrected {move}" if who else f"Corrected {move}"
    if field == "services":
        return _services(who, change.old or [], change.new or [])
    if field == "impact_levels":
        levels = ", ".join(f"{slug} {level}" for slug, level in sorted((change.new or {}).items()))
        return f"{who} changed the impact: {levels}" if who else f"Impact: {levels}"
    if field == "archived_at":
        return f"{who} archived the incident" if who else "The incident was archived"
    verb, name = "changed" if change.old else "set", field.replace("_", " ")
    return f"{who} {verb} the {name}" if who else f"The {name} was {verb}"


def _services(who: str, old: list[str], new: list[str]) -> str:
    joined = ", ".join(slug for slug in new if slug not in old)
    left = ", ".join(slug for slug in old if slug not in new)
    parts = [f"added {joined}"] if joined else []
    parts += [f"removed {left}"] if left else []
    text = " and ".join(parts)
    return f"{who} {text} as affected" if who else f"Affected services: {text}"


def _moment(text: str | None) -> str:
    """Seconds are enough to say; the record has it whole."""
    if text is None:
        return "none"
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC"


def role_title(role: IncidentRole, user: User, actor: User | None, ended: bool) -> str:
    name = {
        "commander": "the commander",
        "scribe": "the scribe",
        "responder": "a responder",
    }[role.role]
    said = f"{user.username} is {'no longer ' if ended else ''}{name}"
    by = "" if actor is None or actor.pk == user.pk else f", by {actor.username}"
    return f"{said}{by}"


def task_title(
    title: str, actor: User | None, what: Mapping[str, Any], owner: str | None = None
) -> str:
    """`what` as `task_changed` has it: empty for a new task, whose owner is `owner`."""
    who = actor.username if actor else ""
    if not what:
        to = f", for {owner}" if owner else ""
        return f"{who} added the task: {title}{to}" if who else f"Task added: {title}{to}"
    if "state" in what:
        verb = {
            IncidentTask.State.OPEN: "put back",
            IncidentTask.State.IN_PROGRESS: "began",
            IncidentTask.State.DONE: "finished",
            IncidentTask.State.DROPPED: "dropped",
        }[what["state"][1]]
        return f"{who} {verb} the task: {title}" if who else f"Task {verb}: {title}"
    if "owner" in what:
        new = what["owner"][1]
        given = f"gave {title} to {new}" if new else f"took {title} from {what['owner'][0]}"
        return f"{who} {given}" if who else f"Task: {given}"
    names = ", ".join(name.replace("_at", "").replace("_", " ") for name in what)
    return f"{who} changed the {names} of the task: {title}" if who else f"Task changed: {title}"


def closing(closed_as: str) -> str:
    """duplicate -> a duplicate."""
    return AS.get(closed_as, closed_as)
