"""How templates show evidence: units, confidence bands, plots."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from correlation.explaining import evidence_facts
from correlation.explaining.links import trace_ids
from correlation.models import Correlation, confidence_band
from correlation.plots import drawing as plots
from correlation.plots.evidence_subject import subject_of
from correlation.plots.page import page_plot
from correlation.signal_labels import label_of
from correlation.units import digits, humanised, span_in_words
from incidents.models import Incident

register = template.Library()


@register.filter
def in_unit(value: float | None, unit: str) -> str:
    """0.23|in_unit:"ratio" -> "23 %"; None -> "unknown"."""
    return humanised(value, unit)


UNITS = re.compile(r"(?<=\d) (?=(%|ms|s|min|µs|B|[KMGTP]iB|cores)(?![\w]))")


@register.filter
def unbroken(text: str) -> str:
    """The text with its numbers and their units kept on one line."""
    return UNITS.sub("\N{NO-BREAK SPACE}", text)


@register.filter
def in_its_unit(value: float | None, correlation: Correlation) -> str:
    """A value of a correlation; counts of lines and traces by the minute, as their titles say."""
    if correlation.signal == "trace_slow" and value == 0.0:
        return "not called"
    if correlation.type in ("log", "trace") and correlation.unit == "1/s" and value is not None:
        return f"{digits(value * 60.0, 2)}/min"
    return humanised(value, correlation.unit)


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
def odds(sureness: dict[str, Any]) -> str:
    """What a confidence means: "Right in about 9 of 10 such answers"."""
    told = sureness["odds"]
    return f"Right in {told if told.startswith('fewer') else f'about {told}'} such answers"


@register.filter
def labelled(line: str) -> SafeString:
    """A line of an explanation with its label set apart: "Since: 10:00" -> a <b>Since</b> 10:00."""
    label, colon, rest = line.partition(": ")
    return format_html("<b>{}</b> {}", label, rest) if colon else format_html("{}", line)


@register.filter
def evidence_key(correlation: Correlation) -> str:
    """An element id that stays the same from one analysis to the next."""
    return "evidence-" + re.sub(r"[^a-z0-9]+", "-", correlation.key.lower())


@register.filter
def facts(correlation: Correlation) -> list[tuple[str, str]]:
    """What it says beyond its numbers: [(label, text)]."""
    return evidence_facts.facts(
        correlation.type, correlation.signal, correlation.value, correlation.details
    )


@register.filter
def set_apart(correlation: Correlation) -> list[str]:
    return evidence_facts.set_apart(correlation.details)


@register.filter
def asked_range(correlation: Correlation) -> dict[str, Any] | None:
    """{start, end: datetime, step: seconds or None}; None where a run did not record it."""
    return _span(correlation.details.get("range"))


@register.filter
def compared_with(correlation: Correlation) -> dict[str, Any] | None:
    """{start, end: datetime} of its baseline; None where a run did not record it."""
    return _span(correlation.details.get("baseline_range"))


@register.filter
def usual(correlation: Correlation) -> str:
    """The range of values its baseline held: "0 % to 1.62 %"."""
    details = correlation.details
    return span_in_words(details["baseline_low"], details["baseline_high"], correlation.unit)


def _span(known: Any) -> dict[str, Any] | None:
    if not isinstance(known, dict) or "start" not in known or "end" not in known:
        return None
    start, end = (datetime.fromtimestamp(known[side], UTC) for side in ("start", "end"))
    return {"start": start, "end": end, "step": known.get("step")}


@register.filter
def tool_links(correlation: Correlation) -> list[dict[str, str]]:
    """The links that open the evidence itself, those to single traces left out."""
    return [link for link in correlation.links if not link.get("trace_id")]


@register.filter
def traces(correlation: Correlation) -> list[dict[str, str]]:
    """[{trace_id, url}] of its sampled traces; `url` "" where no tool with a page is known."""
    urls = {link["trace_id"]: link["url"] for link in correlation.links if link.get("trace_id")}
    return [{"trace_id": one, "url": urls.get(one, "")} for one in trace_ids(correlation.details)]


@register.simple_tag
def evidence_plot(correlation: Correlation, incident: Incident) -> SafeString:
    drawn = plots.drawing_of(subject_of(correlation, incident))
    return mark_safe(page_plot(drawn))  # noqa: S308  (plots.py escapes every text)


@register.filter
def stored_plot(kept: dict[str, Any] | None) -> SafeString:
    """The plot that a report kept, as `Drawing`'s fields."""
    drawn = plots.Drawing(**kept) if kept else None
    return mark_safe(page_plot(drawn))  # noqa: S308  (plots.py escaped every text)


@register.filter
def plot_key(correlation: Correlation) -> list[tuple[str, str]]:
    """What its plot's colours mean: [(class, text)]."""
    details = correlation.details
    if correlation.type == "trace" and not details.get("points"):
        return [("median", "median; each dot is one span")]
    if correlation.type in ("kubernetes", "change"):
        return []
    found = [("curve", f"{label_of(correlation.signal)}, UTC")]
    if details.get("baseline_high") is not None:
        found.append(("band", "usual range"))
    if correlation.onset_at:
        found.append(("onset", "onset"))
    return [*found, ("start", "incident start")]


@register.simple_tag
def evidence_sparkline(correlation: Correlation) -> SafeString:
    return mark_safe(plots.sparkline(subject_of(correlation)))  # noqa: S308  (numbers only)


@register.filter
def diff_class(line: str) -> str:
    """How a line of a unified diff is drawn."""
    if line.startswith(("+++", "---", "@@")):
        return "diff-head"
    return {"+": "diff-added", "-": "diff-removed"}.get(line[:1], "diff-same")
