"""What is looked at of one event, and whether the timeline is what was written."""

from __future__ import annotations

import json

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.models import Role
from accounts.permissions import role_required
from incidents.pages import PageRequest
from timeline import pins
from timeline.models import TimelineAnchor
from timeline.showing import shown
from timeline.union import own_events
from timeline.verify import verify
from timeline.whole_page import address_of, incident_named


@require_GET
@role_required(Role.VIEWER)
def event(request: PageRequest, reference: str, seq: int) -> HttpResponse:
    """One event with all that is known of it: in the page's dialog, or as a page of its own."""
    incident = incident_named(reference)
    union = own_events(incident)
    found = union.filter(seq=seq).select_related("actor", "corrects", "incident").first()
    if found is None:
        raise Http404(f"{incident.reference} has no event {seq}")
    context = {
        "incident": incident,
        "one": shown([found], union, incident.number, pins.of(union))[0],
        "data": json.dumps(found.data, indent=2, ensure_ascii=False) if found.data else "",
        "address": request.build_absolute_uri(address_of(found)),
        "sealed": TimelineAnchor.objects.filter(pk=incident.pk, sealed_at__isnull=False).exists(),
    }
    name = "timeline/_event_detail.html" if request.htmx else "timeline/event.html"
    return render(request, name, context)


@require_GET
@role_required(Role.VIEWER)
def check(request: PageRequest, reference: str) -> HttpResponse:
    """The chain is read and compared anew each time."""
    incident = incident_named(reference)
    context = {"incident": incident, "result": verify(incident), "checked_at": timezone.now()}
    name = "timeline/_check.html" if request.htmx else "timeline/check.html"
    return render(request, name, context)
