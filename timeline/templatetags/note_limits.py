"""What the form of a note refuses before it is sent."""

from __future__ import annotations

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def note_limits() -> dict[str, int]:
    """{images: most of a note, bytes: most of one image}; the server holds to the same."""
    return {"images": settings.NOTE_IMAGES_MOST, "bytes": settings.NOTE_IMAGE_MAX_BYTES}
