"""An incident as it was at a change: what messages are made of, kept with the row.

{"event", "reference", "number", "incident": id, "title", "severity", "status", "environment",
 "services": slugs, "started_at", "at": RFC 3339, "actor": username or "", "reason", "details":
 {word: value}, "cause": title or "", "cause_confidence": 0 to 1 or None, "closed_as",
 "mttr_seconds" or None, "path": of the page that tells more}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from accounts.models import User
from incidents.models import Incident

LONGEST_REASON = 2000


@dataclass(frozen=True)
class Change:
    """What happened. `key` names it for good: told of once, however often it is noted.

    The first of `events` is what messages call it; rules may ask for any of them. `severities`
    are those besides the incident's own that a rule may mean.
    """

    key: str
    events: tuple[str, ...]
    at: datetime
    actor: User | None = None
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    severities: tuple[str, ...] = ()
    path: str = ""


def facts_of(incident: Incident, change: Change, services: Sequence[str]) -> dict[str, Any]:
    """`services` are the slugs of those affected."""
    return {
        "event": change.events[0],
        "reference": incident.reference,
        "number": incident.number,
        "incident": str(incident.pk),
        "title": incident.title,
        "severity": incident.severity,
        "status": incident.status,
        "environment": incident.environment,
        "services": list(services),
        "started_at": rfc3339(incident.started_at),
        "at": rfc3339(change.at),
        "actor": change.actor.username if change.actor else "",
        "reason": change.reason[:LONGEST_REASON],
        "details": dict(change.details),
        "cause": incident.top_cause,
        "cause_confidence": incident.top_cause_confidence,
        "closed_as": incident.closed_as,
        "mttr_seconds": incident.mttr_seconds,
        "path": change.path or incident.get_absolute_url(),
    }


def rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
