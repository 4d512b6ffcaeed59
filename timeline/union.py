"""One list of what happened to an incident and to those that were merged into it.

Events stay where they were written; they are read together, by when they were recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from incidents.merges.survivors import members_of
from incidents.models import Incident
from timeline.kinds import meant
from timeline.models import PinnedEvent, TimelineEvent

ORDER = ("recorded_at", "origin_number", "seq")


def events_of(incident: Incident, as_of: datetime | None = None) -> QuerySet[TimelineEvent]:
    """Events of the incident and of all merged into it (by then), each with `origin_number`.

    In the order in which they were recorded; each chain's own order is kept.
    """
    members = list(members_of([incident.pk], as_of))
    events = TimelineEvent.objects.filter(incident__in=members)
    return events.annotate(origin_number=F("incident__number")).order_by(*ORDER)


def own_events(incident: Incident) -> QuerySet[TimelineEvent]:
    """Events of the incident's own timeline, each with `origin_number`."""
    events = TimelineEvent.objects.filter(incident=incident)
    return events.annotate(origin_number=F("incident__number")).order_by("seq")


def filtered(
    events: QuerySet[TimelineEvent], kinds: Sequence[str], sources: Sequence[str]
) -> QuerySet[TimelineEvent]:
    """Those of any of these kinds (or groups) and any of these sources; all where none is named."""
    if kinds:
        events = events.filter(kind__in=meant(kinds))
    if sources:
        events = events.filter(source__in=sources)
    return events


def with_pins(events: QuerySet[TimelineEvent]) -> QuerySet[TimelineEvent]:
    """Each with `is_pinned`."""
    standing = PinnedEvent.objects.filter(event=OuterRef("pk"), unpinned_at=None)
    return events.annotate(is_pinned=Exists(standing))


def following(events: QuerySet[TimelineEvent], last: TimelineEvent) -> QuerySet[TimelineEvent]:
    """Those of `events_of` that come after `last`, one of them."""
    number: int = last.origin_number  # type: ignore[attr-defined]  # annotated by events_of
    same = Q(recorded_at=last.recorded_at)
    return events.filter(
        Q(recorded_at__gt=last.recorded_at)
        | same & Q(origin_number__gt=number)
        | same & Q(origin_number=number, seq__gt=last.seq)
    )


def preceding(events: QuerySet[TimelineEvent], last: TimelineEvent) -> QuerySet[TimelineEvent]:
    """Those of `events_of` that come before `last`, one of them; the nearest first."""
    number: int = last.origin_number  # type: ignore[attr-defined]  # annotated by events_of
    same = Q(recorded_at=last.recorded_at)
    return events.filter(
        Q(recorded_at__lt=last.recorded_at)
        | same & Q(origin_number__lt=number)
        | same & Q(origin_number=number, seq__lt=last.seq)
    ).reverse()
