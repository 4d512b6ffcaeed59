"""The whole timeline on a page of its own: filtered and paged by the server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import Role
from accounts.permissions import role_required
from incidents.models import Incident
from timeline import pins
from timeline.kinds import grouped
from timeline.models import TimelineEvent
from timeline.panels import present
from timeline.showing import anchor_of, light, shown
from timeline.union import events_of, filtered, following, preceding

PAGE = 200
LEAD = 40  # events shown before one that is asked for
ANCHOR = re.compile(r"(?:INC-(\d{1,9})-)?(\d{1,9})")


@dataclass(frozen=True)
class Page:
    """Events oldest first, and whether there are others on either side."""

    events: list[TimelineEvent]
    earlier: bool
    later: bool

    @property
    def last(self) -> TimelineEvent:
        return self.events[-1]


def incident_named(reference: str) -> Incident:
    try:
        return Incident.objects.by_reference(reference)
    except Incident.DoesNotExist:
        raise Http404(f"No incident {reference[:100]}") from None


@require_GET
@role_required(Role.VIEWER)
def whole(request: HttpRequest, reference: str) -> HttpResponse:
    """`kind` (or a group of kinds) and `source` filter; `event` (an id, 12 or INC-7-12), `before`
    or `after` (ids) say where the page begins, otherwise with the first event."""
    incident = incident_named(reference)
    union = events_of(incident)
    kinds, sources = present(union)
    kind, source = request.GET.get("kind", ""), request.GET.get("source", "")
    events = filtered(union, [kind] if kind else [], [source] if source else [])
    page = page_of(incident, events, union, request.GET.dict())
    context = {
        "incident": incident,
        "events": shown(page.events, union, incident.number, pins.of(union)),
        "page": page,
        "kinds": grouped(kinds),
        "sources": sources,
        "kind": kind,
        "source": source,
        "total": events.count(),
        "filter_words": "Show",
        "whole": True,
    }
    return render(request, "timeline/whole.html", context)


def page_of(
    incident: Incident,
    events: QuerySet[TimelineEvent],
    union: QuerySet[TimelineEvent],
    query: dict[str, Any],
) -> Page:
    shown_events = light(events)
    if "before" in query:
        rows = list(preceding(shown_events, _by_id(union, query["before"]))[: PAGE + 1])
        return Page(rows[:PAGE][::-1], earlier=len(rows) > PAGE, later=True)
    if "after" in query:
        rows = list(following(shown_events, _by_id(union, query["after"]))[: PAGE + 1])
        return Page(rows[:PAGE], earlier=True, later=len(rows) > PAGE)
    lead: list[TimelineEvent] = []
    if "event" in query:
        wanted = _by_anchor(incident, union, query["event"])
        lead = list(preceding(shown_events, wanted)[: LEAD + 1])
        rows = lead[:LEAD][::-1] + list(light(union.filter(pk=wanted.pk)))
        rows += list(following(shown_events, wanted)[: PAGE + 1])
    else:
        rows = list(shown_events[: PAGE + 1])
    return Page(rows[:PAGE], earlier=len(lead) > LEAD, later=len(rows) > PAGE)


def _by_id(union: QuerySet[TimelineEvent], text: str) -> TimelineEvent:
    try:
        found = union.filter(pk=UUID(text)).first()
    except ValueError:
        found = None
    if found is None:
        raise Http404(f"No event {text[:60]}")
    return found


def _by_anchor(incident: Incident, union: QuerySet[TimelineEvent], text: str) -> TimelineEvent:
    match = ANCHOR.fullmatch(text.removeprefix("event-"))
    if match is None:
        return _by_id(union, text)
    number = int(match[1]) if match[1] else incident.number
    found = union.filter(incident__number=number, seq=int(match[2])).first()
    if found is None:
        raise Http404(f"{incident.reference} has no event {text[:60]}")
    return found


def address_of(event: TimelineEvent) -> str:
    """Where an event is found, however many came after it."""
    anchor = anchor_of(event, event.incident.number)
    return f"{event.incident.get_absolute_url()}/timeline?event={event.seq}#{anchor}"
