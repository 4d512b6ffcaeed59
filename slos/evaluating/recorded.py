"""Which queries tell what a Prometheus has recorded for SLOs already, by the rules we write. Pure.

A record is taken for an SLO only by the mark of its present indicator, and only where the window's
minutes are all there: else the counters are asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from slos.burn import MINUTE, Events
from slos.definition import Indicator
from slos.evaluating.questions import Ask
from slos.promql import duration_of
from slos.sloth_rules import MARK, RATIO, TOTAL, mark_of

LEAST_WINDOW = 30 * MINUTE
"""Shorter windows are asked of the counters: a record may be a minute old."""
LEAST_MINUTES = 0.98  # share of a window's minutes that must have been recorded

Answers = Mapping[Ask, Mapping[str, float]]


@dataclass(frozen=True)
class Asks:
    """Of one window, by mark: the error ratio, the events, and how many minutes were recorded."""

    ratio: Ask
    total: Ask
    minutes: Ask


def asks_of(window_seconds: float) -> Asks:
    window = duration_of(window_seconds)
    total = f'{TOTAL}{{{MARK}!=""}}[{window}]'
    return Asks(
        Ask(f'max by ({MARK}) ({RATIO}{window}{{{MARK}!=""}})', MARK),
        Ask(f"max by ({MARK}) (sum_over_time({total}))", MARK),
        Ask(f"max by ({MARK}) (count_over_time({total}))", MARK),
    )


def found_in(
    indicators: Mapping[UUID, Indicator], windows: Sequence[float], answers: Answers
) -> dict[UUID, dict[float, Events]]:
    """The events of the windows, of those SLOs for which all of them are recorded in full."""
    found: dict[UUID, dict[float, Events]] = {}
    asks = {window: asks_of(window) for window in windows}
    for key, indicator in indicators.items():
        mark, events = mark_of(indicator), {}
        for window, of in asks.items():
            ratio, total, minutes = (
                answers.get(ask, {}).get(mark) for ask in (of.ratio, of.total, of.minutes)
            )
            if ratio is None or total is None or minutes is None:
                break
            if minutes < LEAST_MINUTES * window / MINUTE:
                break
            events[window] = Events(total * (1.0 - ratio), total)
        else:
            found[key] = events
    return found
