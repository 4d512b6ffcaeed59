"""Plots of evidence, by what it is: a drawing is told here, `plot_page` and `plot_image` show it.

Pure: points in, markup out. A metric is a line with its usual range, log lines and failed traces
are counted in buckets, slow operations are two distributions, states and changes are marks on a
time line. See `plot_marks` for what all share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from statistics import median
from typing import Any

from correlation.plots import marks
from correlation.plots.scales import (
    Points,
    Sample,
    Scale,
    clock,
    possible,
    usable,
    usual_step,
    value_range,
)
from correlation.units import humanised, seconds_in_words, span_in_words

HEIGHT = 150.0
MARKS_HEIGHT = 34.0
ROW_HEIGHT = 40.0
BEFORE_SECONDS, BEFORE_SHARE, FEWEST_BEFORE = 180.0, 1.5, 12


@dataclass(frozen=True)
class Subject:
    """One piece of evidence as it is drawn; times in epoch seconds, values in `unit`.

    `type` and `details` are those of Evidence; `end` is how far was looked, where known.
    """

    type: str
    title: str
    signal: str = ""
    unit: str = ""
    onset_at: float | None = None
    started_at: float | None = None
    end: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Drawing:
    """What is inside the axes: `body` in percent by pixels, `height` of it, and what it says."""

    body: str
    height: float
    title: str
    description: str


def drawing_of(subject: Subject) -> Drawing | None:
    """The plot that fits the evidence; None when there is too little to draw."""
    if subject.type == "metric":
        return line_drawing(subject)
    if subject.type == "log":
        return counts_drawing(subject)
    if subject.type == "trace":
        counted = bool(subject.details.get("points"))
        return counts_drawing(subject) if counted else distribution_drawing(subject)
    return marks_drawing(subject)


def near(samples: list[Sample], subject: Subject) -> list[Sample]:
    """The samples from a while before the trouble on: what happened must not end up in a corner.

    At least BEFORE_SECONDS or FEWEST_BEFORE samples before, or BEFORE_SHARE times what follows.
    """
    moments = [at for at in (subject.onset_at, subject.started_at) if at is not None]
    if not samples or not moments:
        return samples
    begin, end = min(moments), max(samples[-1][0], subject.end or 0.0)
    room = max(BEFORE_SHARE * (end - begin), BEFORE_SECONDS, FEWEST_BEFORE * usual_step(samples))
    kept = [sample for sample in samples if sample[0] >= begin - room]
    return kept if len(kept) > 1 else samples


def line_drawing(subject: Subject) -> Drawing | None:
    """Values over time with their usual range; where samples are missing it says so."""
    samples = near(usable(_rows(subject.details.get("points"))), subject)
    if len(samples) < 2 or samples[0][0] == samples[-1][0]:
        return None
    high = _number(subject.details.get("baseline_high"))
    usual = possible(_number(subject.details.get("baseline_low")), samples)
    bottom, top = value_range(samples, usual, high)
    end = max(samples[-1][0], subject.end or 0.0)
    scale = Scale(samples[0][0], end, bottom, top, HEIGHT)
    body = (
        marks.band(scale, usual, high)
        + marks.value_axis(scale, subject.unit)
        + marks.time_axis(scale)
        + marks.missing(scale, samples)
        + marks.curve(scale, samples)
        + _moments(scale, subject)
    )
    values = [value for _, value in samples]
    said = f"Values from {span_in_words(min(values), max(values), subject.unit)}"
    if usual is not None and high is not None:
        said += f", usually {span_in_words(usual, high, subject.unit)}"
    return _told(subject, body, scale, said)


def counts_drawing(subject: Subject) -> Drawing | None:
    """How many in each bucket of time, before and during; None where no bucket has any.

    What is there only long before the trouble is shown all the same: that it ended is the news.
    """
    every = usable(_rows(subject.details.get("points")))
    samples = near(every, subject)
    if not any(rate > 0 for _, rate in samples):
        samples = every
    if len(samples) < 2 or not any(rate > 0 for _, rate in samples):
        return None
    width = _number(subject.details.get("bin_seconds")) or samples[1][0] - samples[0][0]
    if width <= 0.0:
        return None
    counted = [(at, rate * width) for at, rate in samples]
    until = _number(subject.details.get("counted_until")) or math.inf
    end = max(min(samples[-1][0] + width, until), subject.end or 0.0)
    if end <= samples[-1][0]:
        return None
    scale = Scale(samples[0][0], end, 0.0, max(value_range(counted)[1], 1.0), HEIGHT)
    noun = "failed traces" if subject.type == "trace" else "lines"
    body = (
        marks.value_axis(scale, "count", per=f"{noun} in {seconds_in_words(width)}")
        + marks.time_axis(scale)
        + marks.missing(scale, counted, "not counted")
        + marks.bars(scale, counted, width)
        + _moments(scale, subject)
    )
    most = max(n for _, n in counted)
    said = f"Up to {humanised(round(most), 'count')} {noun} in {seconds_in_words(width)}"
    return _told(subject, body, scale, said)


def distribution_drawing(subject: Subject) -> Drawing | None:
    """Durations before and during as dots on one logarithmic axis, with their medians."""
    rows = [
        ("before", _durations(subject.details.get("seconds_before"))),
        ("during", _durations(subject.details.get("seconds_during"))),
    ]
    every = [seconds for _, found in rows for seconds in found]
    if not rows[1][1] or len(every) < 2:
        return None
    low, high = math.log10(min(every)), math.log10(max(every))
    low, high = math.floor(low - 0.05), math.ceil(high + 0.05)
    height = ROW_HEIGHT * len(rows)
    scale = Scale(float(low), float(high), 0.0, 1.0, height)
    parts = []
    for power in range(low, high + 1):
        x = f"{scale.x(power):.2f}%"
        anchor = "start" if power == low else "end" if power == high else "middle"
        parts.append(
            f'<line class="plot-grid" x1="{x}" x2="{x}" y1="0" y2="{height:.0f}"/><text x="{x}" '
            f'y="{height + 17:.0f}" text-anchor="{anchor}">{seconds_in_words(10.0**power)}</text>'
        )
    said = []
    for n, (name, found) in enumerate(rows):
        y = ROW_HEIGHT * (n + 0.5)
        parts.append(f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{name}</text>')
        if not found:
            parts.append(f'<text class="plot-gap-text" x="4" y="{y + 4:.1f}">no such span</text>')
            said.append(f"{name}: none")
            continue
        for k, seconds in enumerate(found):
            shifted = y + ((k * 7) % 11 - 5) * 1.6  # dots of one duration do not hide each other
            parts.append(marks.dot("plot-dot plot-faint", scale.x(math.log10(seconds)), shifted))
        middle = median(found)
        x = f"{scale.x(math.log10(middle)):.2f}%"
        parts.append(
            f'<line class="plot-median" x1="{x}" x2="{x}" y1="{y - 15:.1f}" y2="{y + 15:.1f}"/>'
        )
        said.append(f"{name}: median {seconds_in_words(middle)} of {len(found)}")
    return Drawing("".join(parts), height, subject.title, "; ".join(said) + ".")


def marks_drawing(subject: Subject) -> Drawing | None:
    """When a state began or a change was made, beside the trouble's onset and the incident."""
    at = subject.onset_at
    if at is None:
        return None
    lead = _number(subject.details.get("seconds_before_onset"))
    trouble = None if lead is None else at + lead
    known = [moment for moment in (at, trouble, subject.started_at, subject.end) if moment]
    first, last = min(known), max(known)
    room = max(0.12 * (last - first), 30.0)
    scale = Scale(first - room, last + room / 3, 0.0, 1.0, MARKS_HEIGHT)
    word = subject.signal.replace("_", " ")
    body = (
        marks.time_axis(scale)
        + marks.onset(scale, trouble, None, "trouble")
        + marks.incident_start(scale, subject.started_at)
        + marks.dot("plot-event", scale.x(at), MARKS_HEIGHT / 2, 6.0)
        + f'<text class="plot-mark-text" x="{scale.x(at):.2f}%" y="{MARKS_HEIGHT / 2 + 4:.1f}" '
        f'dx="{10 if scale.x(at) < 60 else -10}" '
        f'text-anchor="{"start" if scale.x(at) < 60 else "end"}">{escape(word)}</text>'
    )
    return _told(subject, body, scale, f"{word} at {clock(at, True)} UTC")


