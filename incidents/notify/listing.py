"""What the pages of notifications list: keyset paging, the same queries however many rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from incidents.models import (
    UNDELIVERED,
    Incident,
    NotificationChannel,
    NotificationDelivery,
    NotificationState,
)
from incidents.notify.composing import shown_title

PAGE_SIZE = 50
PANEL_SIZE = 12


@dataclass(frozen=True)
class Shown:
    """A row and what is said of it. `state` may be an earlier one."""

    row: NotificationDelivery
    title: str
    state: str

    @property
    def state_words(self) -> str:
        return NotificationState(self.state).label

    @property
    def held_until(self) -> datetime | None:
        waits = self.state == NotificationState.PENDING and self.row.due_at > timezone.now()
        return self.row.due_at if waits else None


@dataclass(frozen=True)
class Page:
    """`older` is the cursor of the next page, "" on the last."""

    rows: Sequence[Shown]
    older: str


def delivery_page(*, state: str = "", channel: str = "", older: str = "") -> Page:
    """Newest first. `state` is one of theirs or "undelivered". Raises ValueError for a cursor."""
    rows = NotificationDelivery.objects.select_related("channel", "bundle")
    if state == "undelivered":
        rows = rows.filter(state__in=UNDELIVERED)
    elif state:
        rows = rows.filter(state=state)
    if channel:
        rows = rows.filter(channel__name=channel)
    if older:
        at, _, pk = older.rpartition("_")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError(older)
        rows = rows.filter(Q(created_at__lt=moment) | Q(created_at=moment, pk__lt=int(pk)))
    found = list(rows.order_by("-created_at", "-id")[: PAGE_SIZE + 1])
    more = len(found) > PAGE_SIZE
    found = found[:PAGE_SIZE]
    last = f"{found[-1].created_at.isoformat()}_{found[-1].pk}" if more else ""
    return Page([shown(row) for row in found], last)


def shown(row: NotificationDelivery, as_of: datetime | None = None) -> Shown:
    return Shown(row, shown_title(row), row.state_at(as_of))


def panel(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{notifications: the newest, and all that failed; more: how many others; failed: how many}"""
    rows = NotificationDelivery.objects.filter(incident=incident).select_related("channel")
    if as_of is not None:
        rows = rows.filter(created_at__lte=as_of)
    newest = [shown(row, as_of) for row in rows.order_by("-id")[:PANEL_SIZE]]
    counts = rows.aggregate(all=Count("pk"), lost=Count("pk", filter=_LOST))
    return {
        "notifications": newest,
        "more": counts["all"] - len(newest),
        "failed": counts["lost"] if as_of is None else 0,
        "past": as_of is not None,
    }


_LOST = Q(state__in=(NotificationState.FAILED, NotificationState.GIVEN_UP))


def channels() -> QuerySet[NotificationChannel]:
    """Those that are kept, each with `waiting` and `given_up`, counts of a day."""
    day = timezone.now() - timedelta(days=1)
    lost = Q(deliveries__state=NotificationState.GIVEN_UP, deliveries__finished_at__gt=day)
    return (
        NotificationChannel.objects.kept()
        .annotate(
            waiting=Count("deliveries", filter=Q(deliveries__state__in=UNDELIVERED)),
            given_up=Count("deliveries", filter=lost),
        )
        .order_by("name")
    )


def failing_channels() -> dict[str, Any] | None:
    """What the board says while a channel does not deliver; None while all do."""
    failing = list(NotificationChannel.objects.failing().order_by("name")[:5])
    if not failing:
        return None
    waiting = NotificationDelivery.objects.undelivered().filter(channel__in=failing).count()
    return {"channels": failing, "waiting": waiting}
