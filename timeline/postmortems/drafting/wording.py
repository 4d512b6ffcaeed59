"""Words that several sections share. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from timeline.postmortems.facts import Facts, Happened, Typical

QUICK, SLOW = 0.75, 1.5
"""Shares of the typical time from which a step is called quick or slow."""
QUICK_SECONDS, SLOW_SECONDS = 60.0, 900.0
"""The same where too few incidents are known to say what is typical."""

FIRST_SIGNALS = (
    "alert_firing",
    "metric_spike",
    "log_pattern",
    "trace",
    "pod",
    "heartbeat",
    "slo_breach",
)


def lasted(seconds: float) -> str:
    """2531.4 -> "42 min 11 s"; the two largest units, days to seconds."""
    whole = round(seconds)
    days, rest = divmod(whole, 86400)
    units = ((days, "d"), (rest // 3600, "h"), (rest % 3600 // 60, "min"), (rest % 60, "s"))
    return " ".join([f"{count} {unit}" for count, unit in units if count][:2]) or "0 s"


def clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"


def day_clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def listed(names: Sequence[str], most: int = 4) -> str:
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "nothing"


def pace(seconds: float, typical: Typical) -> str:
    """ "quick", "slow" or "usual"."""
    if typical.seconds is None:
        quick, slow = QUICK_SECONDS, SLOW_SECONDS
    else:
        quick, slow = QUICK * typical.seconds, SLOW * typical.seconds
    return "slow" if seconds > slow else "quick" if seconds <= quick else "usual"


def beside(typical: Typical) -> str:
    """ ", the median of 12 earlier incidents is 3 min"; "" where too few are known."""
    if typical.seconds is None:
        return ""
    return f"; the median of {typical.count} earlier incidents is {lasted(typical.seconds)}"


def first_signal(facts: Facts) -> Happened | None:
    return facts.first(*FIRST_SIGNALS)


def acknowledged_by(facts: Facts) -> Happened | None:
    """The first step of a person."""
    steps = facts.of("status_changed", "mitigation_applied", "incident_resolved")
    return next((event for event in steps if event.by is not None), None)


def by_alert(facts: Facts) -> bool:
    return facts.opened_from in ("alert", "heartbeat")


def paragraphs(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def bullets(parts: Sequence[str], otherwise: str = "") -> str:
    return "\n".join(f"- {part}" for part in parts if part) or otherwise
