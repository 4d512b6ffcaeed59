"""What an incident is told about an alert besides its beginning and its end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from incidents import live, signals
from incidents.models import AlertOccurrence, Incident


class Mark(StrEnum):
    """`detail` of each: by what; since when; how many changes in which time; which window."""

    SUPPRESSED = "suppressed"
    LOUD_AGAIN = "loud_again"
    STALE = "stale"
    HEARD_AGAIN = "heard_again"
    FLAPPING = "flapping"
    STEADY = "steady"
    MAINTENANCE = "maintenance"


def tell(
    occurrence: AlertOccurrence, mark: Mark, *, detail: str = "", at: datetime | None = None
) -> None:
    """Tell the occurrence's incident, if it has one; in the caller's transaction."""
    incident = occurrence.incident
    if incident is None:
        return
    live.changed(incident.pk, "alerts")
    signals.alert_marked.send(
        Incident,
        incident=incident,
        occurrence=occurrence,
        alert=occurrence.alert,
        mark=mark,
        detail=detail,
        at=at,
    )
