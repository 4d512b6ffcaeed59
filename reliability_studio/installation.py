"""What the whole installation is doing, as metrics, read from the database when asked."""

from __future__ import annotations

import logging
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from correlation.models import Analysis, DataSource, SourceHealth
from incidents.models import (
    Alert,
    Alertmanager,
    AlertOccurrence,
    Delivery,
    Incident,
    Pulse,
    Severity,
    Status,
)
from incidents.notify import metrics as notifications

logger = logging.getLogger(__name__)
RECENT = timedelta(minutes=15)
MOST_RECENT_RUNS = 5000
QUANTILES = (0.5, 0.9, 1.0)
WAITING = (Analysis.Status.QUEUED, Analysis.Status.RUNNING)
ENDED = (
    Analysis.Status.DONE,
    Analysis.Status.INCONCLUSIVE,
    Analysis.Status.FAILED,
    Analysis.Status.CANCELLED,
)
UNGROUPED = (Delivery.State.QUEUED, Delivery.State.GROUPING)


class InstallationCollector(Collector):
    """What the database knows, in a fixed number of queries however much is in it."""

    def collect(self) -> Iterator[Metric]:
        """Everything, or `studio_database_up 0` alone when the database does not answer."""
        build = Gauge("studio_build_info", "Always 1.", labels=["version"])
        build.add_metric([settings.VERSION], 1)
        yield build
        try:
            found = [metric for read in READERS for metric in read(timezone.now())]
        except DatabaseError:
            logger.exception("no metrics: the database does not answer")
            yield Gauge("studio_database_up", "Whether the database answered.", value=0)
            return
        yield Gauge("studio_database_up", "Whether the database answered.", value=1)
        yield from found


def _incidents(now: datetime) -> Iterable[Metric]:
    rows = Incident.objects.filter(merged_into=None).values_list("status", "severity")
    counts = {(status, severity): n for status, severity, n in rows.annotate(Count("pk"))}
    family = Gauge("studio_incidents", "Incidents.", labels=["status", "severity"])
    for status in Status.values:
        for severity in Severity.values:
            family.add_metric([status, severity], counts.get((status, severity), 0))
    yield family


def _waiting_analyses(now: datetime) -> Iterable[Metric]:
    rows = (
        Analysis.objects.filter(status__in=WAITING)
        .order_by()
        .values_list("status")
        .annotate(Count("pk"), Min("queued_at"))
    )
    found = {status: (n, oldest) for status, n, oldest in rows}
    family = Gauge("studio_analyses_unfinished", "Analyses queued or running.", labels=["status"])
    for status in WAITING:
        family.add_metric([status.value], found.get(status, (0, None))[0])
    yield family
    yield Gauge(
        "studio_analysis_queue_oldest_seconds",
        "How long the oldest queued analysis has waited; 0 when none waits.",
        value=_age(found.get(Analysis.Status.QUEUED, (0, None))[1], now),
    )
    yield Gauge(
        "studio_analysis_slots",
        "Analyses that may run at once.",
        value=settings.CORRELATION_SLOTS,
    )


def _recent_analyses(now: datetime) -> Iterable[Metric]:
    runs = list(
        Analysis.objects.filter(finished_at__gt=now - RECENT)
        .order_by("-finished_at")
        .values_list("status", "started_at", "finished_at")[:MOST_RECENT_RUNS]
    )
    counts = Tally(status for status, _, _ in runs)
    window = f"{RECENT.total_seconds() / 60:.0f} minutes"
    family = Gauge(
        "studio_recent_analyses", f"Analyses that ended in the last {window}.", labels=["status"]
    )
    for status in ENDED:
        family.add_metric([status.value], counts[status])
    yield family
    took = sorted(
        (ended - begun).total_seconds() for _, begun, ended in runs if begun is not None and ended
    )
    durations = Gauge(
        "studio_recent_analysis_duration_seconds",
        f"Duration of the analyses that ended in the last {window}; absent when none did.",
        labels=["quantile"],
    )
    for quantile in QUANTILES if took else ():
        durations.add_metric([str(quantile)], took[round(quantile * (len(took) - 1))])
    yield durations


