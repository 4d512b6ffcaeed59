"""Asks each source's Alertmanagers what they hold, and brings what we think is open in line.

A webhook cannot report everything: a silenced alert never sends "resolved", a lost delivery
says nothing. What may be concluded is `comparison`'s; nothing is concluded from a failure, which
is written on the Alertmanager's row and shown.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Substr
from django.utils import timezone

from accounts import audit, origin
from incidents.intake import alerts, grouping
from incidents.intake.closing import close
from incidents.intake.received import ReceivedAlert
from incidents.intake.replay import OTHER_SENDERS
from incidents.models import Alert, Alertmanager, AlertOccurrence, AlertSource, Delivery, Pulse
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from incidents.outbound.http import HttpSource
from incidents.outbound.secrets import SecretMissing, authorization
from incidents.upkeep.alertmanager_api import Reading, read
from incidents.upkeep.comparison import Comparison, OpenSeries, Quieted, compare
from incidents.upkeep.marks import Mark, tell
from incidents.upkeep.quieting import in_words

logger = logging.getLogger("studio.intake")
DEADLINE_SECONDS = 20.0
LEASE = timedelta(seconds=60)
MOST_AT_ONCE = 4
BATCH = 500
"""Rows named in one statement."""
RECENT_DELIVERIES = 50
RECEIVER = re.compile(r'"receiver"\s*:\s*("(?:[^"\\]|\\.)*")')
"""Alertmanager writes it first."""


@dataclass(frozen=True)
class Outcome:
    """What one look at a source's Alertmanagers led to."""

    read: int
    unread: int
    closed: int = 0
    suppressed: int = 0
    taken_in: int = 0


def sources() -> list[UUID]:
    """Those with an enabled Alertmanager."""
    rows = AlertSource.objects.filter(alertmanagers__enabled=True).distinct()
    return list(rows.order_by("slug").values_list("pk", flat=True))


def reconcile(source: AlertSource) -> Outcome | None:
    """Read all Alertmanagers of the source and act on it; None when another worker does."""
    servers = _claim(source)
    if not servers:
        return None
    audit.record("alert_source.alertmanagers_read", source)
    with origin.acting(None):  # what comes of it is the alerts' doing, whoever asked
        return _read_and_act(source, servers)


def _read_and_act(source: AlertSource, servers: list[Alertmanager]) -> Outcome:
    asked_at = timezone.now()
    try:
        with ThreadPoolExecutor(max_workers=min(MOST_AT_ONCE, len(servers))) as pool:
            answers = list(pool.map(_ask, servers))
        readings = [answer for answer in answers if isinstance(answer, Reading)]
        outcome = _act(source, servers, readings, asked_at)
        for server, answer in zip(servers, answers, strict=True):
            _note(server, answer)
    finally:
        Alertmanager.objects.filter(pk__in=[s.pk for s in servers]).update(claimed_until=None)
    return outcome


def _claim(source: AlertSource) -> list[Alertmanager]:
    """All enabled ones, or none: an answer of some of them proves nothing."""
    now = timezone.now()
    rows = Alertmanager.objects.filter(source=source, enabled=True)
    with transaction.atomic():
        AlertSource.objects.select_for_update().get(pk=source.pk)
        if rows.filter(claimed_until__gt=now).exists():
            return []
        rows.update(claimed_until=now + LEASE)
    return list(rows)


def _ask(server: Alertmanager) -> Reading | str:
    """The reading, or in words why there is none."""
    try:
        return read(client(server), Deadline(DEADLINE_SECONDS))
    except BackendError as error:
        return error.detail
    except (SecretMissing, ValueError) as error:
        return str(error)


def client(server: Alertmanager) -> HttpSource:
    """Raises SecretMissing, and ValueError for an address that is none."""
    secret = authorization(f"the Alertmanager {server.url}", server.auth_variable, server.auth_file)
    return HttpSource(
        "Alertmanager",
        server.url,
        headers={"Authorization": secret} if secret else None,
        timeout_seconds=server.timeout_seconds,
        verify=(server.ca_file or True) if server.verify_tls else False,
    )


def _act(
    source: AlertSource,
    servers: Sequence[Alertmanager],
    readings: Sequence[Reading],
    asked_at: datetime,
) -> Outcome:
    unread = len(servers) - len(readings)
    if not readings:
        # nobody saw whether what was missing came back: its time begins anew
        AlertOccurrence.objects.filter(
            alert__source=source, resolved_at=None, absent_since__isnull=False
        ).update(absent_since=None)
        return Outcome(0, unread)
    now = timezone.now()
    occurrences = {
        o.alert.identity: o
        for o in AlertOccurrence.objects.filter(alert__source=source, resolved_at=None)
        .exclude(delivery__kind__in=OTHER_SENDERS)
        .select_related("alert")
    }
    found = compare(
        readings,
        [
            OpenSeries(key, o.alert.last_seen_at, o.suppressed_by or {}, o.absent_since)
            for key, o in occurrences.items()
        ],
        unread=unread,
        ignored_labels=source.ignored_labels,
        receivers=receivers(source, servers),
        asked_at=asked_at,
        now=now,
        settle_seconds=settings.RECONCILE_SETTLE_SECONDS,
        absent_seconds=settings.RECONCILE_ABSENT_SECONDS,
        lost_after_seconds=settings.RECONCILE_LOST_AFTER_SECONDS,
    )
    _heard_of(_heard(source, occurrences, found), asked_at)
    back = {key for key in found.listed if occurrences[key].absent_since is not None}
    _absent_since([occurrences[key].pk for key in back | found.uncertain], None)
    _absent_since([occurrences[key].pk for key in found.absent], asked_at)
    for key, by in found.quieted.items():
        _suppressed(occurrences[key], by, now)
    for key in found.loud_again:
        _loud_again(occurrences[key])
    closed = _close(source, [occurrences[key] for key in found.over], asked_at)
    taken_in = _take_in(source, found.lost)
    Alertmanager.objects.filter(pk__in=[s.pk for s in servers]).update(note=_note_of(found))
    return Outcome(len(readings), unread, closed, len(found.quieted), taken_in)


def _note_of(found: Comparison) -> str:
    return "; ".join(dict.fromkeys(found.doubts))


def receivers(source: AlertSource, servers: Sequence[Alertmanager]) -> set[str]:
    """The receivers that post to us: as set up, else those that the last deliveries name."""
    named = {server.receiver for server in servers if server.receiver}
    if named:
        return named
    done = Delivery.objects.filter(source=source, state=Delivery.State.DONE)
    heads = done.order_by("-received_at", "-id").values_list(Substr("body", 1, 500), flat=True)
    found = (RECEIVER.search(head) for head in heads[:RECENT_DELIVERIES])
    return {json.loads(match[1]) for match in found if match}


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


def _note(server: Alertmanager, answer: Reading | str) -> None:
    now = timezone.now()
    row = Alertmanager.objects.filter(pk=server.pk)
    if isinstance(answer, str):
        row.update(failures=F("failures") + 1, last_error_at=now, last_error=answer[:2000], note="")
        logger.warning("Alertmanager %s could not be read: %s", server.url, answer)
        return
    row.update(
        failures=0,
        last_success_at=now,
        firing=len(answer.alerts),
        version=answer.version,
        up_since=answer.up_since,
    )


def _batches(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
