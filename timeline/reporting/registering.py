"""Puts the report where it is seen: its sections, and its line on the incident page."""

from __future__ import annotations

from incidents import live
from timeline.reporting import happenings, people, standing
from timeline.reporting.panel import PANEL
from timeline.reporting.sections import register


def register_all() -> None:
    own = (
        standing.SUMMARY,
        standing.METRICS,
        standing.IMPACT,
        happenings.ALERTS,
        people.PEOPLE,
        people.TASKS,
        happenings.TIMELINE,
    )
    for section in own:
        register(section)
    live.register(PANEL)
