"""The report as a page, which prints as a document."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from accounts.permissions import role_required
from accounts.problems import problem
from incidents.models import Incident
from incidents.pages import PageRequest
from timeline.reporting import queue
from timeline.reporting.reading import NoSuchVersion, Reading, read
from timeline.reporting.sections import section

NUMBER_LENGTH = 9


def incident_or_404(reference: str) -> Incident:
    try:
        return Incident.objects.by_reference(reference)
    except Incident.DoesNotExist:
        raise Http404(f"No incident {reference[:100]}") from None


@require_GET
@role_required(Role.VIEWER)
def report(request: PageRequest, reference: str) -> HttpResponse:
    """The newest version, `?version=` an earlier one; a draft until there is one."""
    incident = incident_or_404(reference)
    try:
        reading = read(incident, version_asked_for(request.GET.get("version", "")))
    except (NoSuchVersion, ValueError):
        raise Http404("No such version of the report") from None
    context = {"incident": incident, "reading": reading, "parts": list(_parts(reading))}
    return render(request, "timeline/report.html", context)


@require_GET
@role_required(Role.VIEWER)
def state(request: PageRequest, reference: str) -> HttpResponse:
    """For the page that waits: 204 while it is written, then told to load again."""
    incident = incident_or_404(reference)
    if incident.reports.unfinished().exists():
        return HttpResponse(status=204)
    return HttpResponse(headers={"HX-Refresh": "true"})


@require_POST
@role_required(Role.RESPONDER)
def write(request: PageRequest, reference: str) -> HttpResponse:
    """Ask for a new version; what a resolution did not bring, or brought in vain."""
    incident = incident_or_404(reference)
    if not incident.is_resolved:
        return problem(409, "not-resolved", "The report is written when the incident is resolved.")
    queue.request(incident_id=incident.pk, requested_by=request.user)
    return redirect(reverse("incident-report", args=[incident.reference]))


def version_asked_for(given: str) -> int | None:
    if not given:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) <= NUMBER_LENGTH):
        raise ValueError(given)
    return int(given)


def _parts(reading: Reading) -> Any:
    """Each section with its template; one that is registered no longer shows its Markdown."""
    for part in reading.content["sections"]:
        known = section(part["name"])
        template = known.template if known else ""
        yield {**part, "template": template if part["data"] is not None else ""}
