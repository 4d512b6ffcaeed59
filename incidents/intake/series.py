"""One delivery's alerts as series (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from incidents.intake.members import Member, heard, member_of
from incidents.intake.received import ReceivedAlert, digest, identity


@dataclass
class Series:
    """What one delivery says of one series, as if nothing were known of it."""

    identity: str
    alert: ReceivedAlert
    members: dict[str, Member]
    claimed_started_at: datetime

    @property
    def firing(self) -> bool:
        return any(member["firing"] for member in self.members.values())

    @property
    def fired(self) -> bool:
        """Whether any member was said to fire, be it over by now."""
        return not all(member["silent"] for member in self.members.values())


def series_of(alert: ReceivedAlert, ignored: Sequence[str]) -> str:
    """The identity of the alert's series within its source."""
    return (
        identity(alert.labels, ignored)
        if alert.identified_by is None
        else digest(alert.identified_by)
    )


def fold(received: Iterable[ReceivedAlert], ignored: Sequence[str], now: datetime) -> list[Series]:
    """The series of a delivery in identity order: the order in which their rows are locked."""
    found: dict[str, Series] = {}
    for alert in received:
        key = series_of(alert, ignored)
        claimed = alert.starts_at or now
        series = found.get(key)
        if series is None:
            series = found[key] = Series(key, alert, {}, claimed)
        elif claimed < series.claimed_started_at:
            series.claimed_started_at = claimed
        mark = alert.fingerprint
        series.members[mark] = heard(member_of(alert, now), series.members.get(mark))
        if alert.firing:
            series.alert = alert
    return [found[key] for key in sorted(found)]
