"""The circuit breaker of each data source, in the database, so that all workers share it.

closed -> (3 failures in a row) -> open -> (at `retry_at`) -> half_open, one probe -> closed or
open again, for twice as long. The only writer of SourceHealth. Only failures that cost time or
load count: refused, DNS, TLS, no answer in time, 5xx, 429. A server that answers 401 or the
wrong body is alive, costs nothing, and is named with its error.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from correlation.data_sources.probe import Probe
from correlation.models import DataSource, SourceHealth
from correlation.source_verdict import costs
from correlation.sources import SourceStatus

logger = logging.getLogger("studio.correlation")

FAILURES = 3
FIRST_PAUSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 120.0
JITTER = (0.9, 1.0)
"""Of a pause: sources that failed together are not tried again in the same moment."""
PROBE_GRACE_SECONDS = 5.0
"""A probe that has not reported this long after its deadline is lost; another may be sent."""
UNCHANGED_SECONDS = 5.0
"""A success is not written down again this soon, nor is the same error."""
MOST_TRIES = 10

State = SourceHealth.State


@dataclass(frozen=True)
class Outcome:
    """What is known of a source after asking it; `costly` failures count towards opening."""

    answered: bool
    costly: bool = False
    error: str = ""
    latency_seconds: float | None = None
    version: str = ""


def admit(rows: Iterable[DataSource], now: datetime | None = None) -> dict[str, str]:
    """By slug, "" where the source may be asked now, else why not. Rows come with `health`.

    Who is let in to an open breaker's source holds its one probe and reports to `record`.
    """
    now = now or timezone.now()
    return {row.slug: _closed_because(health_of(row), now) for row in rows}


def record(statuses: Iterable[SourceStatus], now: datetime | None = None) -> None:
    """Write down how the sources of one analysis did; those not asked stay as they are."""
    outcomes = {
        status.slug: _outcome_of(status)
        for status in statuses
        if status.status != "not_configured" and status.reason != "closed"
    }
    _write(outcomes, now or timezone.now())


def record_probe(slug: str, found: Probe, now: datetime | None = None) -> None:
    """Write down what one look at a source has found; one that answers closes its breaker."""
    outcome = Outcome(
        answered=found.reachable,
        costly=costs(found.reason),
        error=found.error,
        latency_seconds=found.latency_seconds,
        version=found.version,
    )
    _write({slug: outcome}, now or timezone.now())


def health_of(row: DataSource) -> SourceHealth:
    """The row's health; of a source that was never asked an empty one, not saved."""
    try:
        return row.health
    except SourceHealth.DoesNotExist:
        return SourceHealth(source=row)


def _closed_because(health: SourceHealth, now: datetime) -> str:
    if health.state == State.CLOSED or health.retry_at is None:
        return ""
    if health.retry_at <= now and _claim(health, now):
        return ""
    since = f"{health.opened_at:%H:%M:%S}" if health.opened_at else "a while ago"
    left = max(1, round((health.retry_at - now).total_seconds()))
    coming = f"next try in {left} s" if health.state == State.OPEN else "being tried now"
    if health.retry_at <= now:
        coming = "being tried now"
    return (
        f"circuit breaker open since {since} UTC after {health.failures} failures in a row "
        f"({health.last_error}), {coming}"
    )


def _claim(health: SourceHealth, now: datetime) -> bool:
    """Take the one probe of an open breaker that is due, or of one whose probe was lost."""
    lost_at = now + timedelta(seconds=settings.CORRELATION_DEADLINE_SECONDS + PROBE_GRACE_SECONDS)
    taken = SourceHealth.objects.filter(
        pk=health.pk, state=health.state, retry_at=health.retry_at
    ).update(state=State.HALF_OPEN, retry_at=lost_at)
    return bool(taken)


def _outcome_of(status: SourceStatus) -> Outcome:
    if status.status == "unavailable":
        return Outcome(False, costs(status.reason), status.detail)
    return Outcome(True, latency_seconds=status.seconds)


def _write(outcomes: Mapping[str, Outcome], now: datetime) -> None:
    """Each change is an update guarded by what was read; who loses reads again."""
    left = dict(outcomes)
    for _ in range(MOST_TRIES):
        rows = list(DataSource.objects.filter(slug__in=left).select_related("health"))
        fresh = [SourceHealth(source=row) for row in rows if health_of(row)._state.adding]
        if fresh:
            SourceHealth.objects.bulk_create(fresh, ignore_conflicts=True)
            continue
        left = {
            row.slug: left[row.slug]
            for row in rows
            if not _moved(row.slug, row.health, _change(row.health, left[row.slug], now))
        }
        if not left:
            return
    logger.error("the health of %s could not be written down", ", ".join(left))


def _change(health: SourceHealth, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """The columns to write; none when nothing has changed that is worth a write."""
    if outcome.answered:
        return _success(health, outcome, now)
    said = {"last_error": outcome.error, "last_error_at": now}
    if not outcome.costly:  # it is there, and says no: nothing to be spared
        healed = {"state": State.CLOSED, "failures": 0, "opened_at": None, "retry_at": None}
        calm = health.state == State.CLOSED and health.failures == 0
        same = health.last_error == outcome.error and _recent(health.last_error_at, now)
        return {} if calm and same else healed | said
    if health.state == State.OPEN:  # asked before it opened, or by a person
        return {} if health.last_error == outcome.error else said
    failures = health.failures + 1
    if health.state == State.CLOSED and failures < FAILURES:
        return said | {"failures": failures}
    pause = FIRST_PAUSE_SECONDS * 2.0 ** max(0, min(failures - FAILURES, 10))
    pause = min(LONGEST_PAUSE_SECONDS, pause) * random.uniform(*JITTER)
    return said | {
        "state": State.OPEN,
        "failures": failures,
        "opened_at": health.opened_at or now,
        "retry_at": now + timedelta(seconds=pause),
    }


def _success(health: SourceHealth, outcome: Outcome, now: datetime) -> dict[str, Any]:
    calm = health.state == State.CLOSED and health.failures == 0
    same = outcome.version in ("", health.version) and _recent(health.last_success_at, now)
    if calm and same:
        return {}
    return {
        "state": State.CLOSED,
        "failures": 0,
        "opened_at": None,
        "retry_at": None,
        "last_success_at": now,
        "latency_seconds": outcome.latency_seconds,
        "version": outcome.version or health.version,
    }


def _moved(slug: str, health: SourceHealth, change: dict[str, Any]) -> bool:
    """Whether the change is written (or there is none); False when another was faster."""
    if not change:
        return True
    ours = SourceHealth.objects.filter(
        pk=health.pk, state=health.state, failures=health.failures, retry_at=health.retry_at
    ).update(**change)
    if ours and change.get("state", health.state) != health.state:
        opened = change["state"] == State.OPEN
        logger.log(
            logging.WARNING if opened else logging.INFO,
            "circuit breaker of %s is %s%s",
            slug,
            change["state"],
            f" after {change['failures']} failures in a row: {change['last_error']}"
            if opened
            else "",
        )
    return bool(ours)


def _recent(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at < timedelta(seconds=UNCHANGED_SECONDS)
