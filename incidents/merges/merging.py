"""Incidents that turn out to be one: the sources are marked, the survivor gets what they had.

No event moves. What does is listed in `IncidentMerge.moved`, so that `unmerging` can give it
back:

{"occurrences": ids that moved,
 "kept": ids of the survivor's own occurrences of the same series,
 "services": ids of the services that were added to the survivor,
 "recovered": {service id: when it had recovered at the survivor, before it failed again},
 "columns": {"severity" | "started_at" | "detected_at": {"before": the survivor's, "brought":
             the source's}}}
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from incidents import edits, live, signals
from incidents.lifecycle import ALLOWED, TransitionRefused
from incidents.merges import proposals
from incidents.merges.duplicates import describe
from incidents.merges.similarity import Likeness, compare
from incidents.models import (
    AffectedService,
    Impact,
    Incident,
    IncidentMerge,
    MergeProposal,
    Severity,
)

COLUMNS = ("severity", "started_at", "detected_at")


class CannotMerge(ValueError):
    """The text says why, in words for the person who asked."""


def merge(
    *,
    source_id: UUID,
    target_id: UUID,
    actor: User | None,
    reason: str = "",
    automatic: bool = False,
    likeness: Likeness | None = None,
    versions: Mapping[UUID, int] | None = None,
) -> IncidentMerge:
    """`merge_all` of one source."""
    (made,) = merge_all(
        source_ids=[source_id],
        target_id=target_id,
        actor=actor,
        reason=reason,
        automatic=automatic,
        likenesses={source_id: likeness} if likeness else None,
        versions=versions,
    )
    return made


def merge_all(
    *,
    source_ids: Collection[UUID],
    target_id: UUID,
    actor: User | None,
    reason: str = "",
    automatic: bool = False,
    likenesses: Mapping[UUID, Likeness] | None = None,
    versions: Mapping[UUID, int] | None = None,
) -> list[IncidentMerge]:
    """Merge all sources into the target, or none; occurrences and services move, events do not.

    `likenesses`, by source, say how alike each is to what it is merged for; by default each is
    compared with the target. `versions` are those that the caller has read.
    Raises VersionConflict, TransitionRefused when one of them is merged or resolved already,
    CannotMerge for no source and for a target among its sources, Incident.DoesNotExist.
    """
    sources = set(source_ids)
    if not sources or target_id in sources:
        raise CannotMerge("An incident is merged into another one, never into itself.")
    with transaction.atomic():
        rows = lock([*sources, target_id])
        for pk, version in (versions or {}).items():
            edits.expect(rows[pk], version)
        for row in rows.values():
            if row.merged_into_id or row.is_resolved:
                raise TransitionRefused(row, "merged", ALLOWED[row.status])
        known = likenesses or _compared(rows, target_id)
        target = rows.pop(target_id)
        made = [
            _merge(source, target, actor, reason, automatic, known[source.pk])
            for source in sorted(rows.values(), key=lambda row: row.number)
        ]
        proposals.settle_merged(rows, target_id, actor)
        return made


def accept(*, proposal_id: UUID, actor: User | None, reason: str = "") -> IncidentMerge:
    """The two of a proposal are one: the newer is merged into the older.

    Raises proposals.AlreadyDecided, TransitionRefused, MergeProposal.DoesNotExist.
    """
    with transaction.atomic():
        pair = MergeProposal.objects.get(pk=proposal_id)
        lock([pair.older_id, pair.newer_id])
        row = proposals.undecided(proposal_id)
        return merge(
            source_id=row.newer_id,
            target_id=row.older_id,
            actor=actor,
            reason=reason or row.reason,
            likeness=Likeness(row.score, row.parts),
        )


def lock(incident_ids: Iterable[UUID]) -> dict[UUID, Incident]:
    """The incidents, locked in ascending id: in any other order two merges could deadlock.

    Raises Incident.DoesNotExist when one is missing.
    """
    wanted = set(incident_ids)
    rows = Incident.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    found = {row.pk: row for row in rows}
    if len(found) < len(wanted):
        raise Incident.DoesNotExist("One of the incidents does not exist.")
    return found


def _compared(rows: Mapping[UUID, Incident], target_id: UUID) -> dict[UUID, Likeness]:
    """How alike each is to the target, as they stand now."""
    described = describe(list(rows.values()))
    target = described.pop(target_id)
    return {pk: compare(target, source) for pk, source in described.items()}


def _merge(
    source: Incident,
    target: Incident,
    actor: User | None,
    reason: str,
    automatic: bool,
    likeness: Likeness,
) -> IncidentMerge:
    now = timezone.now()
    moved: dict[str, Any] = {
        **_move_occurrences(source, target),
        "columns": {
            name: {"before": as_json(target, name), "brought": as_json(source, name)}
            for name in COLUMNS
        },
    }
    moved |= _share_services(source, target, now)
    row = IncidentMerge.objects.create(
        source=source,
        target=target,
        at=now,
        actor=actor,
        automatic=automatic,
        reason=reason,
        similarity=likeness.score,
        similarity_parts=likeness.parts,
        moved=moved,
    )
    source.merged_into = target
    source.version += 1
    source.save(update_fields=["merged_into", "version", "updated_at"])
    signals.merged.send(Incident, incident=source, target=target, merge=row, actor=actor)
    edits.raise_severity(
        incident_id=target.pk, to=source.severity, reason=f"{source.reference} was merged in."
    )
    target.severity = worse(target.severity, source.severity)
    target.started_at = min(target.started_at, source.started_at)
    target.detected_at = min(target.detected_at, source.detected_at)
    target.save(update_fields=["started_at", "detected_at", "updated_at"])
    redraw(source, target)
    return row


def _move_occurrences(source: Incident, target: Incident) -> dict[str, list[str]]:
    moving = list(source.occurrences.order_by("started_at", "id").values_list("pk", "alert"))
    series = {alert for _pk, alert in moving}
    kept = target.occurrences.filter(alert__in=series).values_list("pk", flat=True)
    moved = {
        "occurrences": [str(pk) for pk, _alert in moving],
        "kept": sorted(str(pk) for pk in kept),
    }
    source.occurrences.update(incident=target)
    return moved


def _share_services(source: Incident, target: Incident, now: datetime) -> dict[str, Any]:
    """The source's services are the target's too, secondary unless it had none of its own."""
    theirs = {row.service_id: row for row in target.affected.all()}
    added, recovered = [], {}
    for row in source.affected.order_by("impact", "added_at", "service"):
        here = theirs.get(row.service_id)
        if here is None:
            added.append(row.service_id)
            AffectedService.objects.create(
                incident=target,
                service_id=row.service_id,
                impact=Impact.SECONDARY if theirs else row.impact,
                added_at=now,
                recovered_at=row.recovered_at,
            )
        elif here.recovered_at is not None and row.recovered_at is None:
            recovered[str(row.service_id)] = here.recovered_at.isoformat()
            here.recovered_at = None
            here.save(update_fields=["recovered_at"])
    return {"services": [str(pk) for pk in added], "recovered": recovered}


def worse(one: str, other: str) -> str:
    """The higher of two severities."""
    return min(one, other, key=Severity.values.index)


def as_json(incident: Incident, name: str) -> str:
    value = getattr(incident, name)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def redraw(*incidents: Incident) -> None:
    """All panels of these, in the order in which their rows may be locked."""
    for pk in sorted(incident.pk for incident in incidents):
        live.changed(pk, *[panel.name for panel in live.panels()])
