"""Asks each source's Alertmanagers what they hold, and brings what we think is open in line.

A webhook cannot report everything: a silenced alert never sends "resolved", a lost delivery
says nothing. What may be concluded is `comparison`'s; nothing is concluded from a failure, which
is written on the Alertmanager's row and shown.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
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
from incidents.intake.replay import OTHER_SENDERS
from incidents.models import Alertmanager, AlertOccurrence, AlertSource, Delivery
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from incidents.outbound.http import HttpSource
from incidents.outbound.secrets import SecretMissing, authorization
from incidents.upkeep import applying
from incidents.upkeep.alertmanager_api import Reading, read
from incidents.upkeep.comparison import Comparison, OpenSeries, compare

logger = logging.getLogger("studio.intake")
DEADLINE_SECONDS = 20.0
LEASE = timedelta(seconds=60)
MOST_AT_ONCE = 4
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
    closed, taken_in = applying.apply(source, occurrences, found, asked_at, now)
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
