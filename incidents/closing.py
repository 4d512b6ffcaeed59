"""Closing an incident that was no failure of its own: a duplicate, a false positive, a drill.

It is resolved and sealed as every other, and left out of the statistics. What it was closed as
and why stay with the step of its status; reopening it makes it a failure again.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from accounts.models import User
from incidents import lifecycle
from incidents.edits import EditRefused
from incidents.merges import merging
from incidents.merges.survivors import survivor_of
from incidents.models import Incident, Status

CHAIN = 100
"""Duplicates of duplicates that are followed."""


def close_as(
    *,
    incident_id: UUID,
    closed_as: str,
    actor: User | None,
    reason: str = "",
    duplicate_of: Incident | None = None,
    version: int | None = None,
) -> Incident:
    """Close it as `closed_as`, one of Incident.ClosedAs; the incident as it is then.

    A duplicate of a named incident that is open is merged into it; of one that is over, it keeps
    the link. Without `duplicate_of` a reason is asked for. Raises EditRefused, which names the
    argument, TransitionRefused and VersionConflict.
    """
    kind = Incident.ClosedAs(closed_as)
    if duplicate_of is not None:
        if kind != Incident.ClosedAs.DUPLICATE:
            raise EditRefused({"duplicate_of": "Only a duplicate is one of another incident."})
        return _close_as_duplicate(incident_id, actor, reason, duplicate_of, version)
    if not reason.strip():
        raise EditRefused({"reason": f"Say why it is closed as {kind.label.lower()}."})
    return lifecycle.change_status(
        incident_id=incident_id,
        to=Status.RESOLVED,
        actor=actor,
        reason=reason,
        closed_as=kind,
        version=version,
    )


def _close_as_duplicate(
    incident_id: UUID, actor: User | None, reason: str, named: Incident, version: int | None
) -> Incident:
    original = _original(named)
    if original.pk == incident_id:
        raise EditRefused({"duplicate_of": "An incident is no duplicate of itself."})
    reason = reason.strip() or f"A duplicate of {original.reference}."
    with transaction.atomic():
        if not original.is_resolved:
            # merging locks both in their order: this one must not be locked before
            merging.merge(
                source_id=incident_id,
                target_id=original.pk,
                actor=actor,
                reason=reason,
                versions={incident_id: version} if version is not None else None,
            )
            Incident.objects.filter(pk=incident_id).update(closed_as=Incident.ClosedAs.DUPLICATE)
            return Incident.objects.get(pk=incident_id)
        return lifecycle.change_status(
            incident_id=incident_id,
            to=Status.RESOLVED,
            actor=actor,
            reason=reason,
            closed_as=Incident.ClosedAs.DUPLICATE,
            duplicate_of=original,
            version=version,
        )


def _original(named: Incident) -> Incident:
    """Where merges and links to duplicates lead from the named one, as they stand now."""
    found = Incident.objects.get(pk=named.pk)
    for _step in range(CHAIN):
        further = survivor_of(found) if found.merged_into_id else found.duplicate_of
        if further is None:
            return found
        found = further
    return found
