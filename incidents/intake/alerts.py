"""Stores what a sender delivered, in one transaction and before it is answered.

Repeats, retries, HA duplicates and resolved alerts sent again change `last_seen_at` and a
count, nothing else. Opening and joining incidents is `grouping`'s, from the rows kept here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from incidents.intake.alertmanager import DEFAULT_IGNORED_LABELS, ReceivedAlert, identity
from incidents.models import Alert, AlertOccurrence, AlertSource, Delivery

FIRING, RESOLVED = "firing", "resolved"


def source_of(slug: str, kind: str) -> AlertSource:
    source, _ = AlertSource.objects.get_or_create(
        slug=slug, defaults={"kind": kind, "ignored_labels": list(DEFAULT_IGNORED_LABELS)}
    )
    return source


def reject(source: AlertSource, body: str, why: str) -> Delivery:
    """Keep a delivery that can never be accepted, so that somebody sees it."""
    return Delivery.objects.create(
        source=source, body=body, state=Delivery.State.REJECTED, error=why
    )


def store(source: AlertSource, body: str, received: Sequence[ReceivedAlert]) -> Delivery:
    """Write the delivery, its series and their occurrences; the delivery waits for grouping."""
    now = timezone.now()
    by_identity: dict[str, list[ReceivedAlert]] = {}
    for alert in received:
        by_identity.setdefault(identity(alert.labels, source.ignored_labels), []).append(alert)
    with transaction.atomic():
        delivery = Delivery.objects.create(source=source, body=body, received_at=now)
        series = _upsert_series(source, by_identity, now)
        _apply(delivery, series, by_identity, now)
    return delivery


def _upsert_series(
    source: AlertSource, by_identity: dict[str, list[ReceivedAlert]], now: datetime
) -> list[Alert]:
    """The series' rows, locked by the upsert in identity order, so that batches cannot deadlock."""
    Alert.objects.bulk_create(
        [
            Alert(
                source=source,
                identity=key,
                name=members[-1].name,
                labels=dict(members[-1].labels),
                annotations=dict(members[-1].annotations),
                generator_url=members[-1].generator_url,
                first_seen_at=now,
                last_seen_at=now,
                received_count=0,
            )
            for key, members in sorted(by_identity.items())
        ],
        update_conflicts=True,
        unique_fields=["source", "identity"],
        update_fields=["annotations", "generator_url", "last_seen_at"],
    )
    rows = Alert.objects.filter(source=source, identity__in=by_identity)
    rows.update(received_count=F("received_count") + 1)
    return list(rows)


def _apply(
    delivery: Delivery,
    series: Sequence[Alert],
    by_identity: dict[str, list[ReceivedAlert]],
    now: datetime,
) -> None:
    open_now = {
        o.alert_id: o for o in AlertOccurrence.objects.filter(alert__in=series, resolved_at=None)
    }
    claims = [a.starts_at for members in by_identity.values() for a in members if a.starts_at]
    ended = set(
        AlertOccurrence.objects.filter(alert__in=series, claimed_started_at__in=claims)
        .exclude(resolved_at=None)
        .values_list("alert_id", "claimed_started_at")
    )
    made: list[AlertOccurrence] = []
    changed: list[AlertOccurrence] = []
    for alert in series:
        occurrence = open_now.get(alert.pk)
        before = dict(occurrence.members) if occurrence else None
        for member in by_identity[alert.identity]:
            claimed = member.starts_at or now
            if occurrence is None:
                if (alert.pk, claimed) in ended:
                    continue  # a late repeat of a firing that is over
                occurrence = AlertOccurrence(
                    alert=alert,
                    delivery=delivery,
                    claimed_started_at=claimed,
                    started_at=min(claimed, now),
                    fired=False,
                )
                made.append(occurrence)
            occurrence.members[member.fingerprint] = FIRING if member.firing else RESOLVED
            occurrence.fired = occurrence.fired or member.firing
        if occurrence is None:
            continue
        if FIRING not in occurrence.members.values():
            occurrence.resolved_at = now
        if before is not None and before != occurrence.members:
            changed.append(occurrence)
    AlertOccurrence.objects.bulk_create(made)
    for occurrence in changed:
        if occurrence.resolved_at is not None:
            # grouping tells the incident about it
            occurrence.delivery = delivery
    AlertOccurrence.objects.bulk_update(changed, ["members", "resolved_at", "delivery"])
