"""/stats: the figures, plotted."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import Role
from accounts.permissions import role_required
from incidents.models import Service, Severity
from incidents.pages import PageRequest
from incidents.stats.asking import asked_of, read
from incidents.stats.overview import Asked, overview
from incidents.stats.periods import PERIODS
from incidents.stats.plot import plot

TITLES = {
    "mtta": ("MTTA", "to acknowledge", "From the start to the first human step."),
    "mttr": ("MTTR", "to resolve", "From the start to the resolution."),
    "ttd": ("TTD", "to detect", "From the start to the first signal."),
    "ttm": ("TTM", "to mitigate", "From the start to the mitigation."),
}


@require_GET
@role_required(Role.VIEWER)
def stats(request: PageRequest) -> HttpResponse:
    """A wrong choice is a 400 that names it and shows no figures."""
    query = read(request.GET.dict(), request.user)
    valid = query.is_valid()
    context: dict[str, Any] = {
        "given": request.GET,
        "errors": [(name, error) for name, errors in query.errors.items() for error in errors],
        "all_periods": PERIODS,
        "all_severities": Severity.values,
        "all_services": Service.objects.order_by("slug").values_list("slug", flat=True).distinct(),
    }
    if valid:
        context |= _figures(asked_of(query))
    return render(request, "incidents/stats.html", context, status=200 if valid else 400)


def _figures(asked: Asked) -> dict[str, Any]:
    found = overview(asked)
    wanted = {
        "since": asked.since,
        "until": asked.until,
        "period": asked.period,
        "service": asked.service,
        "severity": asked.severity,
        "time_zone": asked.zone.key,
    }
    return {
        "asked": asked,
        "found": found,
        "metrics": [
            {
                "name": name,
                "title": title,
                "words": words,
                "what": what,
                "figures": found.overall.of[name],
                "plot": plot([(day, group.of[name]) for day, group in found.periods]),
            }
            for name, (title, words, what) in TITLES.items()
        ],
        "tables": [
            ("By severity", "Severity", _rows(found.severities)),
            ("By service", "Service", _rows(found.services)),
        ],
        "csv": urlencode({name: value for name, value in wanted.items() if value}),
    }


def _rows(groups: list[Any]) -> list[tuple[Any, list[Any]]]:
    """Each group with its figures in the order of TITLES."""
    return [(group, [group.of[name] for name in TITLES]) for group in groups]
