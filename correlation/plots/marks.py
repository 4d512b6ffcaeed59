"""SVG fragments that every plot shares: axes, usual range, onset, incident start. Pure.

Horizontal places are percent of the drawing's width and vertical ones pixels, so that a plot fits
any width with its letters at their size; only lines that must bend are stretched. Colours are
classes: the page and the image file each bring a style sheet for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from correlation.plots.scales import Sample, Scale, clock, gaps, nice_ticks, runs, time_ticks
from correlation.units import humanised, seconds_in_words

ACROSS = 1000.0
"""Width of the stretched part's own coordinates."""


def value_axis(scale: Scale, unit: str, per: str = "") -> str:
    """Grid lines with their values in `unit` at the left; `per` says what whole numbers count."""
    parts = []
    for value in nice_ticks(scale.low, scale.high):
        if per and value % 1.0:
            continue
        y, text = scale.y(value), escape(humanised(value, unit))
        parts.append(
            f'<line class="plot-grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
        )
    if per:
        parts.append(f'<text class="plot-unit" x="0" y="-6">{escape(per)}</text>')
    return "".join(parts)


def time_axis(scale: Scale) -> str:
    """Clock times in UTC below the drawing."""
    ticks = time_ticks(scale.start, scale.end)
    fine = len(ticks) < 2 or ticks[1] - ticks[0] < 60
    y, floor = scale.height + 17, f"{scale.height:.1f}"
    return f'<line class="plot-axis" x1="0" x2="100%" y1="{floor}" y2="{floor}"/>' + "".join(
        f'<text x="{_x(scale.x(at))}" y="{y:.1f}" text-anchor="{_anchor(scale.x(at), 6)}">'
        f"{clock(at, fine)}</text>"
        for at in ticks
    )


def band(scale: Scale, low: float | None, high: float | None) -> str:
    """The usual range of the values."""
    if low is None or high is None or high < low:
        return ""
    top, bottom = scale.y(high), scale.y(low)
    return _rect("plot-band", 0.0, 100.0, top, max(bottom - top, 1.5))


def missing(scale: Scale, samples: Sequence[Sample], words: str = "no data") -> str:
    """Where samples are missing, with `words` where there is room for them."""
    parts = []
    for start, end in gaps(samples, scale.end):
        left, right = scale.x(start), scale.x(end)
        parts.append(_rect("plot-gap", left, right, 0.0, scale.height))
        if right - left >= 12.0:
            middle = _x((left + right) / 2)
            parts.append(
                f'<text class="plot-gap-text" x="{middle}" y="{scale.height / 2:.1f}" '
                f'text-anchor="middle">{escape(words)}</text>'
            )
    return "".join(parts)


def curve(scale: Scale, samples: Sequence[Sample]) -> str:
    """The values as a line; a sample alone between gaps as a dot."""
    lines, dots = [], []
    for run in runs(samples):
        if len(run) == 1:
            at, value = run[0]
            dots.append(dot("plot-dot", scale.x(at), scale.y(value)))
        else:
            path = " ".join(
                f"{scale.x(at) * ACROSS / 100:.0f},{scale.y(value):.1f}" for at, value in run
            )
            lines.append(f'<polyline class="plot-line" points="{path}"/>')
    return stretched(lines, scale.height) + "".join(dots)


def stretched(shapes: Sequence[str], height: float) -> str:
    """Shapes in coordinates 0..ACROSS by 0..height, stretched to the drawing's width."""
    if not shapes:
        return ""
    return (
        f'<svg width="100%" height="{height:.0f}" viewBox="0 0 {ACROSS:.0f} {height:.0f}" '
        f'preserveAspectRatio="none">{"".join(shapes)}</svg>'
    )


def dot(css: str, x: float, y: float, radius: float = 2.5) -> str:
    return f'<circle class="{css}" cx="{_x(x)}" cy="{y:.1f}" r="{radius}"/>'


def onset(scale: Scale, at: float | None, uncertainty: float | None, word: str = "onset") -> str:
    """The onset, labelled above the drawing, with the stretch within which it lies."""
    if at is None or not scale.holds(at):
        return ""
    margin = uncertainty or 0.0
    shade = ""
    if margin > 0.0:
        left, right = scale.x(at - margin), scale.x(at + margin)
        shade = _rect("plot-onset-range", left, right, 0.0, scale.height)
    give = f" ± {seconds_in_words(margin)}" if margin >= 1.0 else ""
    return shade + _marked(scale, at, "plot-onset", f"{word} {clock(at, True)}{give}", -8.0)


def incident_start(scale: Scale, at: float | None) -> str:
    """When the incident started, labelled one line above the onset."""
    if at is None or not scale.holds(at):
        return ""
    return _marked(scale, at, "plot-start", f"incident {clock(at, True)}", -23.0)


def _marked(scale: Scale, at: float, css: str, label: str, y: float) -> str:
    x = scale.x(at)
    return (
        f'<line class="{css}" x1="{_x(x)}" x2="{_x(x)}" y1="{y + 3:.1f}" y2="{scale.height:.1f}"/>'
        f'<text class="plot-mark-text" x="{_x(x)}" dx="{_beside(x)}" y="{y:.1f}" '
        f'text-anchor="{_anchor(x)}">{escape(label)}</text>'
    )


def bars(scale: Scale, samples: Sequence[Sample], width_seconds: float) -> str:
    """One bar a bucket, (start of bucket, value); empty buckets have none, and one that the
    scale ends within is as narrow as what was counted of it."""
    return "".join(
        _rect(
            "plot-bar",
            scale.x(at),
            scale.x(at + width_seconds),
            scale.y(value),
            scale.height - scale.y(value),
            apart=True,
        )
        for at, value in samples
        if value > 0.0
    )


def _rect(
    css: str, left: float, right: float, top: float, height: float, apart: bool = False
) -> str:
    width = max((right - left) * (0.86 if apart else 1.0), 0.2)
    return (
        f'<rect class="{css}" x="{_x(left)}" width="{_x(width)}" '
        f'y="{top:.1f}" height="{height:.1f}"/>'
    )


def _x(percent: float) -> str:
    text = f"{percent:.2f}".rstrip("0").rstrip(".")
    return f"{text}%"


def _anchor(x: float, edge: float = 50.0) -> str:
    """Text ends at its mark in the right part, begins there in the left one."""
    if edge == 50.0:
        return "end" if x > 50 else "start"
    return "end" if x > 100 - edge else "start" if x < edge else "middle"


def _beside(x: float) -> int:
    return -4 if x > 50 else 4
