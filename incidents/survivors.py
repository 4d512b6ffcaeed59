"""Where a merged incident leads, and which incidents were merged into one.

A merge only ever marks its source, so chains are followed here: A into B, B into C.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from incidents.models import Incident


def survivor_of(incident: Incident) -> Incident:
    """The incident at the end of the chain of merges; `incident` itself when it is not merged."""
    while incident.merged_into is not None:
        incident = incident.merged_into
    return incident


def members_of(incident_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """These incidents and all that were merged into them: {member: the one it was asked for}.

    One query a level of merges, plus the one that finds no more.
    """
    root = {pk: pk for pk in incident_ids}
    level = set(root)
    while level:
        found = Incident.objects.filter(merged_into__in=level).values_list("pk", "merged_into")
        level = {pk for pk, _into in found}
        root |= {pk: root[into] for pk, into in found if into is not None}
    return root


def holder_of(correlation_key: str) -> Incident | None:
    """The unresolved incident that alerts of this key belong to, None when there is none.

    A merged incident keeps its key, and the key leads to its survivor: what fires again does not
    open what was merged a second time. Of several that had the key the newest counts.
    """
    keyed = Incident.objects.filter(correlation_key=correlation_key)
    holder = keyed.active().first()
    if holder is not None:
        return holder
    last = keyed.select_related("merged_into").order_by("-number").first()
    survivor = survivor_of(last) if last is not None else None
    return survivor if survivor is not None and not survivor.is_resolved else None
