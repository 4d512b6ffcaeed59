"""Text search: words anywhere in a text, in upper or lower case."""

from __future__ import annotations

from django.db.models import Q

from incidents.models.incident import REFERENCE


def incidents_with(q: str) -> Q:
    """Words of the title, the description or the top cause, or an incident's number."""
    query = Q(title__icontains=q) | Q(description__icontains=q) | Q(top_cause__icontains=q)
    if number := REFERENCE.fullmatch(q):
        query |= Q(number=int(number[1]))
    return query
