"""Kinds of events by what they are about, and how people call them."""

from __future__ import annotations

from collections.abc import Iterable

from timeline.models import Kind

GROUPS: dict[str, tuple[Kind, ...]] = {
    "lifecycle": (
        Kind.INCIDENT_CREATED,
        Kind.STATUS_CHANGED,
        Kind.SEVERITY_CHANGED,
        Kind.EDITED,
        Kind.TIME_CORRECTED,
        Kind.MITIGATION_APPLIED,
        Kind.INCIDENT_RESOLVED,
        Kind.REOPENED,
    ),
    "alerts": (
        Kind.ALERT_FIRING,
        Kind.ALERT_RESOLVED,
        Kind.ALERT_SUPPRESSED,
        Kind.ALERT_STALE,
        Kind.ALERT_FLAPPING,
        Kind.HEARTBEAT,
        Kind.MAINTENANCE,
    ),
    "analysis": (
        Kind.CORRELATION_ANALYSIS_STARTED,
        Kind.ROOT_CAUSE_IDENTIFIED,
        Kind.CAUSE_REVIEWED,
        Kind.CORRELATION_INCONCLUSIVE,
        Kind.CORRELATION_FAILED,
        Kind.SOURCE_UNAVAILABLE,
        Kind.SOURCE_RECOVERED,
    ),
    "evidence": (Kind.METRIC_SPIKE, Kind.LOG_PATTERN, Kind.TRACE, Kind.POD, Kind.CHANGE),
    "impact": (Kind.SLO_BREACH, Kind.SLO_RECOVERED, Kind.IMPACT),
    "merging": (
        Kind.MERGED,
        Kind.ABSORBED,
        Kind.UNMERGED,
        Kind.RELEASED,
        Kind.MERGE_PROPOSAL,
    ),
    "people": (
        Kind.NOTE,
        Kind.ATTACHMENT,
        Kind.CORRECTION,
        Kind.LINK,
        Kind.TASK,
        Kind.ROLE_CHANGED,
        Kind.POSTMORTEM,
    ),
    "notifications": (Kind.NOTIFICATION_SENT, Kind.NOTIFICATION_FAILED),
}
CHOICES = [*GROUPS, *Kind.values]


def named(kind: str) -> str:
    """slo_breach -> "SLO breach"."""
    words = kind.replace("_", " ").capitalize()
    return words.replace("Slo ", "SLO ")


def meant(names: Iterable[str]) -> set[str]:
    """The kinds that these names of kinds or groups stand for; others stand for none."""
    found: set[str] = set()
    for name in names:
        found |= {kind.value for kind in GROUPS.get(name, ())} or {name} & set(Kind.values)
    return found


def grouped(kinds: Iterable[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """[(group, [(kind, its name)])] of those given, in the order of GROUPS."""
    present = set(kinds)
    groups = [
        (group, [(kind.value, named(kind.value)) for kind in members if kind.value in present])
        for group, members in GROUPS.items()
    ]
    return [(group, members) for group, members in groups if members]
