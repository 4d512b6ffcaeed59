"""Many rows on either database: incidents of months, alerts with a firing and a delivery each."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db import models
from django.utils import timezone

from correlation.models import Analysis
from incidents.models import (
    AffectedService,
    Alert,
    AlertOccurrence,
    AlertSource,
    ChangeEvent,
    Delivery,
    Incident,
    Service,
    ServiceDependency,
    Severity,
    Status,
    StatusChange,
)
from timeline.models import TimelineEvent

SERVICES = 200
OPEN = 500  # incidents and alerts at most, spread over all: a page of either is full
FIRING = 1000
PIECE = 2000
BUSY = 7  # the service that every fourth incident and alert is of: a filter by it fills a page
WORDS = ("checkout", "payment", "search", "latency", "errors", "timeout", "saturated", "restarts")


def fill(kept: Any, incidents: int, alerts: int) -> dict[str, int]:
    """Services, changes, incidents with what belongs to them, alerts, firings and deliveries.

    What is made: rows by the model's name.
    """
    chance = random.Random(1)
    now = timezone.now()
    services = _made(
        Service(slug=f"service-{n}", name=f"Service {n}", updated_at=now) for n in range(SERVICES)
    )
    _made(
        ServiceDependency(caller=services[n], callee=services[(n * 7 + step) % SERVICES])
        for n in range(SERVICES)
        for step in (1, 2, 3)
        if (n * 7 + step) % SERVICES != n
    )
    _made(
        ChangeEvent(
            service=services[_service(n)], kind="deploy", ref=f"release-{n}",
            at=now - dt.timedelta(minutes=n), title=f"Release {n}", source="api",
        )
        for n in range(incidents)
    )  # fmt: skip
    opened = _made(
        _incident(n, n % max(2, incidents // OPEN) == 0, now, chance) for n in range(incidents)
    )
    _made(
        AffectedService(incident=incident, service=services[slot])
        for n, incident in enumerate(opened)
        for slot in dict.fromkeys((_service(n), (n + 1) % SERVICES)[: 1 + n % 2])
    )
    _made(
        StatusChange(incident=incident, to_status=incident.status, at=incident.detected_at)
        for incident in opened
    )
    _made(
        Analysis(
            incident=incident, status="done", queued_at=incident.detected_at,
            started_at=incident.detected_at, finished_at=incident.detected_at,
        )
        for incident in opened
    )  # fmt: skip
    _made(
        TimelineEvent(
            incident=incident, seq=1, kind="incident_created", title="Opened",
            occurred_at=incident.detected_at, recorded_at=incident.detected_at,
            canonical="{}", previous="", digest="0" * 64,
        )
        for incident in opened
    )  # fmt: skip
    source = kept[AlertSource][0]
    each = max(1, alerts // incidents)
    for first in range(0, alerts, PIECE):
        numbers = range(first, min(first + PIECE, alerts))
        series = _made(_alert(n, n % max(1, alerts // FIRING) == 0, source, now) for n in numbers)
        delivered = _made(
            Delivery(
                source=source, received_at=now - dt.timedelta(seconds=n), state="done",
                body='{"alerts": []}' * 40, alert_count=1,
            )
            for n in numbers
        )  # fmt: skip
        _made(
            AlertOccurrence(
                id=alert.latest_occurrence_id, alert=alert, delivery=delivery,
                incident=opened[(n // each) % incidents], service=services[_service(n)],
                claimed_started_at=alert.first_seen_at, started_at=alert.first_seen_at,
                resolved_at=None if alert.firing else alert.first_seen_at, joined_by={},
            )
            for n, alert, delivery in zip(numbers, series, delivered, strict=True)
        )  # fmt: skip
    _analyse_tables()
    return {model.__name__: model._default_manager.count() for model in (Incident, Alert, Delivery)}


def _service(n: int) -> int:
    return BUSY if n % 4 == 0 else n % SERVICES


def _incident(n: int, is_open: bool, now: dt.datetime, chance: random.Random) -> Incident:
    started = now - dt.timedelta(minutes=5 * n)
    return Incident(
        number=1000 + n,
        title=f"{' '.join(chance.sample(WORDS, 3))} {n}",
        description="More than 5 % of the requests failed. " * 5,
        severity=Severity.values[n % len(Severity.values)],
        status=Status.OPEN if is_open else Status.RESOLVED,
        source="alert",
        started_at=started,
        detected_at=started,
        resolved_at=None if is_open else started + dt.timedelta(minutes=30),
        created_at=started,
        updated_at=started,
        top_cause=f"{chance.choice(WORDS)} of service-{_service(n)}",
        top_cause_service=f"service-{_service(n)}",
        top_cause_kind="saturation",
        top_cause_confidence=0.9,
        analysis_status="done",
    )


def _alert(n: int, firing: bool, source: AlertSource, now: dt.datetime) -> Alert:
    seen = now - dt.timedelta(seconds=30 * n)
    alert = Alert(
        source=source,
        identity=f"{n:064x}",
        name=f"HighErrorRate{n % 50}",
        labels={"alertname": "HighErrorRate", "service": f"service-{_service(n)}", "pod": str(n)},
        annotations={"summary": "High ratio of failed requests"},
        first_seen_at=seen,
        last_seen_at=seen,
        firing=firing,
    )
    alert.latest_occurrence_id = alert.pk
    return alert


def _made(rows: Iterable[models.Model]) -> list[Any]:
    waiting: Iterator[models.Model] = iter(rows)
    made: list[Any] = []
    while piece := list(islice(waiting, PIECE)):
        made += type(piece[0])._default_manager.bulk_create(piece)
    return made


def _analyse_tables() -> None:
    """What autovacuum would have done by then; SQLite has nobody who does."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
