"""How templates write what a report or a postmortem holds."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.html import linebreaks
from django.utils.safestring import SafeString, mark_safe

from timeline import notes
from timeline.reporting.markdown import moment

register = template.Library()


@register.filter
def at(text: str | None) -> datetime | None:
    """RFC 3339 text of stored JSON as a moment, for {% clock %}."""
    return moment(text)


@register.filter
def markdown(text: str) -> SafeString:
    """People's text as sanitised HTML."""
    return notes.render(text)


@register.filter
def as_it_stands(text: str) -> SafeString:
    """A machine's text: log templates have *, which is no emphasis."""
    return mark_safe(linebreaks(text, autoescape=True))  # noqa: S308  (escaped)
