"""The only writer of an incident's status.

Each function does its work in one transaction and returns what it made. Transitions that
are not allowed raise TransitionRefused, which names those that are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from incidents import keys, live, signals
from incidents.edits import edit, locked
from incidents.merges import apart, proposals
from incidents.merges.duplicates import Similarity, find_duplicates
from incidents.merges.survivors import holder_of
from incidents.models import (
    AffectedService,
    Impact,
    Incident,
    NumberSequence,
    Service,
    Status,
    StatusChange,
)
from incidents.neighbours import Neighbour, find_neighbour

ALLOWED: dict[str, tuple[Status, ...]] = {
    Status.OPEN: (Status.INVESTIGATING, Status.MITIGATED, Status.RESOLVED),
    Status.INVESTIGATING: (Status.MITIGATED, Status.RESOLVED),
    Status.MITIGATED: (Status.INVESTIGATING, Status.RESOLVED),
    Status.RESOLVED: (),
}


class TransitionRefused(Exception):
    """`allowed` names the statuses the incident may go to from where it is."""

    def __init__(self, incident: Incident, to: str, allowed: Sequence[str]) -> None:
        self.incident, self.to, self.allowed = incident, to, tuple(allowed)
        where = (
            f"merged into {incident.merged_into}" if incident.merged_into_id else incident.status
        )
        first = "un-merge" if incident.merged_into_id else "reopen"
        super().__init__(
            f"{incident.reference} is {where}; it cannot become {to}. "
            f"Allowed: {', '.join(self.allowed) or f'nothing; {first} it first'}."
        )


@dataclass(frozen=True)
class Opened:
    """`created` is False when the newcomer joined an open incident: the one of its key, one it
    duplicates (`similarity`) or one next door (`neighbour`)."""

    incident: Incident
    created: bool
    similarity: Similarity | None = None
    neighbour: Neighbour | None = None


def open_incident(
    *,
    title: str,
    severity: str,
    services: Sequence[Service],
    description: str = "",
    source: str = Incident.Source.MANUAL,
    actor: User | None = None,
    started_at: datetime | None = None,
    correlation_key: str | None = None,
    environment: str | None = None,
    allow_duplicate: bool = False,
    grouping_rule: UUID | None = None,
    join_neighbours: timedelta | None = None,
    labels: Mapping[str, str] | None = None,
) -> Opened:
    """Open an incident, or join the open one it duplicates.

    The first service is affected as primary, the rest as secondary. `started_at` is the
    earliest credible claim; one in the future is replaced by now. With `correlation_key` at
    most one open incident exists: a race is settled by the database and the loser joins; the
    key of a merged incident leads to its survivor. With `join_neighbours` an open incident next
    door that began so close by is joined; `grouping_rule` says whose delays hold for a new
    incident. `labels` are the opening alert's, for the similarity. With `allow_duplicate` it is
    opened all the same; where a person (`actor`) wants that, it is never merged automatically
    with one that it looks like.
    """
    now = timezone.now()
    started = min(started_at or now, now)
    if environment is None:
        environment = services[0].environment if services else "production"
    for _attempt in range(3):
        if correlation_key:
            joined = holder_of(correlation_key)
            if joined is not None:
                return Opened(joined, created=False)
        try:
            with transaction.atomic():
                NumberSequence.lock("incident")  # serialises openings: no twin slips in
                alike = find_duplicates(
                    title=title,
                    services=services,
                    started_at=started,
                    environment=environment,
                    labels=labels,
                    apart_from_rule=grouping_rule,
                )
                if alike and not allow_duplicate:
                    return Opened(alike[0].incident, created=False, similarity=alike[0])
                if join_neighbours and services:
                    near = find_neighbour(
                        service=services[0], started_at=started, within=join_neighbours
                    )
                    if near is not None:
                        return Opened(near.incident, created=False, neighbour=near)
                incident = Incident.objects.create(
                    number=NumberSequence.take("incident"),
                    title=title,
                    description=description,
                    severity=severity,
                    source=source,
                    environment=environment,
                    created_by=actor,
                    started_at=started,
                    detected_at=now,
                    correlation_key=correlation_key,
                    grouping_rule_id=grouping_rule,
                )
                AffectedService.objects.bulk_create(
                    AffectedService(
                        incident=incident,
                        service=service,
                        impact=Impact.SECONDARY if position else Impact.PRIMARY,
                        added_at=now,
                    )
                    for position, service in enumerate(dict.fromkeys(services))
                )
                StatusChange.objects.create(
                    incident=incident, from_status="", to_status=Status.OPEN, at=now, actor=actor
                )
                if actor is not None:
                    apart.opened_anyway(incident, alike, actor)
                live.changed(incident.pk, "header", "services")
                incident.refresh_from_db(fields=["revision", "analysis_status"])
                return Opened(incident, created=True)
        except IntegrityError:
            if not correlation_key:
                raise
    raise RuntimeError(f"no incident could be opened or joined for {correlation_key}")


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
    services: Sequence[Service] | None = None,
    reason: str = "",
    version: int | None = None,
) -> Incident:
    """Edit and move in one transaction: both happen or neither does.

    `may_stay` lets `to` be the status the incident has already. Raises TransitionRefused, also
    for a merged incident, and VersionConflict.
    """
    with transaction.atomic():
        found = locked(incident_id, version)
        if found.merged_into_id:
            raise TransitionRefused(found, to or "something else", ())
        incident = edit(
            incident_id=incident_id,
            actor=actor,
            changes=changes,
            services=services,
            reason=reason,
            version=version,
        )
        if to is None or (may_stay and to == incident.status):
            return incident
        return change_status(incident_id=incident_id, to=to, actor=actor, reason=reason)


def change_status(
    *,
    incident_id: UUID,
    to: str,
    actor: User | None,
    reason: str = "",
    version: int | None = None,
) -> Incident:
    """Move along ALLOWED; raises TransitionRefused or VersionConflict."""
    with transaction.atomic():
        incident = locked(incident_id, version)
        allowed = () if incident.merged_into_id else ALLOWED[incident.status]
        if to not in allowed:
            raise TransitionRefused(incident, to, allowed)
        return _move(incident, to, actor, reason)


def reopen(
    *, incident_id: UUID, actor: User | None, reason: str = "", version: int | None = None
) -> Incident:
    """resolved -> investigating. Its correlation key stays with a newer incident that has it."""
    with transaction.atomic():
        NumberSequence.lock("incident")  # no incident of its key opens meanwhile
        incident = locked(incident_id, version)
        if incident.status != Status.RESOLVED or incident.merged_into_id:
            allowed = () if incident.merged_into_id else ALLOWED[incident.status]
            raise TransitionRefused(incident, "reopened", allowed)
        incident.resolved_at = None
        incident.archived_at = None
        keys.yield_to_newer(incident)
        return _move(incident, Status.INVESTIGATING, actor, reason, reopening=True)


def _move(
    incident: Incident, to: str, actor: User | None, reason: str, *, reopening: bool = False
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
    incident.version += 1
    incident.save(
        update_fields=[
            "status",
            "acknowledged_at",
            "mitigated_at",
            "resolved_at",
            "archived_at",
            "version",
            "updated_at",
        ]
    )
    if reopening:
        # the seal is lifted first: the status change belongs to the reopened record
        signals.reopened.send(Incident, incident=incident, actor=actor, reason=reason)
    StatusChange.objects.create(
        incident=incident, from_status=before, to_status=to, at=now, actor=actor, reason=reason
    )
    if to == Status.RESOLVED:
        proposals.withdraw(incident.pk)
        signals.resolving.send(Incident, incident=incident, actor=actor)
        signals.sealing.send(Incident, incident=incident, actor=actor)
    live.changed(incident.pk, "header", "services")
    incident.refresh_from_db()
    return incident
