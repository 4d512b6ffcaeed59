"""Planned work: which firings a window holds back or marks, and what happens when it is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from incidents.intake import joining, placing
from incidents.intake.matchers import all_fit
from incidents.intake.screened import Screened
from incidents.models import AlertOccurrence, MaintenanceWindow, Service

MOST_AT_ONCE = 1000


class WindowOver(Exception):
    """The window never holds again: it can neither be changed nor cancelled."""


def windows_of(
    occurrences: Sequence[AlertOccurrence], now: datetime | None = None
) -> dict[UUID, MaintenanceWindow]:
    """The window that each of these firings falls into, by occurrence; those in none left out.

    One that suppresses goes before one that annotates, then the one that ends last.
    `alert.source` is loaded.
    """
    current = MaintenanceWindow.objects.prefetch_related("services").current(now or timezone.now())
    if not current or not occurrences:
        return {}
    current.sort(key=lambda window: window.mode != MaintenanceWindow.Mode.SUPPRESS)
    services = _services(occurrences, current)
    found = {}
    for occurrence in occurrences:
        for window in current:
            if _covers(window, occurrence, services.get(occurrence.pk)):
                found[occurrence.pk] = window
                break
    return found


def remember(
    occurrences: Sequence[AlertOccurrence], windows: Mapping[UUID, MaintenanceWindow]
) -> None:
    """Write on each firing which window it falls into, where that is not written yet."""
    changed = []
    for occurrence in occurrences:
        window = windows.get(occurrence.pk)
        if window is not None and occurrence.maintenance_id != window.pk:
            occurrence.maintenance = window
            changed.append(occurrence)
    if changed:
        AlertOccurrence.objects.bulk_update(changed, ["maintenance"], batch_size=500)


def _covers(
    window: MaintenanceWindow, occurrence: AlertOccurrence, service: Service | None
) -> bool:
    alert = occurrence.alert
    if window.environment and window.environment != alert.source.environment:
        return False
    named = window.services.all()
    if named and service not in named:
        return False
    return all_fit(window.matchers, alert.labels)


def _services(
    occurrences: Sequence[AlertOccurrence], windows: Sequence[MaintenanceWindow]
) -> Mapping[UUID, Service | None]:
    """What each firing is about, looked up only if a window asks."""
    if not any(window.services.all() for window in windows):
        return {}
    placed = placing.place([Screened(occurrence) for occurrence in occurrences])
    return {one.occurrence.pk: one.service for one in placed}


def release(now: datetime | None = None) -> int:
    """Give incidents to what was held back, still fires and is held no longer; how many."""
    from incidents.intake import screening

    now = now or timezone.now()
    released = 0
    for waiting in _held():
        still = windows_of(waiting, now)
        free = [
            occurrence
            for occurrence in waiting
            if (window := still.get(occurrence.pk)) is None
            or window.mode != MaintenanceWindow.Mode.SUPPRESS
        ]
        for placed in placing.by_key(placing.place(screening.passed(free))):
            joining.join(placed)
            released += len(placed)
    return released


def _held() -> Iterator[list[AlertOccurrence]]:
    """All that a window was seen to hold back, oldest first, MOST_AT_ONCE at a time."""
    rows = AlertOccurrence.objects.filter(
        resolved_at=None, incident=None, fired=True, maintenance__isnull=False
    ).select_related("alert__source")
    page = rows.order_by("id")
    while batch := list(page[:MOST_AT_ONCE]):
        yield batch
        page = rows.filter(pk__gt=batch[-1].pk).order_by("id")


def cancel(*, window_id: UUID, actor: User | None) -> MaintenanceWindow:
    """End it now and for good. Raises WindowOver, MaintenanceWindow.DoesNotExist."""
    with transaction.atomic():
        window = _locked(window_id)
        window.cancelled_at, window.cancelled_by = timezone.now(), actor
        window.save(update_fields=["cancelled_at", "cancelled_by"])
    return window


def extend(*, window_id: UUID, ends_at: datetime) -> MaintenanceWindow:
    """Have it end at another time. Raises WindowOver, ValidationError by field."""
    with transaction.atomic():
        window = _locked(window_id)
        window.ends_at = ends_at
        window.clean()
        window.save(update_fields=["ends_at"])
    return window


def changeable(window: MaintenanceWindow) -> None:
    """Raises WindowOver for one that never holds again."""
    if window.over_at is not None and window.over_at <= timezone.now():
        over_at = f"{window.over_at:%Y-%m-%d %H:%M} UTC"
        raise WindowOver(f"The window {window.name!r} was over at {over_at}.")


def _locked(window_id: UUID) -> MaintenanceWindow:
    window = MaintenanceWindow.objects.select_for_update().get(pk=window_id)
    changeable(window)
    return window
