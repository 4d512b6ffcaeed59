"""Plots of evidence as SVG text. Pure: points in, markup out.

Only presentation attributes and classes (the pages' CSP allows no inline style); colours come
from static/css/incident.css, so that a plot follows the theme.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import pairwise

from correlation.units import humanised

Points = Sequence[Sequence[float | None]]
Sample = tuple[float, float]

TIME_STEPS_SECONDS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)
LEFT, RIGHT, TOP, BOTTOM = 62.0, 12.0, 18.0, 22.0


@dataclass(frozen=True)
class Frame:
    """Maps time (epoch s) and value to the viewBox; the y axis points up."""

    left: float
    top: float
    right: float
    bottom: float
    start: float
    end: float
    low: float
    high: float

    def x(self, at: float) -> float:
        return self.left + (at - self.start) / (self.end - self.start) * (self.right - self.left)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.bottom - min(max(share, 0.0), 1.0) * (self.bottom - self.top)


def usable(points: Points) -> list[Sample]:
    """The finite (time, value) pairs in time order; malformed ones are left out."""
    found = []
    for point in points:
        if len(point) == 2 and point[0] is not None and point[1] is not None:
            at, value = float(point[0]), float(point[1])
            if math.isfinite(at) and math.isfinite(value):
                found.append((at, value))
    return sorted(found)


def value_range(samples: Sequence[Sample], *extra: float | None) -> tuple[float, float]:
    """A range that holds all values, from zero when that does not flatten the curve."""
    values = [value for _, value in samples] + [v for v in extra if v is not None]
    low, high = min(values), max(values)
    if low >= 0 and low <= 0.6 * high:
        low = 0.0
    if high == low:
        spread = abs(high) * 0.1 or 1.0
        return (0.0 if low == 0 else low - spread), high + spread
    return low, high + (high - low) * 0.06


def possible(low: float | None, samples: Sequence[Sample]) -> float | None:
    """The lower end of the usual range; not below zero for a signal that never is."""
    return low if low is None or min(value for _, value in samples) < 0 else max(low, 0.0)


def nice_ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers inside [low, high]: multiples of 1, 2, 2.5 or 5 times a power of ten."""
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= raw)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [n * step for n in range(first, last + 1)]


def time_ticks(start: float, end: float, about: int = 4) -> list[float]:
    step = next((s for s in TIME_STEPS_SECONDS if (end - start) / s <= about), 86400)
    return [float(n * step) for n in range(math.ceil(start / step), math.floor(end / step) + 1)]


