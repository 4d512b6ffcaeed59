"""The page of one SLO: how it stands, how it got there, which policies fire and why not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET

from accounts.models import Role
from accounts.permissions import role_required
from correlation.explaining.explore import TimeRange, explore_url, graph_url, public_address
from correlation.models import DataSource
from correlation.plots.drawing import Drawing
from correlation.plots.page import page_plot
from incidents.models import Incident
from incidents.pages import PageRequest
from slos import past
from slos.breaches import of_slo
from slos.burn import DAY, HOUR, seconds_to_exhaustion
from slos.definition import Definition, Threshold, Wrong
from slos.evaluating.evaluation import sources_of
from slos.evaluating.standing import SHOWN_WINDOWS
from slos.models import SLO, SLOBreach
from slos.pages.correction_form import CorrectionForm
from slos.pages.plots import Moment, Span, Stretch, budget_plot, sli_plot
from slos.promql import counters, duration_of, samples

SPANS = {"6h": 6 * HOUR, "1d": DAY, "7d": 7 * DAY}
PIECES = {"6h": 300.0, "1d": 900.0, "7d": 3600.0}
USUAL = "6h"
BURN_WINDOWS = tuple(duration_of(seconds) for seconds in SHOWN_WINDOWS)
MOST_LISTED = 20
LONG_PIECES = 120
SAMPLED_EVERY = "30s"


@dataclass(frozen=True)
class Exhaustion:
    """When the budget ends at the burn of this window; `seconds` None: it does not."""

    window: str
    burn: float | None
    seconds: float | None
    at: datetime | None
    beyond: bool  # after this period, or later than one from now


@dataclass(frozen=True)
class Question:
    """One of the queries as it is asked over an hour, with where to look at it."""

    name: str
    query: str
    url: str


@dataclass(frozen=True)
class Policy:
    """A judgement with the breach that goes on, and what of the budget is gone when it fires."""

    judged: dict[str, Any]
    since: datetime | None
    budget_spent: float


@require_GET
@role_required(Role.VIEWER)
def slo(request: PageRequest, name: str) -> HttpResponse:
    """One SLO; an htmx request gets what changes, or 204 when it is as it was `seen`."""
    row = get_object_or_404(SLO.objects.select_related("service", "data_source"), name=name)
    part = bool(request.htmx) and not request.htmx.history_restore_request
    seen = f"{row.version}-{row.evaluated_at.timestamp() if row.evaluated_at else 0}"
    if part and request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    if part:
        context = {"slo": row, "seen": seen, **standing(row, request.GET.get("span", USUAL))}
    else:
        context = {**page_of(row, request), "seen": seen}
    response = render(request, "slos/_slo.html" if part else "slos/slo.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def page_of(row: SLO, request: PageRequest) -> dict[str, Any]:
    """What the whole page shows."""
    return {
        "slo": row,
        "corrections": row.corrections.select_related("author", "withdrawn_by"),
        "correction_form": CorrectionForm(user=request.user),
        "questions": questions(row),
        **standing(row, request.GET.get("span", USUAL)),
    }


def standing(row: SLO, asked: str) -> dict[str, Any]:
    """What the page shows of now and of the span that was asked for."""
    try:
        definition = row.definition()
    except Wrong as wrong:
        return {"wrong": str(wrong), "spans": [*SPANS, "period"], "chosen": USUAL}
    now = time.time()
    chosen = asked if asked in (*SPANS, "period") else USUAL
    start, end = definition.period.bounds(now)
    length = SPANS[chosen] if chosen in SPANS else now - start
    span = Span(now - length, now)
    breaches = list(of_slo(row, datetime.fromtimestamp(span.start, UTC))[:MOST_LISTED])
    incidents = _incidents(row, span)
    drawn = _plots(row, definition, chosen, span, breaches, incidents)
    return {
        "definition": definition,
        "burns": [(name, row.burn_rates.get(name)) for name in BURN_WINDOWS],
        "period_seconds": end - start,
        "spent": _spent(row, end - start),
        "period_start": datetime.fromtimestamp(start, UTC),
        "period_end": None if definition.period.rolling else datetime.fromtimestamp(end, UTC),
        "policies": _policies(row, end - start),
        "exhaustions": [_exhaustion(row, definition, one, now) for one in ("1h", "6h")],
        "breaches": breaches,
        "incidents": incidents,
        "spans": [*SPANS, "period"],
        "chosen": chosen,
        "now": timezone.now(),
        **drawn,
    }


def _plots(
    row: SLO,
    definition: Definition,
    chosen: str,
    span: Span,
    breaches: Sequence[SLOBreach],
    incidents: Sequence[Incident],
) -> dict[str, SafeString]:
    length = span.end - span.start
    piece = PIECES.get(chosen) or max(round(length / LONG_PIECES / HOUR), 1) * HOUR
    counted = past.counts(row, span.start, span.end, piece)
    good = [(c.at, min(c.good / c.total, 1.0)) for c in counted if c.total > 0]
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (span.start, span.end))
    kept = past.snapshots(row, begin, end, max(length / 240, 60.0))
    budget = [
        (one.at.timestamp(), one.budget_remaining)
        for one in kept
        if one.budget_remaining is not None
    ]
    stretches = [
        Stretch(b.started_at.timestamp(), b.ended_at.timestamp() if b.ended_at else None)
        for b in breaches
    ]
    stretches += [
        Stretch(c.starts_at.timestamp(), c.ends_at.timestamp(), "plot-excluded")
        for c in row.corrections.filter(withdrawn_at=None, ends_at__gte=begin)
    ]
    moments = [Moment(one.started_at.timestamp(), one.reference) for one in incidents]
    return {
        "sli_plot": _page(sli_plot(good, definition.target, span, stretches, moments)),
        "budget_plot": _page(budget_plot(budget, span, stretches, moments)),
    }


def _page(drawing: Drawing | None) -> SafeString:
    return mark_safe(page_plot(drawing))  # noqa: S308  (plots.py escapes every text)


def _incidents(row: SLO, span: Span) -> list[Incident]:
    """Those of its service that began in the span, newest first."""
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (span.start, span.end))
    found = Incident.objects.filter(
        services=row.service, merged_into=None, started_at__gte=begin, started_at__lte=end
    )
    return list(found.order_by("-started_at")[:MOST_LISTED])


def _policies(row: SLO, period_seconds: float) -> list[Policy]:
    since = dict(row.breaches.filter(ended_at=None).values_list("policy", "started_at"))
    judged = row.judgements or [
        {**one, "firing": False, "long_burn": None, "short_burn": None, "held_back": ""}
        for one in row.policies
    ]
    return [
        Policy(
            one,
            since.get(f"{duration_of(one['long_seconds'])}/{duration_of(one['short_seconds'])}"),
            one["factor"] * one["long_seconds"] / period_seconds,
        )
        for one in judged
    ]


def _spent(row: SLO, period_seconds: float) -> float | None:
    """The share of a whole period's budget that is spent for certain."""
    if row.budget_remaining is None:
        return None
    return (1.0 - row.budget_remaining) * row.covered_seconds / period_seconds


