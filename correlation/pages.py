"""The button that asks for another analysis."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from accounts.models import Role
from accounts.permissions import role_required
from accounts.problems import problem
from correlation import queue
from incidents.models import Incident
from incidents.pages import PageRequest, panels_answer


@require_POST
@role_required(Role.RESPONDER)
def analyse(request: PageRequest, incident_id: UUID) -> HttpResponse:
    found = get_object_or_404(Incident, pk=incident_id)
    asked = queue.request(incident_id=found.pk, reason="requested", requested_by=request.user)
    if asked is None:
        return problem(409, "merged", f"{found.reference} was merged; analyse its survivor.")
    found.refresh_from_db()
    return panels_answer(request, found)
