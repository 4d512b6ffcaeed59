"""Which firings go on to a grouping rule, and what is to be said about them.

A heartbeat's beats and what a maintenance window holds back do not; what falls into a window that
marks incidents does, with the mark.
"""

from __future__ import annotations

from collections.abc import Sequence

from incidents.intake.screened import Screened
from incidents.models import Alert, AlertOccurrence, Heartbeat, MaintenanceWindow
from incidents.upkeep import heartbeats, maintenance

__all__ = ["Screened", "passed", "screen"]


def screen(occurrences: Sequence[AlertOccurrence]) -> list[Screened]:
    """Each firing with what was found about it; `alert.source` is loaded.

    A few queries however many there are. The window a firing falls into is written on its row.
    """
    beats = heartbeats.beats(occurrences)
    others = [occurrence for occurrence in occurrences if occurrence.pk not in beats]
    windows = maintenance.windows_of(others)
    maintenance.remember(others, windows)
    return [_screened(o, beats.get(o.pk), windows.get(o.pk)) for o in occurrences]


def passed(occurrences: Sequence[AlertOccurrence]) -> list[Screened]:
    return [screened for screened in screen(occurrences) if screened.passes]


def foresee(alert: Alert) -> Screened:
    """What would be found about a firing of the alert now; neither need be stored."""
    occurrence = AlertOccurrence(alert=alert)
    heartbeat = heartbeats.fed_by(alert.source, alert.labels)
    if heartbeat:
        return Screened(occurrence, False, f"It feeds the heartbeat {heartbeat}.")
    return _screened(occurrence, None, maintenance.windows_of([occurrence]).get(occurrence.pk))


def _screened(
    occurrence: AlertOccurrence, heartbeat: Heartbeat | None, window: MaintenanceWindow | None
) -> Screened:
    if heartbeat is not None:
        return Screened(occurrence, False, f"It feeds the heartbeat {heartbeat.name}.")
    if occurrence.resolved_at is not None and occurrence.maintenance_id and window is None:
        return Screened(occurrence, False, "It was over before its maintenance window was.")
    if window is None:
        return Screened(occurrence)
    if window.mode == MaintenanceWindow.Mode.SUPPRESS:
        return Screened(occurrence, False, f"The maintenance window {window.name} holds it back.")
    return Screened(occurrence, True, f"It falls into the maintenance window {window.name}.")
