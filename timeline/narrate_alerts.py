"""What happened to an alert besides its beginning and its end, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from incidents.models import AlertOccurrence, Incident, MaintenanceWindow, Pulse
from incidents.upkeep.heartbeats import label_words
from incidents.upkeep.marks import Mark
from timeline.models import Kind, Severity, TimelineEvent
from timeline.narrate import unless_sealed
from timeline.record import Entry

WORDS = {
    Mark.SUPPRESSED: (Kind.ALERT_SUPPRESSED, "is suppressed by {}"),
    Mark.LOUD_AGAIN: (Kind.ALERT_SUPPRESSED, "is suppressed no longer"),
    Mark.STALE: (Kind.ALERT_STALE, "was last heard of {}"),
    Mark.HEARD_AGAIN: (Kind.ALERT_STALE, "was heard of again"),
    Mark.FLAPPING: (Kind.ALERT_FLAPPING, "is flapping: {}"),
    Mark.STEADY: (Kind.ALERT_FLAPPING, "is steady again: {}"),
}
BODIES = {
    Mark.SUPPRESSED: "A suppressed alert sends no end: it is asked for at its Alertmanager.",
    Mark.STALE: "Its sender should have repeated it since. It counts as firing until its sender "
    "or its Alertmanager says otherwise.",
    Mark.FLAPPING: "Until it is steady again its firings and ends are not listed here, and the "
    "incident does not resolve by itself.",
}
WARNINGS = (Mark.STALE, Mark.FLAPPING)


def news(occurrences: Sequence[AlertOccurrence], *, opened: bool = False) -> list[AlertOccurrence]:
    """Without those of series that flap, except where one opened the incident."""
    return [o for o in occurrences if opened or o.alert.flapping_since is None]


def marked(
    incident: Incident, occurrence: AlertOccurrence, mark: Mark, detail: str, at: datetime | None
) -> list[TimelineEvent]:
    """Empty when the timeline is sealed: the mark stands on the alert's own row."""
    alert = occurrence.alert
    kind, words = WORDS[mark]
    service = occurrence.service.slug if occurrence.service else None
    where = f" on {service}" if service else ""
    entry = Entry(
        kind=kind,
        severity=Severity.WARNING if mark in WARNINGS else Severity.INFO,
        title=f"Alert {alert.name}{where} {words.format(detail)}",
        body=BODIES.get(mark, ""),
        source="alert",
        occurred_at=at,
        data={
            "alert": alert.name,
            "occurrence": occurrence.pk,
            "mark": mark.value,
            "detail": detail,
        },
    )
    return unless_sealed(incident, [entry])


def maintenance(incident: Incident, occurrences: Sequence[AlertOccurrence]) -> None:
    """Once for each window that these firings fall into."""
    ids = {o.maintenance_id for o in occurrences if o.maintenance_id}
    if not ids:
        return
    told = TimelineEvent.objects.filter(incident=incident, kind=Kind.MAINTENANCE)
    known = {data.get("window") for data in told.values_list("data", flat=True)}
    windows = MaintenanceWindow.objects.filter(pk__in=ids).order_by("starts_at", "id")
    unless_sealed(incident, [_maintenance(w) for w in windows if str(w.pk) not in known])


def _maintenance(window: MaintenanceWindow) -> Entry:
    held = window.mode == MaintenanceWindow.Mode.SUPPRESS
    waited = "Its alerts were held back until the window was over, and fire still."
    return Entry(
        kind=Kind.MAINTENANCE,
        title=f"{'After' if held else 'During'} maintenance: {window.name}",
        body=waited if held else window.description,
        data={"window": window.pk, "mode": window.mode},
    )


def heartbeat(
    incident: Incident, pulse: Pulse, stopped: bool, beat_at: datetime
) -> list[TimelineEvent]:
    series = label_words(pulse)
    last = f"{beat_at:%Y-%m-%d %H:%M:%S} UTC"
    entry = Entry(
        kind=Kind.HEARTBEAT,
        severity=Severity.HIGH if stopped else Severity.INFO,
        title=f"{series} has stopped: last heard of {last}"
        if stopped
        else f"{series} is back since {last}",
        source="alert",
        data={"heartbeat": pulse.heartbeat_id, "alert": pulse.alert_id, "stopped": stopped},
    )
    return unless_sealed(incident, [entry])
