"""How templates write an incident's times and counts."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from incidents import prose

register = template.Library()


@register.filter
def duration(seconds: float | None) -> str:
    """4212 -> "1h 10m", 252 -> "4m 12s", 9 -> "9s"; None -> "not yet"."""
    if seconds is None:
        return "not yet"
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"


@register.simple_tag
def clock(at: datetime | None) -> SafeString:
    """A moment, in UTC until the page's script shows it in the reader's time zone."""
    if at is None:
        return SafeString("")
    return format_html('<time datetime="{}">{} UTC</time>', _iso(at), f"{at:%Y-%m-%d %H:%M:%S}")


@register.simple_tag
def age(at: datetime) -> SafeString:
    """Time since `at`, kept current by the page's script."""
    return format_html('<time datetime="{}" data-age>{} UTC</time>', _iso(at), f"{at:%H:%M:%S}")


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@register.filter
def money(amount: object) -> str:
    """12500 -> "12,500"; None -> "unknown"."""
    return "unknown" if amount is None else f"{amount:,.0f}"


@register.filter
def count(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


@register.filter
def markdown(text: str) -> SafeString:
    """The Markdown that people write, as HTML that is safe to show."""
    return prose.render(text)
