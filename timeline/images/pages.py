"""Serves images to those who may see the incident."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from accounts.models import Role
from accounts.permissions import role_required
from incidents.pages import PageRequest
from timeline.images import store
from timeline.images.models import NoteImage

NOTHING_RUNS = "default-src 'none'; style-src 'none'; img-src 'self'; sandbox"


@require_GET
@role_required(Role.VIEWER)
def image(request: PageRequest, incident_id: UUID, image_id: UUID) -> HttpResponse:
    row = get_object_or_404(NoteImage, pk=image_id, incident=incident_id)
    return answer(row)


def answer(row: NoteImage) -> HttpResponse:
    """The file, as what it was stored; 404 when it is missing or was changed."""
    content = store.content_of(row)
    if content is None:
        raise Http404("The file is missing, or it is not the one that was stored.")
    response = HttpResponse(content, content_type=row.media_type)
    name = f"{row.name.rpartition('.')[0] or row.name}.{row.format}"
    response["Content-Disposition"] = content_disposition_header(False, name) or "inline"
    response["Content-Security-Policy"] = NOTHING_RUNS
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
