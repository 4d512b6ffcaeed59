"""Alerts as rows, for tests of what happens after intake."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.utils import timezone

from incidents.models import Alert, AlertOccurrence, AlertSource, Incident, Service


def make_series(name: str, **labels: str) -> Alert:
    """The series of this name and these labels; the same one every time."""
    source, _ = AlertSource.objects.get_or_create(slug="alertmanager")
    told = {"alertname": name, **labels}
    identity = hashlib.sha256(repr(sorted(told.items())).encode()).hexdigest()
    alert, _ = Alert.objects.get_or_create(
        source=source, identity=identity, defaults={"name": name, "labels": told}
    )
    return alert


def fire(
    incident: Incident | None,
    series: Alert,
    *,
    service: Service | None = None,
    started_at: datetime | None = None,
    resolved_at: datetime | None = None,
) -> AlertOccurrence:
    """A firing of `series` that belongs to `incident`."""
    started = started_at or timezone.now()
    return AlertOccurrence.objects.create(
        alert=series,
        incident=incident,
        service=service,
        claimed_started_at=started,
        started_at=started,
        resolved_at=resolved_at,
    )
