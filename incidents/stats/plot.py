"""Where the bars of a plot stand: the median and the 90th percentile of each period. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from incidents.stats.figures import Figures

HEIGHT = 140.0  # pixels; across, everything is percent of the width
STEPS_SECONDS = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200),
    *(86400 * days for days in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)),
)
MOST_TICKS = 4
MOST_DATES = 6


@dataclass(frozen=True)
class Bar:
    """`x`, `width` in percent; `y` and `height` of the median's bar, `p90_y` of the mark."""

    first_day: date
    figures: Figures
    x: float
    width: float
    y: float
    height: float
    p90_y: float

    @property
    def end(self) -> float:
        return self.x + self.width


@dataclass(frozen=True)
class Tick:
    """At `place`: pixels from the top for `value` seconds, percent from the left for a day."""

    place: float
    value: float | date


@dataclass(frozen=True)
class Plot:
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    dates: tuple[Tick, ...]
    height: float = HEIGHT


def plot(periods: Sequence[tuple[date, Figures]]) -> Plot | None:
    """None when no period has a value."""
    highest = max((f.p90 for _day, f in periods if f.p90 is not None), default=None)
    if highest is None:
        return None
    step = next((s for s in STEPS_SECONDS if highest / s <= MOST_TICKS), STEPS_SECONDS[-1])
    top = max(highest, float(step)) * 1.04
    share = 100.0 / len(periods)
    bars = []
    for position, (day, of) in enumerate(periods):
        if of.median is None or of.p90 is None:
            continue
        y = _y(of.median, top)
        bars.append(
            Bar(
                first_day=day,
                figures=of,
                x=round((position + 0.14) * share, 3),
                width=round(0.72 * share, 3),
                y=round(min(y, HEIGHT - 1.0), 2),  # a bar of nothing is still seen
                height=round(max(HEIGHT - y, 1.0), 2),
                p90_y=round(_y(of.p90, top), 2),
            )
        )
    values = [float(n * step) for n in range(int(top // step) + 1)]
    ticks = [Tick(round(_y(value, top), 2), value) for value in values]
    every = -(-len(periods) // MOST_DATES)
    dates = [
        Tick(round((position + 0.5) * share, 3), day)
        for position, (day, _of) in enumerate(periods)
        if position % every == 0
    ]
    return Plot(tuple(bars), tuple(ticks), tuple(dates))


def _y(value: float, top: float) -> float:
    return HEIGHT * (1.0 - value / top)
