"""Two incidents that turn out to be one."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from accounts.models import User
from incidents import live, signals
from incidents.duplicates import Similarity
from incidents.edits import locked
from incidents.lifecycle import ALLOWED, TransitionRefused
from incidents.models import AffectedService, Impact, Incident, IncidentMerge


def merge(
    *,
    source_id: UUID,
    target_id: UUID,
    actor: User | None,
    reason: str = "",
    automatic: bool = False,
    similarity: Similarity | None = None,
) -> IncidentMerge:
    """Mark `source` as merged into `target`; occurrences and services move, events do not.

    Raises TransitionRefused when either is merged or resolved already, ValueError when both
    are one.
    """
    if source_id == target_id:
        raise ValueError("An incident cannot be merged into itself.")
    with transaction.atomic():
        first, second = sorted((source_id, target_id))  # ascending, or two merges deadlock
        rows = {first: locked(first), second: locked(second)}
        source, target = rows[source_id], rows[target_id]
        for row in (source, target):
            if row.merged_into_id or row.is_resolved:
                raise TransitionRefused(row, "merged", ALLOWED[row.status])
        occurrences = list(source.occurrences.values_list("pk", flat=True))
        source.occurrences.update(incident=target)
        present = set(target.affected.values_list("service_id", flat=True))
        added = [a.service for a in source.affected.select_related("service")]
        added = [service for service in added if service.pk not in present]
        AffectedService.objects.bulk_create(
            AffectedService(incident=target, service=service, impact=Impact.SECONDARY)
            for service in added
        )
        merge_row = IncidentMerge.objects.create(
            source=source,
            target=target,
            actor=actor,
            automatic=automatic,
            reason=reason,
            similarity=similarity.score if similarity else None,
            similarity_parts=similarity.parts if similarity else {},
            moved={
                "occurrences": [str(pk) for pk in occurrences],
                "services": [str(service.pk) for service in added],
            },
        )
        source.merged_into = target
        source.version += 1
        source.save(update_fields=["merged_into", "version", "updated_at"])
        signals.merged.send(Incident, incident=source, target=target, merge=merge_row, actor=actor)
        for row in (source, target):
            live.changed(row.pk, *[panel.name for panel in live.panels()])
        return merge_row
