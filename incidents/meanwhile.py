"""Who changed an incident last, and what: for the person whose change came too late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from incidents.models import Incident, IncidentMerge
from incidents.models.history import FieldChange, StatusChange


@dataclass(frozen=True)
class LastEdit:
    """`who` is a username, None for the machine or a token; `what` is a clause without an end."""

    at: datetime
    who: str | None
    what: str


def last_edit(incident: Incident) -> LastEdit | None:
    """The newest of what counts in `version`; None for an incident nobody has touched."""
    found = [_status(incident), _field(incident), _role(incident), _merge(incident)]
    return max((one for one in found if one is not None), key=lambda one: one.at, default=None)


def _status(incident: Incident) -> LastEdit | None:
    steps = StatusChange.objects.filter(incident=incident).exclude(from_status="")
    row = steps.select_related("actor").order_by("at", "id").last()
    if row is None:
        return None
    what = f"status from {row.from_status} to {row.to_status}"
    return LastEdit(row.at, row.actor.username if row.actor else None, what)


def _field(incident: Incident) -> LastEdit | None:
    rows = FieldChange.objects.filter(incident=incident, actor__isnull=False)
    row = rows.select_related("actor").order_by("at", "id").last()
    if row is None:
        return None
    short = row.field in ("severity", *_TIMES)
    what = f"{row.field.replace('_', ' ')}{f' from {row.old} to {row.new}' if short else ''}"
    return LastEdit(row.at, row.actor.username if row.actor else None, what)


_TIMES = ("started_at", "detected_at", "acknowledged_at")


def _role(incident: Incident) -> LastEdit | None:
    moments = []
    for row in incident.roles.select_related("user", "assigned_by", "ended_by"):
        by = row.assigned_by.username if row.assigned_by else None
        moments.append(LastEdit(row.assigned_at, by, f"{row.user.username} became {row.role}"))
        if row.ended_at is not None:
            by = row.ended_by.username if row.ended_by else None
            what = f"{row.user.username} is no longer {row.role}"
            moments.append(LastEdit(row.ended_at, by, what))
    return max(moments, key=lambda one: one.at, default=None)


def _merge(incident: Incident) -> LastEdit | None:
    rows = IncidentMerge.objects.filter(source=incident)
    row = rows.select_related("target", "actor", "undone_by").order_by("at", "id").last()
    if row is None:
        return None
    if row.undone_at is not None:
        by = row.undone_by.username if row.undone_by else None
        return LastEdit(row.undone_at, by, f"un-merged from {row.target.reference}")
    by = row.actor.username if row.actor else None
    return LastEdit(row.at, by, f"merged into {row.target.reference}")
