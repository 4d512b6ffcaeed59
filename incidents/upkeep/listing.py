"""The list of maintenance windows, newest first, by keyset and without COUNT."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from incidents.models import MaintenanceWindow

PAGE_SIZE = 50


@dataclass(frozen=True)
class WindowPage:
    """`older` is the cursor of the next page, "" on the last."""

    windows: list[MaintenanceWindow]
    older: str


def window_page(*, over: bool, older: str = "") -> WindowPage:
    """Windows that are over, or those that hold or will. Raises ValueError for a bad cursor."""
    past = Q(over_at__lte=timezone.now())
    rows = MaintenanceWindow.objects.filter(past if over else ~past)
    if older:
        moment, _, last = older.partition("_")
        starts_at, pk = datetime.fromisoformat(moment), UUID(hex=last)
        if starts_at.tzinfo is None:
            raise ValueError("a cursor's time has a zone")
        rows = rows.filter(Q(starts_at__lt=starts_at) | Q(starts_at=starts_at, pk__lt=pk))
    rows = rows.select_related("created_by", "cancelled_by").prefetch_related("services")
    found = list(rows.order_by("-starts_at", "-id")[: PAGE_SIZE + 1])
    more = len(found) > PAGE_SIZE
    found = found[:PAGE_SIZE]
    last_shown = f"{found[-1].starts_at.isoformat()}_{found[-1].pk.hex}" if more else ""
    return WindowPage(found, last_shown)
