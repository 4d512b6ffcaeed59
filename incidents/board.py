"""The board's list: filters from the query string and keyset paging, no COUNT."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from incidents.by_service import incidents_of
from incidents.models import AffectedService, Incident, Status
from incidents.text_search import incidents_with

PAGE_SIZE = 50


@dataclass(frozen=True)
class Page:
    """`older` is the cursor of the next page, "" on the last."""

    incidents: list[Incident]
    older: str


def board_page(
    *, status: str = "", severity: str = "", service: str = "", q: str = "", older: str = ""
) -> Page:
    """At most PAGE_SIZE incidents in board order; two queries whatever their number.

    The archived are among them when something is searched for, or resolved ones are.

    Raises ValueError for a cursor that is not ours.
    """
    found_anywhere = bool(q) or status in (Status.RESOLVED, "archived")
    incidents = Incident.objects
    rows: QuerySet[Incident] = (
        incidents.in_board_order() if found_anywhere else incidents.on_board()
    )
    if status == "archived":
        rows = rows.exclude(archived_at=None)
    elif status == "active":
        rows = rows.exclude(status=Status.RESOLVED)
    elif status:
        rows = rows.filter(status=status)
    if severity:
        rows = rows.filter(severity=severity)
    if service:
        rows = rows.filter(incidents_of(service))
    if q:
        rows = rows.filter(incidents_with(q))
    if older:
        rows = rows.filter(_after(older))
    affected = AffectedService.objects.select_related("service")
    found = list(rows.prefetch_related(Prefetch("affected", affected))[: PAGE_SIZE + 1])
    more = len(found) > PAGE_SIZE
    found = found[:PAGE_SIZE]
    return Page(found, _cursor(found[-1]) if more else "")


def _cursor(last: Incident) -> str:
    resolved: int = last.resolved_last  # type: ignore[attr-defined]  # annotated by on_board
    severity: int = last.severity_order  # type: ignore[attr-defined]
    return f"{resolved}_{severity}_{last.started_at.isoformat()}_{last.pk.hex}"


def _after(cursor: str) -> Q:
    """What comes after the cursor in (resolved_last, severity_order, -started_at, -id)."""
    parts = cursor.split("_")
    if len(parts) != 4:
        raise ValueError("a board cursor has four parts")
    resolved, severity = int(parts[0]), int(parts[1])
    started_at, last = datetime.fromisoformat(parts[2]), UUID(hex=parts[3])
    if started_at.tzinfo is None:
        raise ValueError("a board cursor's time has a zone")
    same = Q(resolved_last=resolved)
    level = same & Q(severity_order=severity)
    return (
        Q(resolved_last__gt=resolved)
        | same & Q(severity_order__gt=severity)
        | level & Q(started_at__lt=started_at)
        | level & Q(started_at=started_at, pk__lt=last)
    )
