"""What changed of an incident, as a `Change` that can be told."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import User
from incidents.models import (
    FieldChange,
    Incident,
    IncidentMerge,
    IncidentRole,
    Pulse,
    Status,
    StatusChange,
)
from incidents.notify.events import Event
from incidents.notify.facts import Change, rfc3339
from incidents.notify.outbox import tell

STEPS: dict[tuple[str, str], Event] = {
    ("", Status.OPEN): Event.OPENED,
    (Status.OPEN, Status.INVESTIGATING): Event.ACKNOWLEDGED,
    (Status.MITIGATED, Status.INVESTIGATING): Event.RELAPSED,
    (Status.RESOLVED, Status.INVESTIGATING): Event.REOPENED,
}
ARRIVALS = {Status.MITIGATED: Event.MITIGATED, Status.RESOLVED: Event.RESOLVED}
OF_HEARTBEATS = {
    Event.OPENED: Event.HEARTBEAT_STOPPED,
    Event.REOPENED: Event.HEARTBEAT_STOPPED,
    Event.RESOLVED: Event.HEARTBEAT_BACK,
}
"""An incident that silence opened says with its own change what became of the heartbeat."""


def status_changed(row: StatusChange) -> None:
    event = STEPS.get((row.from_status, row.to_status)) or ARRIVALS.get(Status(row.to_status))
    if event is None:
        return
    also = OF_HEARTBEATS.get(event) if row.incident.source == Incident.Source.HEARTBEAT else None
    details: dict[str, Any] = {}
    if event == Event.OPENED and row.incident.description:
        details["description"] = row.incident.description[:1000]
    if event == Event.RESOLVED:
        details |= {
            name: getattr(row.incident, name)[:1000]
            for name in ("root_cause", "resolution")
            if getattr(row.incident, name)
        }
    tell(
        row.incident,
        Change(
            key=f"status:{row.pk}",
            events=(event, also) if also and row.actor is None else (event,),
            at=row.at,
            actor=row.actor,
            reason=row.reason,
            details=details,
        ),
    )


def field_changed(row: FieldChange) -> None:
    """Of all fields the severity is told."""
    if row.field != "severity":
        return
    incident = copy(row.incident)
    before, after = str(row.old), str(row.new)
    incident.severity = after  # the column is written after this row
    tell(
        incident,
        Change(
            key=f"field:{row.pk}",
            events=(Event.SEVERITY_CHANGED,),
            at=row.at,
            actor=row.actor,
            reason=row.reason,
            details={"from": before, "to": after},
            severities=(before,),
        ),
    )


def merged(incident: Incident, target: Incident, merge: IncidentMerge) -> None:
    tell(
        incident,
        Change(
            key=f"merge:{merge.pk}",
            events=(Event.MERGED,),
            at=merge.at,
            actor=merge.actor,
            reason=merge.reason,
            details={"into": target.reference, "into_title": target.title},
            severities=(target.severity,),
            path=target.get_absolute_url(),
        ),
    )


def unmerged(incident: Incident, target: Incident, merge: IncidentMerge) -> None:
    tell(
        incident,
        Change(
            key=f"unmerge:{merge.pk}",
            events=(Event.UNMERGED,),
            at=merge.undone_at or timezone.now(),
            actor=merge.undone_by,
            reason=merge.undone_reason,
            details={"from": target.reference},
        ),
    )


def heartbeat_changed(incident: Incident, pulse: Pulse, stopped: bool, beat_at: datetime) -> None:
    """A series besides those that opened the incident, or before those that end it.

    The first to stop and the last to be back are told by the incident's own change.
    """
    silent = Pulse.objects.filter(incident=incident).exclude(stopped_at=None).exclude(pk=pulse.pk)
    if not silent.exists():
        return
    words = ", ".join(f"{name}={value}" for name, value in sorted(pulse.alert.labels.items()))
    tell(
        incident,
        Change(
            key=f"heartbeat:{pulse.pk}:{'stopped' if stopped else 'back'}:{beat_at.timestamp()}",
            events=(Event.HEARTBEAT_STOPPED if stopped else Event.HEARTBEAT_BACK,),
            at=timezone.now(),
            details={"series": words[:500], "last_beat": rfc3339(beat_at)},
        ),
    )


def cause_identified(
    incident: Incident, key: str, title: str, service: str, confidence: float
) -> None:
    tell(
        incident,
        Change(
            key=f"cause:{key}",
            events=(Event.ROOT_CAUSE_IDENTIFIED,),
            at=timezone.now(),
            details={"cause": title[:500], "service": service, "confidence": confidence},
        ),
    )


def role_assigned(incident: Incident, role: IncidentRole, actor: User | None) -> None:
    tell(
        incident,
        Change(
            key=f"role:{role.pk}",
            events=(Event.ROLE_ASSIGNED,),
            at=role.assigned_at,
            actor=actor,
            details={"role": role.role, "person": role.user.username},
        ),
    )


def slos_changed(
    incident: Incident,
    key: str,
    breached: bool,
    slos: Sequence[str],
    at: datetime,
    burn_rate: float | None = None,
) -> None:
    """SLOs of its services were breached, or have recovered; `key` names the breach."""
    details: dict[str, Any] = {"slos": ", ".join(slos)[:500]}
    if burn_rate is not None:
        details["burn_rate"] = f"{burn_rate:.3g}"
    tell(
        incident,
        Change(
            key=f"slo:{key}:{'breached' if breached else 'recovered'}",
            events=(Event.SLO_BREACHED if breached else Event.SLO_RECOVERED,),
            at=at,
            details=details,
        ),
    )


def postmortem_published(incident: Incident, key: str, actor: User | None) -> None:
    """`key` is the postmortem's, which only apps to the right of this one know."""
    tell(
        incident,
        Change(
            key=f"postmortem:{key}",
            events=(Event.POSTMORTEM_PUBLISHED,),
            at=timezone.now(),
            actor=actor,
            path=f"{incident.get_absolute_url()}/postmortem",
        ),
    )
