"""The only writer of an incident's status.

Each function does its work in one transaction and returns what it made. Transitions that
are not allowed raise TransitionRefused, which names those that are. A step raises VersionConflict
when the incident is not at `version`, where one is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from incidents import keys, live, signals
from incidents.edits import edit, locked
from incidents.merges import proposals
from incidents.models import Incident, NumberSequence, Service, Status, StatusChange
from incidents.opening import Opened, open_incident
from incidents.transitions import ALLOWED, TransitionRefused, allowed

__all__ = [
    "ALLOWED",
    "Opened",
    "TransitionRefused",
    "acknowledge",
    "change_status",
    "mitigate",
    "open_incident",
    "patch",
    "reopen",
    "resolve",
]


def acknowledge(
    *, incident_id: UUID, actor: User | None, reason: str = "", version: int | None = None
) -> Incident:
    """open -> investigating by a person: the first human step."""
    to = Status.INVESTIGATING
    return change_status(
        incident_id=incident_id, to=to, actor=actor, reason=reason, version=version
    )


def mitigate(
    *, incident_id: UUID, actor: User | None, reason: str = "", version: int | None = None
) -> Incident:
    return change_status(
        incident_id=incident_id, to=Status.MITIGATED, actor=actor, reason=reason, version=version
    )


def resolve(
    *,
    incident_id: UUID,
    actor: User | None,
    reason: str = "",
    root_cause: str | None = None,
    resolution: str | None = None,
    version: int | None = None,
) -> Incident:
    """Resolve: status, then `resolving` (impact, analyses), last `sealing` (timeline)."""
    given = {"root_cause": root_cause, "resolution": resolution}
    return patch(
        incident_id=incident_id,
        to=Status.RESOLVED,
        actor=actor,
        reason=reason,
        changes={name: value for name, value in given.items() if value is not None},
        version=version,
    )


def patch(
    *,
    incident_id: UUID,
    actor: User | None,
    changes: dict[str, Any],
    to: str | None = None,
    may_stay: bool = False,
    services: Sequence[Service] | Mapping[Service, str] | None = None,
    reason: str = "",
    version: int | None = None,
) -> Incident:
    """Edit and move in one transaction: both happen or neither does.

    `may_stay` lets `to` be the status the incident has already. Raises TransitionRefused, also
    for a merged incident, VersionConflict, and what `edits.edit` raises.
    """
    with transaction.atomic():
        found = locked(incident_id, version)
        moving = to is not None and not (may_stay and to == found.status)
        if found.merged_into_id or (moving and to not in allowed(found)):
            raise TransitionRefused(found, to or "something else", allowed(found))
        incident = edit(
            incident_id=incident_id,
            actor=actor,
            changes=changes,
            services=services,
            reason=reason,
        )
        if to is None or not moving:
            return incident
        counted = incident.version > found.version  # one act is one edit
        return _move(incident, to, actor, reason, counted=counted)


def change_status(
    *,
    incident_id: UUID,
    to: str,
    actor: User | None,
    reason: str = "",
    closed_as: str = "",
    duplicate_of: Incident | None = None,
    version: int | None = None,
) -> Incident:
    """Move along ALLOWED. `closed_as` marks a resolution of what was no failure of its own."""
    with transaction.atomic():
        incident = locked(incident_id, version)
        if to not in allowed(incident):
            raise TransitionRefused(incident, to, allowed(incident))
        incident.closed_as, incident.duplicate_of = closed_as, duplicate_of
        return _move(incident, to, actor, reason)


def reopen(
    *, incident_id: UUID, actor: User | None, reason: str = "", version: int | None = None
) -> Incident:
    """resolved -> investigating; out of the archive, and no longer closed as anything.

    Its correlation key stays with a newer incident that has it.
    """
    with transaction.atomic():
        NumberSequence.lock("incident")  # no incident of its key opens meanwhile
        incident = locked(incident_id, version)
        if incident.status != Status.RESOLVED or incident.merged_into_id:
            raise TransitionRefused(incident, "reopened", allowed(incident))
        incident.resolved_at = incident.archived_at = incident.duplicate_of = None
        incident.closed_as = ""
        keys.yield_to_newer(incident)
        return _move(incident, Status.INVESTIGATING, actor, reason, reopening=True)


def _move(
    incident: Incident,
    to: str,
    actor: User | None,
    reason: str,
    *,
    reopening: bool = False,
    counted: bool = False,
) -> Incident:
    now = timezone.now()
    before = incident.status
    incident.status = to
    if actor is not None and incident.acknowledged_at is None:
        incident.acknowledged_at = max(now, incident.started_at)
    if to == Status.MITIGATED:
        incident.mitigated_at = now
    if to == Status.RESOLVED:
        incident.resolved_at = now
    incident.version += not counted
    incident.save(
        update_fields=[
            "status",
            "acknowledged_at",
            "mitigated_at",
            "resolved_at",
            "archived_at",
            "closed_as",
            "duplicate_of",
            "version",
            "updated_at",
        ]
    )
    if reopening:
        # the seal is lifted first: the status change belongs to the reopened record
        signals.reopened.send(Incident, incident=incident, actor=actor, reason=reason)
    StatusChange.objects.create(
        incident=incident,
        from_status=before,
        to_status=to,
        closed_as=incident.closed_as,
        at=now,
        actor=actor,
        reason=reason,
    )
    if to == Status.RESOLVED:
        proposals.withdraw(incident.pk)
        signals.resolving.send(Incident, incident=incident, actor=actor)
        signals.sealing.send(Incident, incident=incident, actor=actor)
    live.changed(incident.pk, "header", "services")
    incident.refresh_from_db()
    return incident
