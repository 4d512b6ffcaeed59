"""What people and alerts change of an incident, each old value kept on the record.

An edit by a person counts in `version`, which a caller may expect to be what it read. Status is
not a field to edit: `incidents.lifecycle` writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import User
from incidents import live, signals
from incidents.models import AffectedService, FieldChange, Impact, Incident, Service, Severity

EDITABLE = ("title", "description", "severity", "root_cause", "resolution")


class VersionConflict(Exception):
    """Somebody else changed the incident since `expected` was read."""

    def __init__(self, incident: Incident, expected: int) -> None:
        self.incident, self.expected = incident, expected
        super().__init__(f"{incident.reference} is at version {incident.version}, not {expected}.")


def locked(incident_id: UUID, version: int | None = None) -> Incident:
    """The incident, locked until the transaction ends (SQLite locks the whole database).

    Raises VersionConflict when it is not at `version`, where one is given.
    """
    incident = Incident.objects.select_for_update(no_key=True).get(pk=incident_id)
    if version is not None and incident.version != version:
        raise VersionConflict(incident, version)
    return incident


def edit(
    *,
    incident_id: UUID,
    actor: User | None,
    changes: dict[str, Any],
    services: Sequence[Service] | None = None,
    reason: str = "",
    version: int | None = None,
) -> Incident:
    """Change EDITABLE fields and the affected services; every old value stays on the record."""
    with transaction.atomic():
        incident = locked(incident_id, version)
        touched = [
            name
            for name in EDITABLE
            if name in changes and getattr(incident, name) != changes[name]
        ]
        for name in touched:
            _edit_field(incident, name, changes[name], actor, reason)
        if services is not None and _replace_services(incident, services, actor, reason):
            touched.append("services")
        if not touched:
            return incident
        incident.version += 1
        incident.save(
            update_fields=[n for n in touched if n != "services"] + ["version", "updated_at"]
        )
        signals.edited.send(Incident, incident=incident, actor=actor, fields=touched)
        live.changed(incident.pk, "header", "services")
        incident.refresh_from_db()
        return incident


def _edit_field(incident: Incident, name: str, value: Any, actor: User | None, reason: str) -> None:
    FieldChange.objects.create(
        incident=incident,
        field=name,
        old=getattr(incident, name),
        new=value,
        actor=actor,
        reason=reason,
    )
    setattr(incident, name, value)


def _replace_services(
    incident: Incident, services: Sequence[Service], actor: User | None, reason: str
) -> bool:
    wanted = list(dict.fromkeys(services))
    current = {a.service_id: a.service.slug for a in incident.affected.select_related("service")}
    if set(current) == {service.pk for service in wanted}:
        return False
    incident.affected.exclude(service__in=wanted).delete()
    AffectedService.objects.bulk_create(
        AffectedService(
            incident=incident,
            service=service,
            impact=Impact.SECONDARY if current or position else Impact.PRIMARY,
        )
        for position, service in enumerate(wanted)
        if service.pk not in current
    )
    FieldChange.objects.create(
        incident=incident,
        field="services",
        old=sorted(current.values()),
        new=sorted(service.slug for service in wanted),
        actor=actor,
        reason=reason,
    )
    return True


def raise_severity(*, incident_id: UUID, to: str, reason: str) -> bool:
    """Raise the severity to `to` when it is lower now; True if it changed."""
    lower = Severity.values[Severity.values.index(to) + 1 :]
    with transaction.atomic():
        incident = locked(incident_id)
        if incident.severity not in lower:
            return False
        _edit_field(incident, "severity", to, None, reason)
        incident.save(update_fields=["severity", "updated_at"])
        live.changed(incident_id, "header")
        return True


def add_services(
    *, incident: Incident, services: Sequence[Service], reason: str, actor: User | None = None
) -> bool:
    """Add those that the incident does not name yet; True if there were any.

    The first service of an incident is hit as primary, others as secondary. The caller holds
    the incident's lock.
    """
    current = {a.service_id: a.service.slug for a in incident.affected.select_related("service")}
    missing = [service for service in services if service.pk not in current]
    if not missing:
        return False
    AffectedService.objects.bulk_create(
        AffectedService(
            incident=incident,
            service=service,
            impact=Impact.SECONDARY if current or position else Impact.PRIMARY,
        )
        for position, service in enumerate(missing)
    )
    FieldChange.objects.create(
        incident=incident,
        field="services",
        old=sorted(current.values()),
        new=sorted([*current.values(), *(service.slug for service in missing)]),
        actor=actor,
        reason=reason,
    )
    live.changed(incident.pk, "header", "services")
    return True
