"""Plots of one SLO over a span: its SLI against the target, and what is left of its budget. Pure.

Shapes, scales and colours are those of `correlation.plots`. A mark is a stretch that is shaded,
such as a breach, or the moment at which an incident began.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from correlation.plots import marks
from correlation.plots.drawing import HEIGHT, Drawing
from correlation.plots.scales import Sample, Scale, clock, nice_ticks
from slos.burn import DAY

MANY_DAYS = 2 * DAY
TICKS = 5


@dataclass(frozen=True)
class Stretch:
    """From `start` to `end` (epoch seconds; None: it goes on); `css` says what it is."""

    start: float
    end: float | None
    css: str = "plot-breach"


@dataclass(frozen=True)
class Moment:
    """When something began, with its name."""

    at: float
    name: str


@dataclass(frozen=True)
class Span:
    start: float
    end: float


def sli_plot(
    samples: Sequence[Sample],
    target: float,
    span: Span,
    stretches: Sequence[Stretch] = (),
    moments: Sequence[Moment] = (),
) -> Drawing | None:
    """Good share by piece of time (0..1) with the target as a line; None without two samples."""
    if len(samples) < 2:
        return None
    lowest = min(*(value for _, value in samples), target)
    room = max(1.0 - lowest, 1.0 - target) * 0.1
    scale = Scale(span.start, span.end, max(lowest - room, 0.0), 1.0 + room / 4, HEIGHT)
    below = sum(value < target for _, value in samples)
    said = (
        f"SLI between {_percent(min(v for _, v in samples), 4)} and "
        f"{_percent(max(v for _, v in samples), 4)}, target {_percent(target, 4)}; "
        f"{below} of {len(samples)} pieces below it"
    )
    body = (
        _stretched(scale, stretches)
        + _share_axis(scale)
        + _time_axis(scale)
        + marks.missing(scale, samples)
        + _level(scale, target, "plot-target", "target")
        + marks.curve(scale, samples)
        + _moments(scale, moments)
    )
    return Drawing(body, HEIGHT, "SLI against target", _with_span(said, span))


def budget_plot(
    samples: Sequence[Sample],
    span: Span,
    stretches: Sequence[Stretch] = (),
    moments: Sequence[Moment] = (),
) -> Drawing | None:
    """The remaining budget (signed share) with its zero; None without two samples."""
    if len(samples) < 2:
        return None
    low, high = min(v for _, v in samples), max(v for _, v in samples)
    bottom = min(low, 0.0)
    room = (max(high, 0.0) - bottom or 1.0) * 0.08
    top = max(high, bottom + room) + room
    scale = Scale(span.start, span.end, bottom - (room if low < 0 else 0.0), top, HEIGHT)
    said = f"Budget from {_percent(samples[0][1], 1)} to {_percent(samples[-1][1], 1)}"
    body = (
        _stretched(scale, stretches)
        + _share_axis(scale)
        + _time_axis(scale)
        + marks.missing(scale, samples)
        + (_level(scale, 0.0, "plot-target", "spent") if low < 0 else "")
        + marks.curve(scale, samples)
        + _moments(scale, moments)
    )
    return Drawing(body, HEIGHT, "Error budget remaining", _with_span(said, span))


def _share_axis(scale: Scale) -> str:
    """Percent at the left, with as many decimals as the distance of its lines needs."""
    ticks = nice_ticks(scale.low, scale.high)
    step = (ticks[1] - ticks[0]) * 100.0 if len(ticks) > 1 else 1.0
    places = max(-math.floor(math.log10(step) + 1e-9), 0)
    parts = []
    for value in ticks:
        y = scale.y(value)
        parts.append(
            f'<line class="plot-grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{_percent(value, places)}</text>'
        )
    return "".join(parts)


def _time_axis(scale: Scale) -> str:
    """Clock times, or days (month-day) over more than two of them; UTC."""
    if scale.end - scale.start <= MANY_DAYS:
        return marks.time_axis(scale)
    step = max(math.ceil((scale.end - scale.start) / DAY / TICKS), 1) * DAY
    y, floor = scale.height + 17, f"{scale.height:.1f}"
    parts = [f'<line class="plot-axis" x1="0" x2="100%" y1="{floor}" y2="{floor}"/>']
    at = math.ceil(scale.start / DAY) * DAY
    while at <= scale.end:
        x = scale.x(at)
        anchor = "start" if x < 6 else "end" if x > 94 else "middle"
        day = datetime.fromtimestamp(at, UTC)
        parts.append(f'<text x="{x:.2f}%" y="{y:.1f}" text-anchor="{anchor}">{day:%d %b}</text>')
        at += step
    return "".join(parts)


def _level(scale: Scale, value: float, css: str, word: str) -> str:
    y = scale.y(value)
    return (
        f'<line class="{css}" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="plot-mark-text" x="100%" dx="-4" y="{y - 5:.1f}" text-anchor="end">'
        f"{escape(word)}</text>"
    )


def _stretched(scale: Scale, stretches: Sequence[Stretch]) -> str:
    parts = []
    for one in stretches:
        end = scale.end if one.end is None else one.end
        if end < scale.start or one.start > scale.end:
            continue
        left, right = scale.x(one.start), scale.x(end)
        width = max(right - left, 0.4)
        parts.append(
            f'<rect class="{one.css}" x="{left:.2f}%" width="{width:.2f}%" y="0" '
            f'height="{scale.height:.0f}"/>'
        )
    return "".join(parts)


def _moments(scale: Scale, moments: Sequence[Moment]) -> str:
    """Lines with names above; of names that would lie over one another the first is written."""
    parts, last = [], -100.0
    for one in sorted(moments, key=lambda moment: moment.at):
        if not scale.holds(one.at):
            continue
        x = scale.x(one.at)
        parts.append(
            f'<line class="plot-start" x1="{x:.2f}%" x2="{x:.2f}%" y1="-4" '
            f'y2="{scale.height:.1f}"/>'
        )
        if x - last >= 12.0:
            anchor = "end" if x > 88 else "start" if x < 12 else "middle"
            parts.append(
                f'<text class="plot-mark-text" x="{x:.2f}%" y="-8" text-anchor="{anchor}">'
                f"{escape(one.name)}</text>"
            )
            last = x
    return "".join(parts)


def _percent(value: float, places: int) -> str:
    text = f"{value * 100.0:.{places}f}"
    if "." in text and places > 3:
        text = text.rstrip("0").rstrip(".")
    return f"{'0' if float(text) == 0 else text} %".replace("-", "−")


def _with_span(said: str, span: Span) -> str:
    return f"{said}. {clock(span.start, True)} to {clock(span.end, True)} UTC."
