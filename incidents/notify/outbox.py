"""A change becomes rows in the transaction that makes it: one for each channel that is told."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from incidents import live
from incidents.models import (
    Incident,
    NotificationDelivery,
    NotificationRule,
    NotificationState,
)
from incidents.notify import wakeups
from incidents.notify.facts import Change, facts_of
from incidents.notify.matching import Subject, Telling, tellings

KEYS = uuid.UUID("6f0d1c1e-5a55-5b2c-9d0e-3a1c5c0b7a51")
"""The namespace of idempotency keys."""
PANEL = "notifications"


def key_of(change: str, channel: UUID) -> UUID:
    """What every attempt to tell this channel of this change carries."""
    return uuid.uuid5(KEYS, f"{change}:{channel}")


def tell(incident: Incident, change: Change) -> list[NotificationDelivery]:
    """Put the change into the outbox of every channel whose rules ask for it.

    Nothing is told of what was read from files, nor of a merged incident but that it was merged.
    The caller holds the incident's lock: its rows are in the order of its changes.
    """
    if incident.source == Incident.Source.BACKFILL:
        return []
    rules = NotificationRule.objects.in_force()
    if not rules:
        return []
    affected = list(incident.affected.select_related("service"))
    subject = Subject(
        events=change.events,
        severities=frozenset({incident.severity, *change.severities}),
        environment=incident.environment,
        services=frozenset(row.service_id for row in affected),
        at=change.at,
    )
    told = NotificationDelivery.objects.told_channels(incident.pk)
    found = tellings(rules, subject, told)
    if not found:
        return []
    with transaction.atomic():
        live.changed(incident.pk, PANEL)
        facts = facts_of(incident, change, [row.service.slug for row in affected])
        return _store(incident, change, found, facts)


def _store(
    incident: Incident, change: Change, found: Sequence[Telling], facts: dict[str, Any]
) -> list[NotificationDelivery]:
    now = timezone.now()
    rows = [
        NotificationDelivery(
            key=key_of(change.key, one.channel),
            channel_id=one.channel,
            incident=incident,
            event=change.events[0],
            change=change.key,
            facts=facts,
            rules=list(one.rules),
            created_at=now,
            wanted_at=one.due_at,
            due_at=one.due_at,
        )
        for one in found
    ]
    known = set(
        NotificationDelivery.objects.filter(key__in=[row.key for row in rows]).values_list(
            "key", flat=True
        )
    )
    made = NotificationDelivery.objects.bulk_create([row for row in rows if row.key not in known])
    _release_held(incident, [one.channel for one in found if one.broke_through])
    wakeups.wake_after_commit()
    return made


def _release_held(incident: Incident, channels: Sequence[UUID]) -> None:
    """What was held of an incident goes with what breaks through, and in order."""
    if channels:
        now = timezone.now()
        NotificationDelivery.objects.filter(
            incident=incident,
            channel__in=channels,
            state=NotificationState.PENDING,
            due_at__gt=now,
        ).update(due_at=now, wanted_at=F("created_at"))
