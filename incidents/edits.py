"""What people and alerts change of an incident, each old value kept on the record.

An edit by a person counts in `version`, which a caller may expect to be what it read. Status is
not a field to edit: `incidents.lifecycle` writes it. A resolved incident is sealed: nothing of it
is edited until it is reopened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from incidents import live, signals
from incidents.meanwhile import LastEdit, last_edit
from incidents.models import AffectedService, FieldChange, Impact, Incident, Service, Severity
from incidents.time_order import CORRECTABLE, ORDER, out_of_order
from incidents.transitions import TransitionRefused

EDITABLE = ("title", "description", "severity", "root_cause", "resolution")
TIMES = CORRECTABLE
MOMENTS = tuple(dict.fromkeys(name for pair in ORDER for name in pair))


class VersionConflict(Exception):
    """Somebody else changed the incident since `expected` was read; `last` is the newest edit."""

    def __init__(self, incident: Incident, expected: int, last: LastEdit | None) -> None:
        self.incident, self.expected, self.last = incident, expected, last
        text = f"{incident.reference} is at version {incident.version}, not {expected}."
        if last is not None and incident.version > expected:
            by = f" by {last.who}" if last.who else ""
            text = f"{incident.reference} was changed meanwhile{by}: {last.what}."
        super().__init__(text)


class Sealed(Exception):
    """The incident is resolved: its record is closed until it is reopened."""

    def __init__(self, incident: Incident) -> None:
        self.incident = incident
        super().__init__(
            f"{incident.reference} was resolved at {incident.resolved_at:%Y-%m-%d %H:%M:%S} UTC "
            "and its record is sealed; reopen it to change it."
        )


class EditRefused(ValueError):
    """`errors` says what is wrong with which field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__(" ".join(f"{name}: {why}" for name, why in self.errors.items()))


def locked(incident_id: UUID, version: int | None = None) -> Incident:
    """The incident, locked until the transaction ends (SQLite locks the whole database).

    Raises VersionConflict when it is not at `version`, where one is given.
    """
    incident = Incident.objects.select_for_update(no_key=True).get(pk=incident_id)
    expect(incident, version)
    return incident


def expect(incident: Incident, version: int | None) -> None:
    """Raises VersionConflict when the locked incident is not at `version`; None expects nothing."""
    if version is not None and incident.version != version:
        raise VersionConflict(incident, version, last_edit(incident))


def unsealed(incident_id: UUID, version: int | None = None) -> Incident:
    """`locked`, for an edit: raises Sealed, and TransitionRefused for a merged incident."""
    incident = locked(incident_id, version)
    if incident.merged_into_id:
        raise TransitionRefused(incident, "something else", ())
    if incident.is_resolved:
        raise Sealed(incident)
    return incident


def edit(
    *,
    incident_id: UUID,
    actor: User | None,
    changes: Mapping[str, Any],
    services: Sequence[Service] | Mapping[Service, str] | None = None,
    reason: str = "",
    version: int | None = None,
) -> Incident:
    """Change EDITABLE fields, TIMES and the affected services; old values stay on the record.

    `services` are all that are affected from now on, with their impact levels when it is a
    mapping. Changes that change nothing are none. Raises VersionConflict, Sealed, and EditRefused
    for times out of order or corrected without a reason.
    """
    with transaction.atomic():
        incident = locked(incident_id, version)
        touched = [
            name
            for name in (*EDITABLE, *TIMES)
            if name in changes and getattr(incident, name) != changes[name]
        ]
        impacts = None if services is None else _impacts(incident, services)
        if not touched and impacts is None:
            return incident
        if incident.is_resolved:
            raise Sealed(incident)
        _check_times(incident, {name: changes[name] for name in TIMES if name in touched}, reason)
        for name in touched:
            _edit_field(incident, name, changes[name], actor, reason)
        incident.version += 1
        incident.save(update_fields=[*touched, "version", "updated_at"])
        if impacts is not None:
            _set_services(incident, impacts, actor, reason)
            touched.append("services")
        signals.edited.send(Incident, incident=incident, actor=actor, fields=touched)
        live.changed(incident.pk, "header", "services")
        incident.refresh_from_db()
        return incident


def correct_times(
    *,
    incident_id: UUID,
    actor: User | None,
    reason: str,
    started_at: datetime | None = None,
    detected_at: datetime | None = None,
    acknowledged_at: datetime | None = None,
    version: int | None = None,
) -> Incident:
    """`edit` of the times that are given; every duration counts from the corrected ones."""
    given = zip(TIMES, (started_at, detected_at, acknowledged_at), strict=True)
    return edit(
        incident_id=incident_id,
        actor=actor,
        changes={name: at for name, at in given if at is not None},
        reason=reason,
        version=version,
    )


def _check_times(incident: Incident, corrected: Mapping[str, datetime], reason: str) -> None:
    if not corrected:
        return
    moments = {name: getattr(incident, name) for name in MOMENTS}
    wrong = out_of_order(moments, corrected, timezone.now())
    if not reason.strip():
        wrong["reason"] = "Say why the time was wrong: the old one stays on the record."
    if wrong:
        raise EditRefused(wrong)


def _edit_field(incident: Incident, name: str, value: Any, actor: User | None, reason: str) -> None:
    FieldChange.objects.create(
        incident=incident,
        field=name,
        old=as_json(getattr(incident, name)),
        new=as_json(value),
        actor=actor,
        reason=reason,
    )
    setattr(incident, name, value)


def as_json(value: Any) -> Any:
    """How a value stands on the record: a time as RFC 3339 in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def _impacts(
    incident: Incident, services: Sequence[Service] | Mapping[Service, str]
) -> dict[Service, str] | None:
    """The impact level of each service from now on; None when that is how it is already."""
    now = {row.service_id: row.impact for row in incident.affected.all()}
    if isinstance(services, Mapping):
        wanted = dict(services)
    else:
        wanted = {}
        for service in dict.fromkeys(services):
            first = Impact.SECONDARY if now or wanted else Impact.PRIMARY
            wanted[service] = now.get(service.pk, first)
    return None if {one.pk: level for one, level in wanted.items()} == now else wanted


def _set_services(
    incident: Incident, wanted: Mapping[Service, str], actor: User | None, reason: str
) -> None:
    rows = {row.service: row for row in incident.affected.select_related("service")}
    before = {service.slug: row.impact for service, row in rows.items()}
    incident.affected.exclude(service__in=wanted).delete()
    for service, impact in wanted.items():
        row = rows.get(service)
        if row is None:
            AffectedService.objects.create(incident=incident, service=service, impact=impact)
        elif row.impact != impact:
            row.impact = impact
            row.save(update_fields=["impact"])
    after = {service.slug: impact for service, impact in wanted.items()}
    kept = before.keys() & after.keys()
    levels = {slug for slug in kept if before[slug] != after[slug]}
    if before.keys() != after.keys():
        _record(incident, "services", sorted(before), sorted(after), actor, reason)
    if levels:
        old, new = ({slug: of[slug] for slug in sorted(levels)} for of in (before, after))
        _record(incident, "impact_levels", old, new, actor, reason)


def _record(
    incident: Incident, field: str, old: Any, new: Any, actor: User | None, reason: str
) -> None:
    FieldChange.objects.create(
        incident=incident, field=field, old=old, new=new, actor=actor, reason=reason
    )


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
    after = [*current.values(), *(service.slug for service in missing)]
    _record(incident, "services", sorted(current.values()), sorted(after), actor, reason)
    if actor is not None:
        Incident.objects.filter(pk=incident.pk).update(version=F("version") + 1)
    live.changed(incident.pk, "header", "services")
    return True
