"""What a comparison with the Alertmanagers found, written down: marks, ends, and what was lost.

Each firing is changed by a guarded update: what a delivery said meanwhile stays.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from incidents.intake import alerts, grouping
from incidents.intake.closing import close
from incidents.intake.received import ReceivedAlert
from incidents.models import Alert, AlertOccurrence, AlertSource, Delivery, Pulse
from incidents.upkeep.comparison import Comparison, Quieted
from incidents.upkeep.marks import Mark, tell
from incidents.upkeep.quieting import in_words

logger = logging.getLogger("studio.intake")
BATCH = 500
"""Rows named in one statement."""


def apply(
    source: AlertSource,
    occurrences: Mapping[str, AlertOccurrence],
    found: Comparison,
    asked_at: datetime,
    now: datetime,
) -> tuple[int, int]:
    """How many firings it ended, and how many it took in that were new to us.

    `occurrences` are the source's open ones that were compared, by their series' identity.
    """
    _heard_of(_heard(source, occurrences, found), asked_at)
    back = {key for key in found.listed if occurrences[key].absent_since is not None}
    _absent_since([occurrences[key].pk for key in back | found.uncertain], None)
    _absent_since([occurrences[key].pk for key in found.absent], asked_at)
    for key, by in found.quieted.items():
        _suppressed(occurrences[key], by, now)
    for key in found.loud_again:
        _loud_again(occurrences[key])
    closed = _close(source, [occurrences[key] for key in found.over], asked_at)
    return closed, _take_in(source, found.lost)


def _heard(
    source: AlertSource, occurrences: Mapping[str, AlertOccurrence], found: Comparison
) -> list[UUID]:
    """The series that the reading is as good as a repeat of.

    A beat has to be delivered, or nobody would notice that the way to us is cut; only one that
    is kept from us on purpose is not waited for.
    """
    pulses = Pulse.objects.filter(alert__source=source)
    beats = set(pulses.values_list("alert_id", flat=True))
    listed = {key: occurrences[key].alert_id for key in found.listed}
    return [pk for key, pk in listed.items() if pk not in beats or key not in found.loud]


def _heard_of(alerts_listed: Sequence[UUID], at: datetime) -> None:
    for batch in _batches(alerts_listed):
        Alert.objects.filter(pk__in=batch, last_seen_at__lt=at).update(last_seen_at=at)


def _absent_since(occurrence_ids: Sequence[UUID], at: datetime | None) -> None:
    for batch in _batches(occurrence_ids):
        AlertOccurrence.objects.filter(pk__in=batch, resolved_at=None).update(absent_since=at)


def _suppressed(occurrence: AlertOccurrence, by: Quieted, now: datetime) -> None:
    """Write down by what it is quieted; the timeline hears of the first time only."""
    since = occurrence.suppressed_since or now
    with transaction.atomic():
        rows = AlertOccurrence.objects.filter(pk=occurrence.pk, resolved_at=None)
        changed = rows.update(suppressed_by=by, suppressed_since=since)
        if changed and occurrence.suppressed_since is None:
            tell(occurrence, Mark.SUPPRESSED, detail=in_words(by))


def _loud_again(occurrence: AlertOccurrence) -> None:
    with transaction.atomic():
        rows = AlertOccurrence.objects.filter(pk=occurrence.pk, resolved_at=None)
        if rows.exclude(suppressed_since=None).update(suppressed_by=None, suppressed_since=None):
            tell(occurrence, Mark.LOUD_AGAIN)


def _close(source: AlertSource, over: Sequence[AlertOccurrence], asked_at: datetime) -> int:
    """End what is over, as a delivery of its own that grouping tells the incidents about.

    A series that was heard of since we asked is left open: its row is locked and read again.
    """
    if not over:
        return 0
    ids = [occurrence.pk for occurrence in over]
    with transaction.atomic():
        series = Alert.objects.select_for_update(no_key=True).filter(occurrences__in=ids)
        quiet = {a.pk for a in series.order_by("identity") if a.last_seen_at < asked_at}
        # as of when they were not listed: a delivery that came since says more
        gone = close([o.pk for o in over if o.alert_id in quiet], asked_at)
        if not gone:
            return 0
        # no sender said so: taken once more, it says nothing
        told = {"alerts": [], "reconciled": [occurrence.alert.labels for occurrence in gone]}
        delivery = Delivery.objects.create(
            source=source, body=json.dumps(told), alert_count=len(gone)
        )
        AlertOccurrence.objects.filter(pk__in=[occurrence.pk for occurrence in gone]).update(
            ended_by=AlertOccurrence.EndedBy.RECONCILED, delivery=delivery
        )
        grouping.wake(delivery.pk)
    logger.info("%s: %d alerts are no longer held, closed", source.slug, len(gone))
    return len(gone)


def _take_in(source: AlertSource, lost: Sequence[ReceivedAlert]) -> int:
    """Store what a lost delivery would have said; how many were new to us."""
    if not lost:
        return 0
    told = {
        "version": "4",
        "reconciled": True,
        "alerts": [
            {
                "status": "firing",
                "labels": dict(one.labels),
                "annotations": dict(one.annotations),
                "startsAt": one.starts_at.isoformat() if one.starts_at else None,
                "generatorURL": one.generator_url,
                "fingerprint": one.fingerprint,
            }
            for one in lost
        ],
    }
    with transaction.atomic():
        delivery = alerts.store(source, json.dumps(told), lost)
        grouping.wake(delivery.pk)
    return delivery.occurrences.count()


def _batches(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
