"""The only writer of roles: taking one, handing it over, laying it down."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.models import Role, User
from incidents import live, signals
from incidents.edits import EditRefused, unsealed
from incidents.models import Incident, IncidentRole

ORDER = {role: place for place, role in enumerate(IncidentRole.Role.values)}


class RoleOver(Exception):
    """The role had ended before."""

    def __init__(self, row: IncidentRole) -> None:
        self.row = row
        super().__init__(f"{row.user.username} laid down the role of {row.role} already.")


def assign(
    *,
    incident_id: UUID,
    user: User,
    role: str,
    actor: User | None,
    version: int | None = None,
    at: datetime | None = None,
) -> tuple[IncidentRole, bool]:
    """Give `user` the role; (its row, whether it is new). `at` is for what was lived through
    before it is written down; None means now.

    Whoever commanded hands over in the same act. Raises EditRefused for somebody who may not act
    on incidents, VersionConflict, Sealed, TransitionRefused for a merged incident.
    """
    role = IncidentRole.Role(role).value
    if not may_hold(user):
        raise EditRefused({"user": f"{user.username} may only look on: the role responder acts."})
    with transaction.atomic():
        incident = unsealed(incident_id, version)
        held = IncidentRole.objects.filter(incident=incident, role=role, ended_at=None)
        mine = held.filter(user=user).select_related("user", "assigned_by").first()
        if mine is not None:
            return mine, False
        now = at or timezone.now()
        if role == IncidentRole.Role.COMMANDER:
            for former in held.select_related("user"):
                _end(incident, former, actor, now)
        row = IncidentRole.objects.create(
            incident=incident, user=user, role=role, assigned_by=actor, assigned_at=now
        )
        _told(incident, row, actor, ended=False)
        _count(incident)
        return row, True


def end(
    *, incident_id: UUID, role_id: UUID, actor: User | None, version: int | None = None
) -> IncidentRole:
    """The role is laid down. Raises RoleOver, IncidentRole.DoesNotExist, and as `assign`."""
    with transaction.atomic():
        incident = unsealed(incident_id, version)
        row = IncidentRole.objects.select_related("user").get(pk=role_id, incident=incident)
        if row.ended_at is not None:
            raise RoleOver(row)
        _end(incident, row, actor, timezone.now())
        _count(incident)
        return row


def held(incident: Incident, as_of: datetime | None = None) -> list[IncidentRole]:
    """The roles held now, or then: the commander first, in each role by who came first."""
    rows: QuerySet[IncidentRole] = incident.roles.select_related("user", "assigned_by")
    if as_of is None:
        rows = rows.filter(ended_at=None)
    else:
        rows = rows.filter(Q(ended_at=None) | Q(ended_at__gt=as_of), assigned_at__lte=as_of)
    return in_order(rows)


def commander(incident: Incident, as_of: datetime | None = None) -> IncidentRole | None:
    """Who commands now, or did then."""
    first = next(iter(held(incident, as_of)), None)
    return first if first is not None and first.role == IncidentRole.Role.COMMANDER else None


def in_order(rows: Iterable[IncidentRole]) -> list[IncidentRole]:
    return sorted(rows, key=lambda row: (ORDER[row.role], row.assigned_at, row.pk))


def may_hold(user: User) -> bool:
    return user.is_active and user.has_role(Role.RESPONDER)


def _end(incident: Incident, row: IncidentRole, actor: User | None, now: datetime) -> None:
    row.ended_at, row.ended_by = max(now, row.assigned_at), actor
    row.save(update_fields=["ended_at", "ended_by"])
    _told(incident, row, actor, ended=True)


def _told(incident: Incident, row: IncidentRole, actor: User | None, *, ended: bool) -> None:
    signals.role_changed.send(
        Incident, incident=incident, role=row, user=row.user, actor=actor, ended=ended
    )


def _count(incident: Incident) -> None:
    """One act, one edit: handing over ends one role and begins another."""
    Incident.objects.filter(pk=incident.pk).update(version=F("version") + 1)
    live.changed(incident.pk, "header", "people")
