"""Pinning events: rows of their own, allowed after the seal too."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from incidents import live
from incidents.merges.survivors import survivor_of
from timeline.models import PinnedEvent, TimelineEvent


def pin(event: TimelineEvent, actor: User | None) -> PinnedEvent:
    """The event's pin, made when it has none."""
    try:
        with transaction.atomic():
            made = PinnedEvent.objects.create(event=event, by=actor)
            _redraw(event)
            return made
    except IntegrityError:
        return PinnedEvent.objects.get(event=event, unpinned_at=None)


def unpin(event: TimelineEvent, actor: User | None) -> bool:
    """Take its pin off; False when it has none."""
    with transaction.atomic():
        row = PinnedEvent.objects.select_for_update().filter(event=event, unpinned_at=None).first()
        if row is None:
            return False
        row.unpinned_at, row.unpinned_by = timezone.now(), actor
        row.save(update_fields=["unpinned_at", "unpinned_by"])
        _redraw(event)
        return True


def of(events: QuerySet[TimelineEvent], as_of: datetime | None = None) -> list[PinnedEvent]:
    """The pins of these events that stand now, or did then, the first first."""
    standing = Q(unpinned_at=None) if as_of is None else Q(unpinned_at=None, at__lte=as_of)
    if as_of is not None:
        standing |= Q(unpinned_at__gt=as_of, at__lte=as_of)
    rows = PinnedEvent.objects.filter(standing, event__in=events.order_by().values("pk"))
    return list(rows.select_related("by", "event__incident"))


def _redraw(event: TimelineEvent) -> None:
    survivor = survivor_of(event.incident)
    for pk in sorted({event.incident_id, survivor.pk}):
        live.changed(pk, "timeline")
