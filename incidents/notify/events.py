"""What a rule can ask to be told of, and how channels are spoken to; no I/O."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """One change of an incident."""

    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RELAPSED = "relapsed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    SEVERITY_CHANGED = "severity_changed"
    ROOT_CAUSE_IDENTIFIED = "root_cause_identified"
    MERGED = "merged"
    UNMERGED = "unmerged"
    ROLE_ASSIGNED = "role_assigned"
    POSTMORTEM_PUBLISHED = "postmortem_published"
    HEARTBEAT_STOPPED = "heartbeat_stopped"
    HEARTBEAT_BACK = "heartbeat_back"
    SLO_BREACHED = "slo_breached"
    SLO_RECOVERED = "slo_recovered"


EVENT_WORDS: dict[str, str] = {
    Event.OPENED: "opened",
    Event.ACKNOWLEDGED: "acknowledged",
    Event.MITIGATED: "mitigated",
    Event.RELAPSED: "mitigation did not hold",
    Event.RESOLVED: "resolved",
    Event.REOPENED: "reopened",
    Event.SEVERITY_CHANGED: "severity changed",
    Event.ROOT_CAUSE_IDENTIFIED: "root cause identified",
    Event.MERGED: "merged into another",
    Event.UNMERGED: "un-merged",
    Event.ROLE_ASSIGNED: "role assigned",
    Event.POSTMORTEM_PUBLISHED: "postmortem published",
    Event.HEARTBEAT_STOPPED: "heartbeat stopped",
    Event.HEARTBEAT_BACK: "heartbeat is back",
    Event.SLO_BREACHED: "SLO breached",
    Event.SLO_RECOVERED: "SLO recovered",
}
EVENT_CHOICES = [(event.value, EVENT_WORDS[event]) for event in Event]


class Kind(StrEnum):
    """How a channel is spoken to."""

    SLACK = "slack"
    WEBHOOK = "webhook"
    PAGERDUTY = "pagerduty"
    EMAIL = "email"


KIND_CHOICES = [
    (Kind.SLACK.value, "Slack-compatible webhook"),
    (Kind.WEBHOOK.value, "Webhook (CloudEvents)"),
    (Kind.PAGERDUTY.value, "PagerDuty Events v2"),
    (Kind.EMAIL.value, "E-mail"),
]

PAGERDUTY_ACTIONS: dict[str, str] = {
    Event.OPENED: "trigger",
    Event.REOPENED: "trigger",
    Event.UNMERGED: "trigger",
    Event.SEVERITY_CHANGED: "trigger",
    Event.ACKNOWLEDGED: "acknowledge",
    Event.RESOLVED: "resolve",
    Event.MERGED: "resolve",
}
"""PagerDuty knows three things to do; what is none of them is not sent there. A trigger for a key
that it has open already adds to it."""

CLOSING = frozenset({Event.RESOLVED.value, Event.MERGED.value})


def understands(kind: str, event: str) -> bool:
    """Whether a channel of this kind can be told of the event."""
    return kind != Kind.PAGERDUTY or event in PAGERDUTY_ACTIONS
