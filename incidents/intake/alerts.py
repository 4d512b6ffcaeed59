"""Stores what a sender delivered, in one transaction and before it is answered.

Repeats, retries, HA duplicates and resolved alerts sent again change `last_seen_at` and a
count, nothing else. Opening and joining incidents is `grouping`'s, from the rows kept here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection
from django.utils import timezone

from incidents.ids import time_ordered
from incidents.intake import store_postgresql, store_sqlite
from incidents.intake.proof import Proof
from incidents.intake.received import DEFAULT_IGNORED_LABELS, ReceivedAlert
from incidents.intake.series import fold
from incidents.models import AlertSource, Delivery

STORES = {"postgresql": store_postgresql.write, "sqlite": store_sqlite.write}


def source_of(slug: str, kind: str) -> AlertSource:
    """The source of that name; made when nothing came from it before."""
    source, _ = AlertSource.objects.get_or_create(
        slug=slug, defaults={"kind": kind, "ignored_labels": list(DEFAULT_IGNORED_LABELS)}
    )
    return source


def reject(
    source: AlertSource,
    body: str,
    why: str,
    *,
    kind: str = AlertSource.Kind.ALERTMANAGER,
    again: Delivery | None = None,
) -> Delivery:
    """Keep a delivery that can never be accepted, so that somebody sees it."""
    if again is not None:
        again.state, again.error, again.refused = Delivery.State.REJECTED, why, ""
        again.save(update_fields=["state", "error", "refused"])
        return again
    return Delivery.objects.create(
        source=source, body=body, kind=kind, state=Delivery.State.REJECTED, error=why
    )


def store(
    source: AlertSource,
    body: str,
    received: Sequence[ReceivedAlert],
    *,
    kind: str = AlertSource.Kind.ALERTMANAGER,
    refused: Iterable[str] = (),
    acknowledges: str = "",
    again: Delivery | None = None,
    proof: Proof | None = None,
) -> Delivery:
    """Write the delivery, its series and their occurrences.

    The delivery waits for grouping when it opened or closed an occurrence or acknowledges one;
    else it is done. `again` is an earlier delivery that is taken once more: it keeps its row,
    counts as of when it came, and always waits. Raises Unproven when there is a `proof` and it
    does not hold.
    """
    now: datetime = again.received_at if again else timezone.now()
    delivery = Delivery(
        id=again.pk if again else time_ordered(),
        source_id=source.pk,
        received_at=now,
        kind=kind,
        body=body,
        alert_count=len(received),
        refused="\n".join(refused),
        acknowledges=acknowledges,
    )
    series = fold(received, source.ignored_labels, now)
    waits = STORES[connection.vendor](
        delivery, series, waits=bool(acknowledges) or again is not None, proof=proof
    )
    delivery.state = Delivery.State.QUEUED if waits else Delivery.State.DONE
    delivery._state.adding = False
    return delivery
