"""Taking what is over off the board; it stays in lists, searches, statistics and the API.

Only a resolved incident is archived, so its record is sealed. Reopening brings it back.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from incidents import live
from incidents.edits import as_json, locked
from incidents.models import FieldChange, Incident, Status
from incidents.transitions import TransitionRefused, allowed

AT_ONCE = 500
"""Incidents archived in one sweep: what is left waits for the next."""


def archive(
    *, incident_id: UUID, actor: User | None, reason: str = "", version: int | None = None
) -> Incident:
    """Archive it now; one that is archived stays as it is.

    Raises TransitionRefused for one that is not resolved, VersionConflict.
    """
    with transaction.atomic():
        incident = locked(incident_id, version)
        if not incident.is_resolved or incident.merged_into_id:
            raise TransitionRefused(incident, "archived", allowed(incident))
        if incident.archived_at is not None:
            return incident
        now = timezone.now()
        FieldChange.objects.create(
            incident=incident,
            field="archived_at",
            old=None,
            new=as_json(now),
            at=now,
            actor=actor,
            reason=reason,
        )
        incident.archived_at = now
        incident.version += 1
        incident.save(update_fields=["archived_at", "version", "updated_at"])
        live.changed(incident.pk, "header")
        incident.refresh_from_db()
        return incident


def archive_due(now: datetime | None = None) -> int:
    """Archive what was resolved ARCHIVE_AFTER_SECONDS ago or longer; how many.

    Work of the machine: it counts in no version.
    """
    now = now or timezone.now()
    due = Incident.objects.filter(
        status=Status.RESOLVED,
        merged_into=None,
        archived_at=None,
        resolved_at__lte=now - timedelta(seconds=settings.ARCHIVE_AFTER_SECONDS),
    )
    ids = list(due.order_by("resolved_at").values_list("pk", flat=True)[:AT_ONCE])
    archived = 0
    for pk in ids:
        with transaction.atomic():
            # guarded: somebody may reopen it meanwhile
            if due.filter(pk=pk).update(archived_at=now):
                live.changed(pk, "header")
                archived += 1
    return archived
