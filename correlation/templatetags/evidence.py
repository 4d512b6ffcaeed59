"""How templates show evidence: units, confidence bands, plots."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from correlation import plots
from correlation.models import Correlation, confidence_band
from correlation.units import humanised
from incidents.models import Incident

register = template.Library()


@register.filter
def in_unit(value: float | None, unit: str) -> str:
    """0.23|in_unit:"ratio" -> "23 %"; None -> "unknown"."""
    return humanised(value, unit)


@register.filter
def percent(share: float) -> str:
    """0.873 -> "87 %": never 100 % for what is not certain."""
    return f"{min(int(share * 100 + 0.5), 99 if share < 1 else 100)} %"


@register.filter
def band(confidence: float) -> str:
    return confidence_band(confidence)


@register.simple_tag
def confidence(value: float | None) -> SafeString:
    """The number and its word, as they are shown everywhere."""
    if value is None:
        return SafeString("")
    word = confidence_band(value)
    return format_html(
        '<span class="confidence"><b>{}</b><span class="band band-{}">{}</span></span>',
        percent(value),
        word,
        word,
    )


@register.filter
def words(name: str) -> str:
    """A machine's name for people: "connection_pool_exhaustion" -> "connection pool exhaustion"."""
    return name.replace("_", " ").replace("-", " ")


@register.filter
def labelled(line: str) -> SafeString:
    """A line of an explanation with its label set apart: "Since: 10:00" -> a <b>Since</b> 10:00."""
    label, colon, rest = line.partition(": ")
    return format_html("<b>{}</b> {}", label, rest) if colon else format_html("{}", line)


@register.filter
def evidence_key(correlation: Correlation) -> str:
    """An element id that stays the same from one analysis to the next."""
    return "evidence-" + re.sub(r"[^a-z0-9]+", "-", correlation.key.lower())


@register.simple_tag
def evidence_plot(correlation: Correlation, incident: Incident) -> SafeString:
    return mark_safe(  # noqa: S308  (plots.py escapes every text)
        plots.evidence_plot(
            **_range(correlation),
            started_at=incident.started_at.timestamp(),
            unit=correlation.unit,
            title=correlation.title,
        )
    )


@register.simple_tag
def evidence_sparkline(correlation: Correlation) -> SafeString:
    return mark_safe(plots.sparkline(**_range(correlation)))  # noqa: S308  (numbers only)


def _range(correlation: Correlation) -> dict[str, Any]:
    details = correlation.details
    return {
        "points": details.get("points") or [],
        "baseline_low": details.get("baseline_low"),
        "baseline_high": details.get("baseline_high"),
        "onset_at": correlation.onset_at.timestamp() if correlation.onset_at else None,
    }
