"""Notifications as metrics, read from the database when asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Count, Min
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.metrics_core import Metric

from incidents.models import (
    UNDELIVERED,
    NotificationChannel,
    NotificationDelivery,
    NotificationState,
)

RECENT = timedelta(hours=1)


def read(now: datetime) -> Iterable[Metric]:
    waiting = NotificationDelivery.objects.undelivered().order_by().values_list("state")
    found = {
        state: (n, oldest) for state, n, oldest in waiting.annotate(Count("pk"), Min("due_at"))
    }
    family = Gauge("studio_notifications_waiting", "Notifications not sent yet.", labels=["state"])
    for state in UNDELIVERED:
        family.add_metric([state.value], found.get(state, (0, None))[0])
    yield family
    due = [oldest for _n, oldest in found.values() if oldest is not None]
    yield Gauge(
        "studio_notification_oldest_seconds",
        "How long the oldest notification that may be sent has waited; 0 when none does.",
        value=max([0.0, *((now - at).total_seconds() for at in due)]),
    )
    ended = NotificationDelivery.objects.filter(finished_at__gt=now - RECENT).order_by()
    counts = dict(ended.values_list("state").annotate(Count("pk")))
    recent = Gauge(
        "studio_recent_notifications",
        "Notifications that ended in the last hour.",
        labels=["state"],
    )
    for state in (NotificationState.SENT, NotificationState.GIVEN_UP):
        recent.add_metric([state.value], counts.get(state, 0))
    yield recent
    failures = Gauge(
        "studio_channel_failures",
        "Attempts through this channel that failed in a row, 0 after a success.",
        labels=["channel", "kind"],
    )
    for row in NotificationChannel.objects.kept().filter(enabled=True):
        failures.add_metric([row.name, row.kind], row.failures)
    yield failures
