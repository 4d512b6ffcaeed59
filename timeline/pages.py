"""The note form under the incident's timeline."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from accounts.models import Role
from accounts.permissions import role_required
from accounts.problems import problem
from incidents.models import Incident
from incidents.pages import PageRequest, panels_answer
from timeline.models import Kind
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
def add_note(request: PageRequest, incident_id: UUID) -> HttpResponse:
    form = Note(request.POST)
    if not form.is_valid():
        return problem(400, "invalid", "A note needs text, at most 10,000 letters.")
    found = get_object_or_404(Incident, pk=incident_id)
    title, body = form.title_and_body()
    try:
        record(
            incident_id=found.pk,
            kind=Kind.NOTE,
            title=title,
            body=body,
            source="page",
            actor=request.user,
        )
    except TimelineSealed as error:
        return problem(409, "timeline-sealed", str(error))
    found.refresh_from_db()
    return panels_answer(request, found)
