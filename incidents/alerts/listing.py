"""What the pages of alerts list: keyset paging, no COUNT, the same queries however many rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from incidents.models import Alert, AlertOccurrence, Delivery

PAGE_SIZE = 50
UNACCEPTED = (Delivery.State.REJECTED, Delivery.State.FAILED)
WAITING = (Delivery.State.QUEUED, Delivery.State.GROUPING)
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Page:
    """`older` is the cursor of the next page, "" on the last."""

    rows: Sequence[Any]
    older: str


def firing_page(*, source: str = "", service: str = "", q: str = "", older: str = "") -> Page:
    """Alerts that fire now, the newest firing first. Raises ValueError for a bad cursor."""
    rows = AlertOccurrence.objects.filter(resolved_at=None).select_related(
        "alert__source", "incident", "service"
    )
    if source:
        rows = rows.filter(alert__source__slug=source)
    if service:
        rows = rows.filter(service__slug=service)
    if q:
        rows = rows.filter(alert__name__icontains=q)
    return _page(rows, "started_at", older)


def delivery_page(*, source: str = "", state: str = "", older: str = "") -> Page:
    """Deliveries, newest first; `state` is one of theirs, "unaccepted" or "waiting".

    Raises ValueError for a bad cursor.
    """
    rows = Delivery.objects.select_related("source").defer("body")
    if source:
        rows = rows.filter(source__slug=source)
    if state == "unaccepted":
        rows = rows.filter(state__in=UNACCEPTED)
    elif state == "waiting":
        rows = rows.filter(state__in=WAITING)
    elif state:
        rows = rows.filter(state=state)
    return _page(rows, "received_at", older)


def with_newest_occurrence(alerts: Sequence[Alert]) -> list[Alert]:
    """The alerts, each with its newest occurrence (or None) as `newest`: one query."""
    wanted = [alert.latest_occurrence_id for alert in alerts]
    found = AlertOccurrence.objects.select_related("incident", "service").in_bulk(
        [pk for pk in wanted if pk is not None]
    )
    for alert, pk in zip(alerts, wanted, strict=True):
        alert.newest = found.get(pk) if pk else None  # type: ignore[attr-defined]
    return list(alerts)


def _page(rows: QuerySet[Row], column: str, older: str) -> Page:
    if older:
        at, _, pk = older.rpartition("_")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError(older)
        same = Q(**{column: moment, "pk__lt": UUID(pk)})
        rows = rows.filter(Q(**{f"{column}__lt": moment}) | same)
    found = list(rows.order_by(f"-{column}", "-pk")[: PAGE_SIZE + 1])
    more = len(found) > PAGE_SIZE
    found = found[:PAGE_SIZE]
    return Page(found, f"{getattr(found[-1], column).isoformat()}_{found[-1].pk}" if more else "")
