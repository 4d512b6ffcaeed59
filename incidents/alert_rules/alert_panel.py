"""The incident page's alerts: what fires, how each came here, and services nobody knows."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Case, Count, F, Q, QuerySet, When
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from accounts.models import Role
from accounts.permissions import role_required
from accounts.problems import problem
from incidents.alert_rules.linking import link, unlinked
from incidents.as_it_was import moved_since, occurrences_then
from incidents.intake.reading import slug_of
from incidents.live import Panel, register
from incidents.models import AlertOccurrence, Incident, Service
from incidents.pages import PageRequest, panels_answer

SHOWN = 12
MOST_NAMES = 3


def alerts(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    rows = _firings(incident, as_of).select_related("alert__source", "service")
    firing = (
        Q(resolved_at=None) if as_of is None else Q(resolved_at=None) | Q(resolved_at__gt=as_of)
    )
    over_last = Case(When(firing, then=0), default=1)
    newest = rows.order_by(
        over_last, F("resolved_at").desc(nulls_first=True), "-started_at", "-id"
    )[:SHOWN]
    names = unlinked(incident)[:MOST_NAMES] if as_of is None else []
    counted = rows.aggregate(total=Count("pk"), firing=Count("pk", filter=firing))
    return {
        "occurrences": list(newest) if as_of is None else occurrences_then(newest, as_of),
        **counted,
        "more": max(0, counted["total"] - SHOWN),
        "unlinked": [(name, slug_of(name)) for name in names],
        "services": _slugs(incident.environment) if names else [],
    }


def _firings(incident: Incident, as_of: datetime | None) -> QuerySet[AlertOccurrence]:
    """The incident's, or those that were its own at that moment."""
    if as_of is None:
        return incident.occurrences.all()
    brought, taken = moved_since(incident, as_of)
    mine = AlertOccurrence.objects.filter(Q(incident=incident) | Q(pk__in=taken))
    return mine.filter(started_at__lte=as_of).exclude(pk__in=brought)


def _slugs(environment: str) -> list[str]:
    rows = Service.objects.filter(environment=environment)
    return list(rows.order_by("slug").values_list("slug", flat=True)[:500])


@require_POST
@role_required(Role.ADMIN)
def link_service(request: PageRequest, incident_id: UUID) -> HttpResponse:
    """Link what alerts name to a service (`slug`), or make it; the page's panels."""
    found = get_object_or_404(Incident, pk=incident_id)
    try:
        link(
            incident_id=found.pk,
            named=request.POST.get("named", ""),
            slug=request.POST.get("slug", ""),
            actor=request.user,
        )
    except ValidationError as error:
        return problem(400, "invalid", " ".join(error.messages))
    except Service.DoesNotExist:
        raise Http404("No such service") from None
    found.refresh_from_db()
    return panels_answer(request, found)


def register_panel() -> None:
    register(Panel("alerts", "incidents/_alerts.html", alerts, column="main", order=25))