def _alerts(now: datetime) -> Iterable[Metric]:
    firing = AlertOccurrence.objects.filter(resolved_at=None).aggregate(
        all=Count("pk"), alone=Count("pk", filter=Q(incident=None))
    )
    yield Gauge("studio_alerts_firing", "Alerts that have not ended.", value=firing["all"])
    yield Gauge(
        "studio_alerts_without_incident",
        "Alerts that have not ended and belong to no incident.",
        value=firing["alone"],
    )


def _alert_upkeep(now: datetime) -> Iterable[Metric]:
    """What stands between an alert and its end: readings that failed, silence, flapping, work."""
    names = ["source", "address"]
    failures = Gauge(
        "studio_reconcile_failures",
        "Readings of this Alertmanager that failed in a row, 0 after a success.",
        labels=names,
    )
    success = Gauge("studio_reconcile_last_success_timestamp_seconds", "UTC epoch.", labels=names)
    for row in Alertmanager.objects.filter(enabled=True).select_related("source"):
        failures.add_metric([row.source.slug, row.url], row.failures)
        if row.last_success_at is not None:
            success.add_metric([row.source.slug, row.url], row.last_success_at.timestamp())
    yield failures
    yield success
    held = Q(incident=None, maintenance__isnull=False)
    counts = AlertOccurrence.objects.filter(resolved_at=None).aggregate(
        stale=Count("stale_since"),
        suppressed=Count("suppressed_since"),
        held=Count("pk", filter=held),
    )
    counts["flapping"] = Alert.objects.exclude(flapping_since=None).count()
    for state, said in MARKED.items():
        yield Gauge(f"studio_alerts_{state}", said, value=counts[state])
    stopped = Pulse.objects.filter(heartbeat__enabled=True).exclude(stopped_at=None).count()
    yield Gauge("studio_heartbeats_stopped", "Series of heartbeats that are silent.", value=stopped)


MARKED = {
    "stale": "Alerts that fire and were not heard of for longer than their sender repeats them.",
    "suppressed": "Alerts that fire and that their Alertmanager silences, inhibits or mutes.",
    "held": "Alerts that fire and that a maintenance window holds back.",
    "flapping": "Series that fire and resolve over and over.",
}


def _deliveries(now: datetime) -> Iterable[Metric]:
    waiting = Delivery.objects.filter(state__in=UNGROUPED).aggregate(
        depth=Count("pk"), oldest=Min("received_at")
    )
    yield Gauge(
        "studio_deliveries_waiting",
        "Alert deliveries received and not yet grouped into incidents.",
        value=waiting["depth"],
    )
    yield Gauge(
        "studio_delivery_oldest_seconds",
        "How long the oldest delivery not yet grouped has waited; 0 when none waits.",
        value=_age(waiting["oldest"], now),
    )


def _data_sources(now: datetime) -> Iterable[Metric]:
    """One sample a configured source and state; times and latency only where they are known."""
    names = ["source", "kind", "environment"]
    state = Gauge(
        "studio_data_source_breaker_state",
        "1 for the state the source's circuit breaker is in.",
        labels=[*names, "state"],
    )
    families = {
        "failures": Gauge(
            "studio_data_source_failures", "Failures in a row, 0 after a success.", labels=names
        ),
        "latency_seconds": Gauge(
            "studio_data_source_latency_seconds", "Of the last run it answered.", labels=names
        ),
        "last_success_at": Gauge(
            "studio_data_source_last_success_timestamp_seconds", "UTC epoch.", labels=names
        ),
        "last_error_at": Gauge(
            "studio_data_source_last_error_timestamp_seconds", "UTC epoch.", labels=names
        ),
    }
    for row in DataSource.objects.filter(enabled=True).select_related("health"):
        labels = [row.slug, row.kind, row.environment]
        health: SourceHealth = getattr(row, "health", None) or SourceHealth()  # never asked yet
        for each in SourceHealth.State.values:
            state.add_metric([*labels, each], health.state == each)
        for column, family in families.items():
            value = getattr(health, column)
            if value is not None:
                number = value.timestamp() if isinstance(value, datetime) else value
                family.add_metric(labels, number)
    yield state
    yield from families.values()


READERS: tuple[Callable[[datetime], Iterable[Metric]], ...] = (
    _incidents,
    _waiting_analyses,
    _recent_analyses,
    _alerts,
    _alert_upkeep,
    _deliveries,
    _data_sources,
    notifications.read,
)


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
