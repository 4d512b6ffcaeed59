"""The service catalogue's pages."""

from __future__ import annotations

from django.db.models import Count, Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import Role
from accounts.permissions import role_required
from incidents.catalogue import sections
from incidents.models import AffectedService, Incident, Service, ServiceDependency
from incidents.models.catalogue import PRODUCTION

RECENT = 15


@require_GET
@role_required(Role.VIEWER)
def services(request: HttpRequest) -> HttpResponse:
    rows = list(Service.objects.order_by("environment", "tier", "slug"))
    # from the few open incidents, not through all that ever were
    active = dict(
        AffectedService.objects.filter(incident__in=Incident.objects.active())
        .order_by()
        .values_list("service")
        .annotate(Count("pk"))
    )
    for row in rows:
        row.active_incidents = active.get(row.pk, 0)  # type: ignore[attr-defined]
    return render(request, "incidents/services.html", {"services": rows})


@require_GET
@role_required(Role.VIEWER)
def service(request: HttpRequest, slug: str) -> HttpResponse:
    """One service; `?environment=` picks among namesakes, production first."""
    edges = ServiceDependency.objects.select_related("caller", "callee")
    namesakes = Service.objects.filter(slug=slug).prefetch_related(
        Prefetch("calls", edges.order_by("callee__slug")),
        Prefetch("called_by", edges.order_by("caller__slug")),
    )
    wanted = request.GET.get("environment", PRODUCTION)
    ranked = sorted(namesakes, key=lambda s: (s.environment != wanted, s.environment))
    if not ranked:
        raise Http404(f"No service {slug}")
    found = ranked[0]
    context = {
        "service": found,
        "incidents": Incident.objects.filter(services=found).order_by("-started_at")[:RECENT],
        "changes": found.changes.all()[:RECENT],
        "sections": sections.drawn(found),
    }
    return render(request, "incidents/service.html", context)
