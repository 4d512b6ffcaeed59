"""From stored occurrences to incidents, in batches of deliveries (DESIGN: intake stores, a task
groups).

A batch is claimed oldest first under a lease. Its series are settled, its firings are screened,
placed and joined to incidents one correlation key at a time, then its ends are told. What fails
costs the deliveries it stands in, not the batch. Grouping again is harmless: each step takes the
rows it has not been done for.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from incidents.intake import (
    acknowledging,
    beginnings,
    joining,
    placing,
    recovery,
    screening,
    settling,
    wakeups,
)
from incidents.models import AlertOccurrence, Delivery, Incident
from incidents.upkeep import flapping

logger = logging.getLogger("studio.intake")
LEASE = timedelta(seconds=30)
UNCLAIMED_AFTER = timedelta(seconds=5)
RETRY_AFTER = timedelta(seconds=2)
MAX_ATTEMPTS = 5
BATCH = 100
"""Deliveries a claim takes."""

_turn = threading.Lock()
_asked = threading.Event()


def wake(delivery_id: UUID) -> None:
    """Have the delivery grouped soon after commit; many wishes become one wake-up."""
    transaction.on_commit(wakeups.wake, robust=True)


def run_waiting() -> int:
    """Group what waits until nothing does; how many deliveries.

    One thread of a process groups at a time. Another that asks meanwhile leaves its wish to
    the one at work, which looks again before it ends.
    """
    _asked.set()
    grouped = 0
    while _asked.is_set() and _turn.acquire(blocking=False):
        try:
            _asked.clear()
            while batch := claim():
                group(batch)
                grouped += len(batch)
        finally:
            _turn.release()
    return grouped


def run(delivery_id: UUID) -> bool:
    """Claim and group one delivery; False when another has it or it is done."""
    batch = claim(only=delivery_id)
    group(batch)
    return bool(batch)


def sweep(now: datetime | None = None) -> int:
    """Group the deliveries that lost their wake-up or their worker; how many.

    One whose worker was lost MAX_ATTEMPTS times fails, visibly.
    """
    now = now or timezone.now()
    lost = Q(state=Delivery.State.GROUPING, lease_until__lte=now)
    Delivery.objects.filter(lost, attempt__gte=MAX_ATTEMPTS).update(
        state=Delivery.State.FAILED,
        lease_until=None,
        error=f"The worker was lost {MAX_ATTEMPTS} times.",
    )
    late = Q(state=Delivery.State.QUEUED, received_at__lte=now - UNCLAIMED_AFTER)
    return run_waiting() if Delivery.objects.filter(lost | late).exists() else 0


def claim(*, limit: int = BATCH, only: UUID | None = None) -> list[Delivery]:
    """Up to `limit` deliveries that wait, oldest first, now leased to the caller."""
    now = timezone.now()
    free = Q(state=Delivery.State.QUEUED) & (Q(lease_until=None) | Q(lease_until__lte=now))
    free |= Q(state=Delivery.State.GROUPING, lease_until__lte=now)
    waiting = Delivery.objects.filter(free) if only is None else Delivery.objects.filter(pk=only)
    with transaction.atomic():
        # PostgreSQL skips what another claim has in hand; SQLite lets one claim in at a time
        found = waiting.filter(free).select_for_update(skip_locked=True)
        claimed = list(found.order_by("received_at", "id").values_list("pk", flat=True)[:limit])
        Delivery.objects.filter(pk__in=claimed).update(
            state=Delivery.State.GROUPING, lease_until=now + LEASE, attempt=F("attempt") + 1
        )
    return list(Delivery.objects.filter(pk__in=claimed).defer("body").order_by("received_at", "id"))


def group(batch: Sequence[Delivery]) -> None:
    """Group the deliveries and write down how each did."""
    try:
        failures = _group(batch)
    except Exception as error:
        # the database, most likely: nothing is known to be done
        logger.exception("grouping %d deliveries failed", len(batch))
        failures = {delivery.pk: _said(error) for delivery in batch}
    done = [delivery.pk for delivery in batch if delivery.pk not in failures]
    Delivery.objects.filter(pk__in=done).update(
        state=Delivery.State.DONE, error="", lease_until=None
    )
    for delivery in batch:
        if delivery.pk in failures:
            final = delivery.attempt >= MAX_ATTEMPTS
            Delivery.objects.filter(pk=delivery.pk, attempt=delivery.attempt).update(
                state=Delivery.State.FAILED if final else Delivery.State.QUEUED,
                error=failures[delivery.pk],
                lease_until=None if final else timezone.now() + RETRY_AFTER * delivery.attempt,
            )


def _group(batch: Sequence[Delivery]) -> dict[UUID, str]:
    """Group the batch's occurrences; delivery -> why it failed."""
    work = _Work(batch)
    work.do(settling.settle, settling.unsettled(delivery.pk for delivery in batch))
    occurrences = AlertOccurrence.objects.filter(delivery__in=[d.pk for d in batch])
    fired = occurrences.filter(incident=None, fired=True)
    fired = fired.select_related("alert__source", "delivery").defer("delivery__body")
    passed = work.do(screening.passed, list(fired.order_by("started_at", "id")))
    for placed in placing.by_key(work.do(placing.place, passed)):
        work.do(joining.join, placed)
    work.do(beginnings.move_back, beginnings.earlier(occurrences))
    for ended in recovery.by_incident(recovery.untold(occurrences)):
        work.do(recovery.recover, ended)
    for delivery in batch:
        if delivery.acknowledges and delivery.pk not in work.failures:
            work.do(_acknowledge, [_Wish(delivery)])
    flapping.note_changes(occurrences.values_list("alert_id", flat=True))
    return work.failures


@dataclass(frozen=True)
class _Wish:
    """A delivery that acknowledges the incident of a series."""

    delivery: Delivery

    @property
    def delivery_id(self) -> UUID:
        return self.delivery.pk


def _acknowledge(wishes: Sequence[_Wish]) -> list[Incident]:
    found = [acknowledging.acknowledge(wish.delivery) for wish in wishes]
    return [incident for incident in found if incident is not None]


class _InDelivery(Protocol):
    @property
    def delivery_id(self) -> UUID | None: ...


Row = TypeVar("Row", bound=_InDelivery)
Made = TypeVar("Made")


class _Work:
    """A claimed batch: `failures` says which deliveries failed and why."""

    def __init__(self, batch: Sequence[Delivery]) -> None:
        self.failures: dict[UUID, str] = {}
        self._held = {delivery.pk: delivery.attempt for delivery in batch}
        self._renewed_at = timezone.now()

    def do(self, step: Callable[[Sequence[Row]], list[Made]], rows: Sequence[Row]) -> list[Made]:
        """What `step` makes of the rows; those of a delivery that fails are left out.

        When they fail together, each delivery's are tried by themselves.
        """
        if not rows:
            return []
        self._renew()
        try:
            return step(rows)
        except Exception as error:
            deliveries = list(dict.fromkeys(row.delivery_id for row in rows))
            if len(deliveries) > 1:
                return [
                    made
                    for one in deliveries
                    for made in self.do(step, [row for row in rows if row.delivery_id == one])
                ]
            logger.exception("grouping delivery %s failed", deliveries[0])
            if deliveries[0] is not None:
                self.failures.setdefault(deliveries[0], _said(error))
            return []

    def _renew(self) -> None:
        now = timezone.now()
        if now - self._renewed_at > LEASE / 3:
            self._renewed_at = now
            Delivery.objects.filter(pk__in=self._held, state=Delivery.State.GROUPING).update(
                lease_until=now + LEASE
            )


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:2000]
