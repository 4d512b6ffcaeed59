"""What people do to a timeline on the incident page: notes, corrections, links, pins."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from accounts.models import Role
from accounts.permissions import role_required
from accounts.problems import problem
from incidents.merges.survivors import survivor_of
from incidents.models import Incident
from incidents.pages import PageRequest, panels_answer
from timeline import pins
from timeline.images.attaching import NotAnImage, add_note
from timeline.links import link
from timeline.models import WRITTEN_BY_PEOPLE, Kind, TimelineEvent
from timeline.record import TimelineSealed, record

TITLE_LETTERS = 200


class Note(forms.Form):
    """First line: the event's title; the rest is its body, in Markdown."""

    text = forms.CharField(max_length=10_000)

    def title_and_body(self) -> tuple[str, str]:
        first, _, rest = self.cleaned_data["text"].partition("\n")
        if len(first) <= TITLE_LETTERS:
            return first.strip(), rest.strip()
        return first[: TITLE_LETTERS - 1] + "…", self.cleaned_data["text"]


@require_POST
@role_required(Role.RESPONDER)
def note(request: PageRequest, incident_id: UUID) -> HttpResponse:
    """A note, images, or both."""
    found = get_object_or_404(Incident, pk=incident_id)
    images = request.FILES.getlist("images")
    title = body = ""
    if not images or request.POST.get("text", "").strip():
        form = Note(request.POST)
        if not form.is_valid():
            return problem(400, "invalid", "A note needs text, at most 10,000 letters.")
        title, body = form.title_and_body()
    try:
        add_note(found, request.user, title, body, images, source="page")
    except NotAnImage as error:
        return problem(400, "invalid", str(error))
    except TimelineSealed as error:
        return problem(409, "timeline-sealed", str(error))
    return _answer(request, found)


@require_POST
@role_required(Role.RESPONDER)
def correct(request: PageRequest, incident_id: UUID, seq: int) -> HttpResponse:
    event = _event(incident_id, seq)
    form = Note(request.POST)
    if not form.is_valid():
        return problem(400, "invalid", "A correction needs text, at most 10,000 letters.")
    title, body = form.title_and_body()
    try:
        record(
            incident_id=incident_id,
            kind=Kind.CORRECTION,
            title=title,
            body=body,
            source=WRITTEN_BY_PEOPLE,
            actor=request.user,
            corrects=event,
        )
    except TimelineSealed as error:
        return problem(409, "timeline-sealed", str(error))
    return _answer(request, event.incident)


@require_POST
@role_required(Role.RESPONDER)
def link_event(request: PageRequest, incident_id: UUID, seq: int) -> HttpResponse:
    event = _event(incident_id, seq)
    words = request.POST.get("note", "")[:2000]
    try:
        link(event, request.POST.get("to", ""), request.user, words)
    except ValidationError as error:
        return problem(400, "invalid", " ".join(error.messages))
    except TimelineSealed as error:
        return problem(409, "timeline-sealed", str(error))
    return _answer(request, event.incident)


@require_POST
@role_required(Role.RESPONDER)
def pin(request: PageRequest, incident_id: UUID, seq: int) -> HttpResponse:
    event = _event(incident_id, seq)
    pins.pin(event, request.user)
    return _answer(request, event.incident)


@require_POST
@role_required(Role.RESPONDER)
def unpin(request: PageRequest, incident_id: UUID, seq: int) -> HttpResponse:
    event = _event(incident_id, seq)
    pins.unpin(event, request.user)
    return _answer(request, event.incident)


def _event(incident_id: UUID, seq: int) -> TimelineEvent:
    events = TimelineEvent.objects.select_related("incident")
    return get_object_or_404(events, incident=incident_id, seq=seq)


def _answer(request: PageRequest, incident: Incident) -> HttpResponse:
    """All panels of the page that was acted on: the survivor's, where it was merged.

    The pages of the whole timeline and of one event have no panels: they load again.
    """
    address = urlsplit(request.headers.get("HX-Current-URL", "")).path
    if "/timeline" in address or "/events/" in address:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    survivor = survivor_of(incident)
    survivor.refresh_from_db()
    return panels_answer(request, survivor)
