"""One message, whatever the channel, and its words; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from incidents.notify.events import EVENT_WORDS, Event

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """One change in a message: the key that stands for it, and `notify.facts`."""

    key: str
    facts: Facts


@dataclass(frozen=True)
class Message:
    """What one attempt sends; the same for every attempt.

    `key` is the idempotency key. More than one change makes it a digest. `site` is the address
    under which people reach the product, `thread` what all messages of an incident on a channel
    share, `opens_thread` whether this is the first of them, `subject` the thread's title.
    """

    key: str
    changes: tuple[Told, ...]
    site: str
    thread: str = ""
    opens_thread: bool = True
    subject: str = ""

    @property
    def is_digest(self) -> bool:
        return len(self.changes) > 1

    @property
    def facts(self) -> Facts:
        return self.changes[0].facts

    def link(self, facts: Facts | None = None) -> str:
        return f"{self.site}{(facts or self.facts)['path']}"


def headline(facts: Facts) -> str:
    """What happened in one line: "INC-12 acknowledged by sam: Checkout fails"."""
    details, by = facts["details"], f" by {facts['actor']}" if facts["actor"] else ""
    ref, title = facts["reference"], facts["title"]
    match facts["event"]:
        case Event.RELAPSED:
            return f"{ref} is investigated again{by}, the mitigation did not hold: {title}"
        case Event.RESOLVED if facts["closed_as"]:
            return f"{ref} closed as {facts['closed_as'].replace('_', ' ')}{by}: {title}"
        case Event.SEVERITY_CHANGED:
            return f"{ref} severity {details['from']} → {details['to']}{by}: {title}"
        case Event.ROOT_CAUSE_IDENTIFIED:
            return f"{ref} root cause: {details['cause']} ({details['confidence']:.0%}): {title}"
        case Event.MERGED:
            return f"{ref} merged into {details['into']}{by}: {title}"
        case Event.UNMERGED:
            return f"{ref} is its own incident again{by}: {title}"
        case Event.ROLE_ASSIGNED:
            return f"{ref} {details['role']} is {details['person']}: {title}"
        case Event.POSTMORTEM_PUBLISHED:
            return f"{ref} postmortem published{by}: {title}"
        case Event.HEARTBEAT_STOPPED | Event.HEARTBEAT_BACK as event if "series" in details:
            return f"{ref} {EVENT_WORDS[event]}: {details['series']}"
        case Event.SLO_BREACHED | Event.SLO_RECOVERED as event:
            return f"{ref} {EVENT_WORDS[event]}: {details['slos']}: {title}"
        case event:
            return f"{ref} {EVENT_WORDS.get(event, event)}{by}: {title}"


def lines(facts: Facts) -> list[tuple[str, str]]:
    """The rest of a change as (name, value), nothing that is unknown."""
    details = facts["details"]
    rows = [
        ("Severity", facts["severity"]),
        ("Status", facts["status"]),
        ("Environment", facts["environment"]),
        ("Services", ", ".join(facts["services"])),
        ("Started", _clock(facts["started_at"])),
        ("At", _clock(facts["at"])),
        ("By", facts["actor"]),
        ("Reason", facts["reason"]),
        ("Time to resolve", _duration(facts["mttr_seconds"])),
        ("Cause", details.get("root_cause") or _cause(facts)),
        ("Resolution", details.get("resolution", "")),
        ("Merged into", _both(details.get("into"), details.get("into_title"))),
        ("Last beat", _clock(details.get("last_beat", ""))),
        ("Burn rate", details.get("burn_rate", "")),
        ("Description", details.get("description", "")),
    ]
    return [(name, value) for name, value in rows if value]


def digest_headline(changes: int, incidents: int) -> str:
    of = "1 incident" if incidents == 1 else f"{incidents} incidents"
    return f"{changes} changes of {of}"


def incidents_of(message: Message) -> int:
    return len({told.facts["incident"] for told in message.changes})


def title_of(message: Message) -> str:
    if message.is_digest:
        return digest_headline(len(message.changes), incidents_of(message))
    return headline(message.facts)


def _cause(facts: Facts) -> str:
    cause, confidence = facts["cause"], facts["cause_confidence"]
    if not cause or facts["event"] == Event.ROOT_CAUSE_IDENTIFIED:
        return ""
    return f"{cause} ({confidence:.0%})" if confidence is not None else str(cause)


def _both(one: str | None, other: str | None) -> str:
    return " ".join(part for part in (one, other) if part)


def _clock(at: str) -> str:
    """RFC 3339 to "2026-11-22 15:30:12 UTC"."""
    return f"{at[:10]} {at[11:19]} UTC" if at else ""


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
