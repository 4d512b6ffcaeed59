"""Takes kept deliveries once more, and lets the old ones go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts import audit
from incidents.intake import deliveries, grouping
from incidents.models import AlertOccurrence, AlertSource, Delivery

BATCH = 500
OTHER_SENDERS = (AlertSource.Kind.GRAFANA, AlertSource.Kind.EVENTS)
"""What these said of a source is not for its Alertmanagers to know."""
OVER = (Delivery.State.DONE, Delivery.State.REJECTED, Delivery.State.FAILED)


class InHand(Exception):
    """The delivery waits for grouping already."""


def replay(delivery_id: UUID) -> Delivery:
    """Read the kept body again, as of when it came, and have it grouped.

    What it says is no news where later deliveries have said more. Raises InHand.
    """
    with transaction.atomic():
        kept = Delivery.objects.select_for_update(of=("self",)).select_related("source")
        delivery = kept.get(pk=delivery_id)
        if delivery.state not in OVER:
            raise InHand(f"The delivery {delivery.pk} is waiting to be grouped.")
        try:
            body = deliveries.read(delivery.body.encode())
        except deliveries.Unreadable as error:
            raise ValueError(str(error)) from error
        taken = deliveries.take(delivery.source, delivery.kind, body, delivery.body, again=delivery)
        if taken.state == Delivery.State.QUEUED:
            grouping.wake(taken.pk)
        audit.record("delivery.replayed", taken)
    return taken


def prune(now: datetime | None = None) -> int:
    """Delete the deliveries older than INTAKE_DELIVERY_RETENTION_DAYS; how many.

    Those that still wait to be grouped are kept, and the occurrences of all. So is what says that
    an open occurrence is not for its source's Alertmanagers to know.
    """
    days = timedelta(days=settings.INTAKE_DELIVERY_RETENTION_DAYS)
    return sum(_delete(batch) for batch in _batches((now or timezone.now()) - days))


def _batches(before: datetime) -> Iterator[list[UUID]]:
    others = AlertOccurrence.objects.filter(
        delivery=OuterRef("pk"),
        resolved_at=None,
        delivery__kind__in=OTHER_SENDERS,
        delivery__source__alertmanagers__isnull=False,
    )
    old = Delivery.objects.filter(~Exists(others), received_at__lt=before, state__in=OVER)
    while batch := list(old.order_by("received_at").values_list("pk", flat=True)[:BATCH]):
        yield batch


def _delete(batch: list[UUID]) -> int:
    """A transaction each, so that senders wait for no more than one batch."""
    with transaction.atomic():
        AlertOccurrence.objects.filter(delivery__in=batch).update(delivery=None)
        rows = Delivery.objects.filter(pk__in=batch)
        return rows._raw_delete(rows.db)