def _exhaustion(row: SLO, definition: Definition, window: str, now: float) -> Exhaustion:
    start, end = definition.period.bounds(now)
    burn = row.burn_rates.get(window)
    seconds = seconds_to_exhaustion(row.budget_remaining, burn, end - start)
    if seconds is None:
        return Exhaustion(window, burn, None, None, beyond=False)
    beyond = seconds > (end - start if definition.period.rolling else end - now)
    at = datetime.fromtimestamp(now + min(seconds, 3650 * DAY), UTC)
    return Exhaustion(window, burn, seconds, at, beyond)


def questions(row: SLO) -> list[Question]:
    """The queries of its indicator over an hour; empty for what is no SLO."""
    try:
        indicator = row.definition().indicator
    except Wrong:
        return []
    found = counters(indicator)
    if found is not None:
        name = "bad" if found.bad else "good"
        asked = {f"{name} events": found.part.count("1h"), "all events": found.total.count("1h")}
    else:
        assert isinstance(indicator, Threshold)
        good, total = samples(indicator.query, indicator.op, indicator.value, "1h", SAMPLED_EVERY)
        asked = {"good samples": good, "all samples": total}
    (slug,) = sources_of([row])
    source = DataSource.objects.filter(slug=slug or "").first()
    return [Question(name, query, _address(source, query)) for name, query in asked.items()]


def _address(source: DataSource | None, query: str) -> str:
    """Grafana where one is known, else the source's own page; "" for neither."""
    if source is None:
        return ""
    now = time.time()
    over = TimeRange(now - 6 * HOUR, now)
    if grafana := public_address(source.grafana_url or settings.GRAFANA_URL):
        return explore_url(grafana, "prometheus", source.grafana_uid, query, over)
    own = public_address(source.url)
    return graph_url(own, query, over) if own else ""