def runs(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    """Stretches without a gap: a missing sample breaks the line, it is not drawn across."""
    gaps = sorted(b[0] - a[0] for a, b in pairwise(samples))
    widest = 3.0 * gaps[len(gaps) // 2] if gaps else math.inf
    current: list[Sample] = []
    for sample in samples:
        if current and sample[0] - current[-1][0] > widest:
            yield current
            current = []
        current.append(sample)
    if current:
        yield current


def curve(samples: Sequence[Sample], frame: Frame, css: str) -> str:
    parts = []
    for run in runs(samples):
        if len(run) == 1:
            at, value = run[0]
            x, y = frame.x(at), frame.y(value)
            parts.append(f'<circle class="plot-dot" cx="{x:.1f}" cy="{y:.1f}" r="2"/>')
        else:
            path = " ".join(f"{frame.x(at):.1f},{frame.y(value):.1f}" for at, value in run)
            parts.append(f'<polyline class="{css}" points="{path}"/>')
    return "".join(parts)


def band(frame: Frame, low: float | None, high: float | None, css: str) -> str:
    if low is None or high is None or high < low:
        return ""
    top, bottom = frame.y(high), frame.y(low)
    return (
        f'<rect class="{css}" x="{frame.left:.1f}" y="{top:.1f}" '
        f'width="{frame.right - frame.left:.1f}" height="{max(bottom - top, 1.5):.1f}"/>'
    )


def marker(frame: Frame, at: float | None, css: str, label: str = "") -> str:
    if at is None or not frame.start <= at <= frame.end:
        return ""
    x = frame.x(at)
    line = (
        f'<line class="{css}" x1="{x:.1f}" x2="{x:.1f}" '
        f'y1="{frame.top:.1f}" y2="{frame.bottom:.1f}"/>'
    )
    if not label:
        return line
    anchor = "end" if x > frame.right - 60 else "start" if x < frame.left + 60 else "middle"
    return (
        f'{line}<text class="plot-mark-text" x="{x:.1f}" y="{frame.top - 6:.1f}" '
        f'text-anchor="{anchor}">{escape(label)}</text>'
    )


def clock(at: float, with_seconds: bool = False) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S" if with_seconds else "%H:%M")


def evidence_plot(
    points: Points,
    *,
    baseline_low: float | None = None,
    baseline_high: float | None = None,
    onset_at: float | None = None,
    started_at: float | None = None,
    unit: str = "",
    title: str = "",
    width: int = 560,
    height: int = 180,
) -> str:
    """One signal over time with its usual range, its onset and the incident's start.

    `points` are [epoch s, value] pairs, values and baseline in `unit`. Answers "" when fewer
    than two samples are left to draw.
    """
    samples = usable(points)
    if len(samples) < 2 or samples[0][0] == samples[-1][0]:
        return ""
    baseline_low = possible(baseline_low, samples)
    low, high = value_range(samples, baseline_low, baseline_high)
    frame = Frame(
        LEFT, TOP, width - RIGHT, height - BOTTOM, samples[0][0], samples[-1][0], low, high
    )
    parts = [band(frame, baseline_low, baseline_high, "plot-band")]
    for value in nice_ticks(low, high):
        y = frame.y(value)
        parts.append(
            f'<line class="plot-grid" x1="{frame.left:.1f}" x2="{frame.right:.1f}" '
            f'y1="{y:.1f}" y2="{y:.1f}"/><text x="{frame.left - 6:.1f}" y="{y + 3.5:.1f}" '
            f'text-anchor="end">{escape(humanised(value, unit))}</text>'
        )
    ticks = time_ticks(frame.start, frame.end)
    fine = len(ticks) > 1 and ticks[1] - ticks[0] < 60
    for at in ticks:
        parts.append(
            f'<text x="{frame.x(at):.1f}" y="{height - 6}" text-anchor="middle">'
            f"{clock(at, fine)}</text>"
        )
    parts.append(marker(frame, started_at, "plot-start"))
    parts.append(curve(samples, frame, "plot-line"))
    label = f"onset {clock(onset_at, True)}" if onset_at is not None else ""
    parts.append(marker(frame, onset_at, "plot-onset", label))
    words = f"{title or 'Signal'}, {clock(frame.start)} to {clock(frame.end)} UTC"
    return (
        f'<svg class="plot" viewBox="0 0 {width} {height}" role="img">'
        f"<title>{escape(words)}</title>{''.join(parts)}</svg>"
    )


def sparkline(
    points: Points,
    *,
    baseline_low: float | None = None,
    baseline_high: float | None = None,
    onset_at: float | None = None,
    width: int = 120,
    height: int = 28,
) -> str:
    """The curve alone, for a row of a list; "" when there is nothing to draw."""
    samples = usable(points)
    if len(samples) < 2 or samples[0][0] == samples[-1][0]:
        return ""
    baseline_low = possible(baseline_low, samples)
    low, high = value_range(samples, baseline_low, baseline_high)
    frame = Frame(1, 2, width - 1, height - 2, samples[0][0], samples[-1][0], low, high)
    return (
        f'<svg class="spark" viewBox="0 0 {width} {height}" preserveAspectRatio="none" '
        f'aria-hidden="true" focusable="false">'
        f"{band(frame, baseline_low, baseline_high, 'spark-band')}"
        f"{marker(frame, onset_at, 'spark-onset')}{curve(samples, frame, 'spark-line')}</svg>"
    )