def sparkline(subject: Subject, width: int = 120, height: int = 28) -> str:
    """The curve alone, for a row of a list; "" when there is nothing to draw."""
    samples = near(usable(_rows(subject.details.get("points"))), subject)
    if len(samples) < 2 or samples[0][0] == samples[-1][0] or subject.type == "trace":
        return ""
    high = _number(subject.details.get("baseline_high"))
    usual = possible(_number(subject.details.get("baseline_low")), samples)
    low, top = value_range(samples, usual, high)
    scale = Scale(samples[0][0], samples[-1][0], low, top, float(height))
    onset = ""
    if subject.onset_at is not None and scale.holds(subject.onset_at):
        x = f"{scale.x(subject.onset_at):.2f}%"
        onset = f'<line class="plot-onset" x1="{x}" x2="{x}" y1="0" y2="{height}"/>'
    return (
        f'<svg class="spark" width="{width}" height="{height}" aria-hidden="true" '
        f'focusable="false">{marks.band(scale, usual, high)}{onset}'
        f"{marks.curve(scale, samples)}</svg>"
    )


def _moments(scale: Scale, subject: Subject) -> str:
    uncertainty = _number(subject.details.get("onset_uncertainty_seconds"))
    return marks.onset(scale, subject.onset_at, uncertainty) + marks.incident_start(
        scale, subject.started_at
    )


def _told(subject: Subject, body: str, scale: Scale, said: str) -> Drawing:
    """With a description for those who do not see it."""
    told = [f"{said}. {clock(scale.start, True)} to {clock(scale.end, True)} UTC"]
    if subject.onset_at is not None and subject.type in ("metric", "log"):
        margin = _number(subject.details.get("onset_uncertainty_seconds"))
        give = f", give or take {seconds_in_words(margin)}" if margin else ""
        told.append(f"Onset {clock(subject.onset_at, True)}{give}")
    if subject.started_at is not None:
        told.append(f"Incident start {clock(subject.started_at, True)}")
    return Drawing(body, scale.height, subject.title, ". ".join(told) + ".")


def _durations(given: Any) -> list[float]:
    found = [_number(one) for one in given] if isinstance(given, list) else []
    return [max(seconds, 1e-6) for seconds in found if seconds is not None]


def _rows(given: Any) -> Points:
    rows = given if isinstance(given, list) else []
    return [row for row in rows if isinstance(row, list | tuple)]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
