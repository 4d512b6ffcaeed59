"""Alerts not heard of for longer than their sender repeats them: marked, never closed.

Silence may be a lost route, a silenced alert or an end that nobody told; only its sender knows.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from incidents.models import AlertOccurrence, AlertSource
from incidents.upkeep.marks import Mark, tell

PATIENCE = 1.25
"""Alertmanager looks whether a repeat is due at each group_interval, so that one is up to that
much late; a quarter of the default repeat_interval is twelve times the default group_interval."""

MOST_AT_ONCE = 1000


def mark_stale(now: datetime | None = None) -> int:
    """Mark what has become stale and unmark what was heard of again; how many were marked."""
    now = now or timezone.now()
    _unmark_heard()
    marked = 0
    # our own alerts are ended by what began them, and not repeated meanwhile
    for source in AlertSource.objects.exclude(kind=AlertSource.Kind.INTERNAL):
        patience = patience_of(source)
        silent = AlertOccurrence.objects.filter(
            alert__source=source,
            resolved_at=None,
            stale_since=None,
            alert__last_seen_at__lt=now - patience,
            alert__pulse=None,
        ).select_related("alert", "incident")
        for occurrence in silent.order_by("started_at", "id")[:MOST_AT_ONCE]:
            marked += _mark(occurrence, patience)
    return marked


def patience_of(source: AlertSource) -> timedelta:
    """How long an alert of this source may stay unheard."""
    repeat = source.repeat_interval_seconds or settings.ALERT_REPEAT_INTERVAL_SECONDS
    return timedelta(seconds=repeat * PATIENCE)


def _mark(occurrence: AlertOccurrence, patience: timedelta) -> int:
    seen = occurrence.alert.last_seen_at
    with transaction.atomic():
        rows = AlertOccurrence.objects.filter(
            pk=occurrence.pk, resolved_at=None, stale_since=None, alert__last_seen_at=seen
        )
        marked = rows.update(stale_since=seen + patience)
        if marked:
            tell(
                occurrence,
                Mark.STALE,
                detail=f"{seen:%Y-%m-%d %H:%M:%S} UTC",
                at=seen + patience,
            )
    return marked


def _unmark_heard() -> None:
    heard = AlertOccurrence.objects.filter(
        stale_since__lt=F("alert__last_seen_at"), resolved_at=None
    ).select_related("alert", "incident")
    for occurrence in heard:
        with transaction.atomic():
            if AlertOccurrence.objects.filter(
                pk=occurrence.pk, stale_since=occurrence.stale_since
            ).update(stale_since=None):
                tell(occurrence, Mark.HEARD_AGAIN)
