"""All SLOs on one page, the worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, IntegerField, Max, Q, QuerySet, Value, When
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET

from accounts.models import Role
from accounts.permissions import role_required
from correlation.plots.drawing import Subject, sparkline
from incidents.pages import PageRequest
from slos.burn import Quality, Status
from slos.models import SLO, SLOSample
from slos.rest.filters import SLOFilter

PAGE_SIZE = 50
SPARK = timedelta(hours=6)
SHOWN_WINDOWS = ("1m", "5m", "1h", "6h")
LOUD = (Quality.FAILED.value, Quality.INCONSISTENT.value, Quality.NO_DATA.value)
DISABLED, HEALTHY, UNKNOWN = 5, 4, 3


@dataclass(frozen=True)
class Row:
    """An SLO as the list shows it; `burns` are those of SHOWN_WINDOWS."""

    slo: SLO
    burns: tuple[tuple[str, float | None], ...]
    spark: SafeString


def worst_first(rows: QuerySet[SLO]) -> QuerySet[SLO]:
    """Exhausted, critical, warning, without numbers to trust, healthy, disabled; within each the
    smallest budget first."""
    rank = Case(
        When(enabled=False, then=Value(DISABLED)),
        When(status=Status.EXHAUSTED.value, then=Value(0)),
        When(status=Status.CRITICAL.value, then=Value(1)),
        When(status=Status.WARNING.value, then=Value(2)),
        When(Q(status=Status.NO_DATA.value) | Q(quality__in=LOUD), then=Value(UNKNOWN)),
        default=Value(HEALTHY),
        output_field=IntegerField(),
    )
    return rows.annotate(rank=rank).order_by(
        "rank", F("budget_remaining").asc(nulls_first=True), "name"
    )


@require_GET
@role_required(Role.VIEWER)
def overview(request: PageRequest) -> HttpResponse:
    """All SLOs; an htmx request gets the list alone, or 204 when it is as it was `seen`."""
    part = bool(request.htmx) and not request.htmx.history_restore_request
    seen = _state()
    if part and request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    filters = SLOFilter(request.GET, queryset=SLO.objects.select_related("service"))
    page: Page[SLO] | None = None
    if filters.is_valid():
        page = Paginator(worst_first(filters.qs), PAGE_SIZE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    for name in ("seen", "page"):
        query.pop(name, None)
    context = {
        "rows": rows_of(list(page)) if page is not None else [],
        "page": page,
        "errors": filters.errors,
        "counts": _counts(),
        "windows": SHOWN_WINDOWS,
        "seen": seen,
        "query": query.urlencode(),
        "given": request.GET,
        "statuses": [one.value for one in Status],
        "services": SLO.objects.order_by().values_list("service__slug", flat=True).distinct(),
        "now": timezone.now(),
        "filtered": any(request.GET.get(name) for name in ("service", "status", "q", "enabled")),
    }
    template = "slos/_slos.html" if part else "slos/slos.html"
    response = render(
        request, template, context, status=200 if filters.is_valid() else 422 if part else 400
    )
    patch_vary_headers(response, ["HX-Request"])
    return response


def rows_of(slos: Sequence[SLO]) -> list[Row]:
    """One query more for all of them: the counts that their small plots show."""
    points = _bad_shares(slos, timezone.now() - SPARK)
    return [
        Row(
            slo,
            tuple((name, slo.burn_rates.get(name)) for name in SHOWN_WINDOWS),
            _spark(points.get(slo.pk, [])),
        )
        for slo in slos
    ]


def _bad_shares(slos: Sequence[SLO], since: datetime) -> Mapping[UUID, list[list[float]]]:
    """[epoch seconds, bad / total] of each five minutes that had events."""
    rows = SLOSample.objects.filter(
        slo__in=[slo.pk for slo in slos], seconds=300, at__gte=since, total__gt=0
    )
    found: dict[UUID, list[list[float]]] = {}
    for pk, at, good, total in rows.order_by("at").values_list("slo_id", "at", "good", "total"):
        found.setdefault(pk, []).append([at.timestamp(), max(1.0 - good / total, 0.0)])
    return found


def _spark(points: list[list[float]]) -> SafeString:
    drawn = sparkline(Subject("metric", "", details={"points": points}), width=96)
    return mark_safe(drawn)  # noqa: S308  (numbers only)


def _counts() -> list[tuple[str, int]]:
    """How many enabled SLOs have each status, the worst first; none is left out."""
    rows = SLO.objects.filter(enabled=True).order_by().values_list("status").annotate(Count("pk"))
    found = dict(rows)
    order = (Status.EXHAUSTED, Status.CRITICAL, Status.WARNING, Status.NO_DATA, Status.HEALTHY)
    return [(one.value, found[one.value]) for one in order if one.value in found]


def _state() -> str:
    """Another text whenever the list may look otherwise."""
    known: dict[str, Any] = SLO.objects.aggregate(
        evaluated=Max("evaluated_at"), updated=Max("updated_at"), rows=Count("pk")
    )
    return "-".join(
        f"{one.timestamp():.3f}" if isinstance(one, datetime) else str(one)
        for one in known.values()
    )
