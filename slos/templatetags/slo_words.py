"""How templates write ratios near one, burn rates and signed budgets."""

from __future__ import annotations

import math
from collections.abc import Mapping

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from correlation.units import digits
from slos.burn import Quality, Status
from slos.models import SLO
from slos.promql import duration_of

register = template.Library()

QUALITY_WORDS = {
    Quality.OK: "complete",
    Quality.PARTIAL: "partial",
    Quality.NO_TRAFFIC: "no traffic",
    Quality.NO_DATA: "no data",
    Quality.INCONSISTENT: "contradictory counts",
    Quality.FAILED: "evaluation failed",
}
UNITS = {
    "m": "minute", "h": "hour", "d": "day", "w": "week", "M": "month", "Q": "quarter", "Y": "year",
}  # fmt: skip
LOUD = {Quality.NO_DATA, Quality.INCONSISTENT, Quality.FAILED}
BAR_FROM, BAR_TO = -0.5, 1.0


@register.filter
def share(value: float | None) -> str:
    """0.99951 -> "99.951 %": what lacks to one has two figures, and only one is 100 %."""
    if value is None:
        return "unknown"
    lacking = abs(1.0 - value) * 100.0
    if lacking == 0:
        return "100 %"
    places = min(max(1 - math.floor(math.log10(lacking)), 1), 6)
    cut = math.floor(value * 100.0 * 10**places) / 10**places  # 99.9999 is not 100
    return f"{cut:.{places}f}".rstrip("0").rstrip(".") + " %"


@register.filter
def target(value: float) -> str:
    """0.999 -> "99.9 %"."""
    return f"{value * 100:.10g} %"


@register.filter
def signed(value: float | None) -> str:
    """0.352 -> "35.2 %", -4.51 -> "-451 %", with a minus sign; None -> "unknown"."""
    if value is None:
        return "unknown"
    percent = value * 100.0
    text = digits(abs(percent)) if abs(percent) >= 0.005 else "0"
    return f"{'−' if percent <= -0.005 else ''}{text} %"


@register.filter
def burn(value: float | None) -> str:
    """14.4 with a multiplication sign; a dash for None."""
    if value is None:
        return "–"
    if value < 0.01:
        return "0×" if value == 0 else "<0.01×"
    return f"{digits(value, 2) if value < 10 else digits(value)}×"


@register.filter
def heat(value: float | None) -> str:
    """How hot a burn rate is: beyond the workbook's page, beyond the budget, within it."""
    if value is None:
        return "unknown"
    return "page" if value > 14.4 else "over" if value > 1.0 else "calm"


@register.filter
def any_known(rates: Mapping[str, float | None]) -> bool:
    return any(rate is not None for rate in rates.values())


@register.filter
def window(seconds: float) -> str:
    """3600.0 -> "1h"."""
    return duration_of(seconds)


@register.filter
def span_words(slo: SLO) -> str:
    """ "the last 30 days", "each month"; as it is written where that cannot be read."""
    count, unit = slo.period[:-1], UNITS.get(slo.period[-1:], "")
    if not (unit and count.isdecimal()):
        return slo.period
    if slo.rolling:
        return f"the last {count} {unit}s" if count != "1" else f"the last {unit}"
    return f"each {unit}" if count == "1" else f"each {count} {unit}s"


@register.filter
def quality_words(quality: str) -> str:
    return QUALITY_WORDS.get(Quality(quality), quality)


@register.filter
def is_loud(quality: str) -> bool:
    """Whether the numbers must not be read as they stand."""
    return Quality(quality) in LOUD


@register.filter
def status_words(status: str) -> str:
    return "no data" if status == Status.NO_DATA else status


@register.simple_tag
def budget_bar(slo: SLO) -> SafeString:
    """A bar right of zero for what is left, left of it for what is overspent."""
    remaining = slo.budget_remaining
    if remaining is None or slo.is_undecided:
        return SafeString('<span class="budget-bar is-unknown" aria-hidden="true"></span>')
    zero = _place(0.0)
    end = _place(remaining)
    left, width = min(zero, end), max(abs(end - zero), 1.5 if remaining else 0.0)
    state = "over" if remaining <= 0 else "low" if remaining < 0.25 else "left"
    return format_html(
        '<svg class="budget-bar" width="100%" height="10" aria-hidden="true" focusable="false">'
        '<rect class="budget-ground" width="100%" height="10" rx="3"/>'
        '<rect class="budget-{}" x="{}%" width="{}%" height="10" rx="2"/>'
        '<line class="budget-zero" x1="{}%" x2="{}%" y1="0" y2="10"/></svg>',
        state, f"{left:.2f}", f"{width:.2f}", f"{zero:.2f}", f"{zero:.2f}",
    )  # fmt: skip


def _place(value: float) -> float:
    inside = min(max(value, BAR_FROM), BAR_TO)
    return (inside - BAR_FROM) / (BAR_TO - BAR_FROM) * 100.0
