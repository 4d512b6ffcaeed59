"""Where a merged incident leads, and which incidents were merged into one.

A merge only ever marks its source, so chains are followed here: A into B, B into C.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from incidents.models import Incident, IncidentMerge


def survivor_of(incident: Incident) -> Incident:
    """The incident at the end of the chain of merges; `incident` itself when it is not merged."""
    while incident.merged_into is not None:
        incident = incident.merged_into
    return incident


def members_of(incident_ids: Iterable[UUID], as_of: datetime | None = None) -> dict[UUID, UUID]:
    """These incidents and all that were merged into them: {member: the one it was asked for}.

    With `as_of` what was merged then. One query a level of merges, plus the one that finds no
    more.
    """
    root = {pk: pk for pk in incident_ids}
    level = set(root)
    merges = _lasting(as_of)
    while level:
        found = merges.filter(target__in=level).values_list("source", "target")
        level = {source for source, _target in found if source not in root}
        root |= {source: root[target] for source, target in found if source in level}
    return root


def merged_into(incident: Incident, as_of: datetime | None = None) -> list[IncidentMerge]:
    """The merges that make up the incident now, or did then, the first made first."""
    within = _lasting(as_of).filter(target__in=members_of([incident.pk], as_of))
    return list(within.select_related("source", "target", "actor").order_by("at", "id"))


def _lasting(as_of: datetime | None) -> QuerySet[IncidentMerge]:
    if as_of is None:
        return IncidentMerge.objects.filter(undone_at=None)
    lasted = Q(undone_at=None) | Q(undone_at__gt=as_of)
    return IncidentMerge.objects.filter(lasted, at__lte=as_of)


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
