"""An incident began with the earliest of its alerts, also when that one was heard of later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from incidents import edits, live
from incidents.models import AlertOccurrence, FieldChange, Incident, Status

OLDEST_CREDIBLE_CLAIM = timedelta(hours=24)
"""Before the incident was opened."""


def earlier(occurrences: QuerySet[AlertOccurrence]) -> list[AlertOccurrence]:
    """Those that claim to have begun before their open incident did."""
    found = occurrences.filter(
        fired=True,
        incident__source=Incident.Source.ALERT,
        incident__merged_into=None,
        claimed_started_at__lt=F("incident__started_at"),
    ).exclude(incident__status=Status.RESOLVED)
    return list(found.select_related("alert").order_by("claimed_started_at", "id"))


def move_back(earliest: Sequence[AlertOccurrence]) -> list[Incident]:
    """Have their incidents begin with them, no earlier than is credible; those that moved.

    A start that a person has set stays.
    """
    first: dict[object, AlertOccurrence] = {}
    for occurrence in earliest:
        first.setdefault(occurrence.incident_id, occurrence)
    moved = [_move(occurrence) for occurrence in first.values()]
    return [incident for incident in moved if incident is not None]


@transaction.atomic
def _move(occurrence: AlertOccurrence) -> Incident | None:
    assert occurrence.incident_id is not None  # `earlier` leaves out those without
    incident = edits.locked(occurrence.incident_id)
    oldest = incident.detected_at - OLDEST_CREDIBLE_CLAIM
    at = max(occurrence.claimed_started_at, oldest)
    if at >= incident.started_at or incident.is_resolved:
        return None
    if incident.field_changes.filter(field="started_at").exclude(actor=None).exists():
        return None
    FieldChange.objects.create(
        incident=incident,
        field="started_at",
        old=_told(incident.started_at),
        new=_told(at),
        reason=f"Alert {occurrence.alert.name} says that it began earlier.",
    )
    incident.started_at = at
    incident.save(update_fields=["started_at", "updated_at"])
    live.changed(incident.pk, "header")
    return incident


def _told(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
