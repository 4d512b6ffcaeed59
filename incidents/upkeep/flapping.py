"""Series that fire and resolve over and over: marked, told of once, and held open.

A change is a firing or its end. More than `flap_changes` of a series within `flap_window_seconds`
make it flap; it flaps until nothing has changed for ALERT_FLAP_QUIET_SECONDS. While it flaps its
firings and ends are no news, and the incident it belongs to does not resolve.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max
from django.db.models.functions import Coalesce
from django.utils import timezone

from incidents.models import Alert, AlertOccurrence, AlertSource
from incidents.upkeep.marks import Mark, tell

AT_ONCE = 1000
"""Series named in one statement."""


def note_changes(alert_ids: Iterable[UUID], now: datetime | None = None) -> int:
    """Look at series that have just changed; how many began to flap.

    A few queries for each AT_ONCE series and source, and some more for each that begins to.
    """
    now = now or timezone.now()
    wanted = sorted(set(alert_ids))
    parts = (wanted[start : start + AT_ONCE] for start in range(0, len(wanted), AT_ONCE))
    return sum(_note(part, now) for part in parts)


def _note(wanted: Sequence[UUID], now: datetime) -> int:
    by_source: dict[UUID, list[UUID]] = {}
    steady = Alert.objects.filter(pk__in=wanted, flapping_since=None, pulse=None)
    for pk, source_id in steady.values_list("pk", "source_id"):
        by_source.setdefault(source_id, []).append(pk)
    began = 0
    for source in AlertSource.objects.filter(pk__in=by_source):
        changes, window = limits_of(source)
        counted = _changes(by_source[source.pk], now - timedelta(seconds=window), now)
        for pk, count in sorted(counted.items()):
            if count > changes:
                began += _begin(pk, now, f"{count} changes within {window / 60:g} min")
    return began


def end_quiet(now: datetime | None = None) -> int:
    """End the flapping of series that have not changed for the quiet time; how many."""
    now = now or timezone.now()
    quiet = timedelta(seconds=settings.ALERT_FLAP_QUIET_SECONDS)
    last = Max(Coalesce("occurrences__resolved_at", "occurrences__started_at"))
    flapping = Alert.objects.exclude(flapping_since=None).annotate(changed_at=last)
    ended = 0
    for alert in flapping.filter(changed_at__lte=now - quiet):
        ended += _end(alert, quiet)
    return ended


def limits_of(source: AlertSource) -> tuple[int, float]:
    """(how many changes are still none, within how many seconds)."""
    return (
        source.flap_changes or settings.ALERT_FLAP_CHANGES,
        source.flap_window_seconds or settings.ALERT_FLAP_WINDOW_SECONDS,
    )


def _changes(alert_ids: Iterable[UUID], since: datetime, now: datetime) -> Counter[UUID]:
    """How often each series fired or ended since then."""
    counted: Counter[UUID] = Counter()
    rows = AlertOccurrence.objects.filter(alert__in=list(alert_ids)).order_by()
    for when in ("started_at", "resolved_at"):
        recent = rows.filter(**{f"{when}__gt": since})
        counted.update(dict(recent.values_list("alert").annotate(Count("pk"))))
    return counted


def _begin(alert_id: UUID, now: datetime, how: str) -> int:
    with transaction.atomic():
        if not Alert.objects.filter(pk=alert_id, flapping_since=None).update(flapping_since=now):
            return 0
        if (newest := _newest(alert_id)) is not None:
            tell(newest, Mark.FLAPPING, detail=how, at=now)
    return 1


def _end(alert: Alert, quiet: timedelta) -> int:
    with transaction.atomic():
        rows = Alert.objects.filter(pk=alert.pk, flapping_since=alert.flapping_since)
        if not rows.update(flapping_since=None):
            return 0
        if (newest := _newest(alert.pk)) is not None:
            state = "firing" if newest.resolved_at is None else "resolved"
            tell(newest, Mark.STEADY, detail=f"{state} for {quiet.total_seconds() / 60:g} min")
    return 1


def _newest(alert_id: UUID) -> AlertOccurrence | None:
    rows = AlertOccurrence.objects.filter(alert=alert_id).exclude(incident=None)
    return rows.select_related("alert", "incident").order_by("-started_at", "-id").first()
