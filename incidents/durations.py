"""The four durations of an incident, each counted from `started_at`.

Time to detect, to acknowledge, to mitigate and to resolve, as DESIGN.md section 8 and the Google
SRE workbook count them: from the start of the failure, not from its detection. What is averaged
over many incidents (MTTA, MTTR) is the same number of each. Which incidents count there is
`Incident.objects.for_stats()`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class Times(Protocol):
    """What is needed of an incident, as a model row or as it was at some moment."""

    started_at: datetime
    detected_at: datetime
    acknowledged_at: datetime | None
    mitigated_at: datetime | None
    resolved_at: datetime | None


@dataclass(frozen=True)
class Durations:
    """Each None while its moment has not come; never negative."""

    ttd: timedelta | None
    mtta: timedelta | None
    ttm: timedelta | None
    mttr: timedelta | None


def durations(incident: Times) -> Durations:
    return Durations(
        ttd=between(incident.started_at, incident.detected_at),
        mtta=between(incident.started_at, incident.acknowledged_at),
        ttm=between(incident.started_at, incident.mitigated_at),
        mttr=between(incident.started_at, incident.resolved_at),
    )


def between(start: datetime, end: datetime | None) -> timedelta | None:
    """end - start; None without an end, zero where the clocks of two senders disagree."""
    return None if end is None else max(end - start, timedelta(0))


def seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()
