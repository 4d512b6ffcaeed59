"""One delivery's alerts as series, and when a word about a member is news (pure).

A member is one fingerprint of a series: {"firing", "from", "until"}, epoch seconds as its
sender claims them. `from` says which firing is meant, so deliveries may come twice or in any
order. `silent` marks a firing of which only the end was told so far, `inferred` an end that no
sender told of (see `closing`). The stores say the same rule in SQL against what is kept; here it
settles what a single body says more than once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidents.intake.received import ReceivedAlert, digest, identity

Member = dict[str, Any]


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


def member_of(alert: ReceivedAlert, now: datetime) -> Member:
    claimed = None if alert.counts_from_arrival else alert.starts_at
    ended = None if alert.counts_from_arrival else alert.ends_at
    return {
        "firing": alert.firing,
        "from": (claimed or now).timestamp(),
        "until": None if alert.firing else (ended or now).timestamp(),
        "silent": not alert.firing,
    }


def heard(word: Member, known: Member | None) -> Member:
    """What is known of a member once `word` has come.

    A word is news when it tells of a later firing than the known one, or of its end. A resolved
    word about an earlier firing, a repeat, and a firing that arrives after its own end are not;
    the last only breaks the silence. The end also counts when it lies after the known start:
    Alertmanager moves a start back when it merges two claims. An inferred end yields to any
    firing.
    """
    if known is None:
        return word
    if not word["firing"] and known["firing"]:
        ends = word["from"] >= known["from"] or (
            word["until"] is not None and word["until"] > known["from"]
        )
        later = {**word, "from": max(word["from"], known["from"]), "silent": False}
        return later if ends else known
    if word["firing"] and known.get("inferred"):
        return {**word, "from": max(word["from"], known["from"])}
    if word["from"] > known["from"]:
        return word
    if word["firing"] and word["from"] == known["from"]:
        return {**known, "silent": False}
    return known


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
