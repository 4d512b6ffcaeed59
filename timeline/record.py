"""The only writer of timelines: appends to the hash chain, and seals it.

Every append bumps the incident's revision first: that update is the lock which keeps two
writers from taking one seq, and what tells open pages to redraw.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import audit, chain
from accounts.models import User
from incidents import live
from incidents.models import Incident
from timeline.models import (
    SEALING,
    TITLE_LENGTH,
    UNSEALING,
    Kind,
    Severity,
    TimelineAnchor,
    TimelineEvent,
)

# what people write themselves; the other kinds tell of a change that has rows of its own
WRITTEN = (Kind.NOTE, Kind.MITIGATION_APPLIED, Kind.CORRECTION, Kind.ATTACHMENT, Kind.LINK)


class TimelineSealed(Exception):
    """The record is closed; reopening the incident lifts the seal.

    Raised before anything is written: the caller's transaction can go on.
    """

    def __init__(self, incident_id: UUID, sealed_at: datetime) -> None:
        self.incident_id, self.sealed_at = incident_id, sealed_at
        super().__init__(
            f"The timeline was sealed at {sealed_at:%Y-%m-%d %H:%M:%S} UTC; "
            "reopen the incident to add to it."
        )


@dataclass(frozen=True)
class Entry:
    """What to record; `occurred_at` None means now, `data` is anything canonical JSON can say."""

    kind: str
    title: str
    body: str = ""
    severity: str = Severity.INFO
    source: str = "system"
    actor: User | None = None
    occurred_at: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    corrects: TimelineEvent | None = None


def record(
    *,
    incident_id: UUID,
    kind: str,
    title: str,
    body: str = "",
    severity: str = Severity.INFO,
    source: str = "system",
    actor: User | None = None,
    occurred_at: datetime | None = None,
    data: Mapping[str, Any] | None = None,
    corrects: TimelineEvent | None = None,
) -> TimelineEvent:
    """Append one event, in the caller's transaction if there is one.

    Raises TimelineSealed (unless `kind` is one of UNSEALING), Incident.DoesNotExist, ValueError for
    unknown kinds and severities, kinds that seal, naive times, NaN and infinities, and
    TypeError for data without a JSON form. NUL characters are dropped, titles cut at 300.
    """
    entry = Entry(
        kind, title, body, severity, source, actor, occurred_at, dict(data or {}), corrects
    )
    return record_many(incident_id=incident_id, entries=[entry])[0]


def record_many(*, incident_id: UUID, entries: Iterable[Entry]) -> list[TimelineEvent]:
    """Append several events at once, in their order; errors as `record`, then none is kept."""
    entries = list(entries)
    for entry in entries:
        if entry.kind in SEALING:
            raise ValueError(f"{entry.kind} closes a timeline: use seal().")
    return _append(incident_id, entries)


def seal(incident_id: UUID, final: Entry) -> TimelineAnchor:
    """Append `final`, one of the SEALING kinds, and close the record; its anchor.

    Raises TimelineSealed when it is closed already.
    """
    if final.kind not in SEALING:
        raise ValueError(f"{final.kind} does not close a timeline.")
    _append(incident_id, [final])
    return TimelineAnchor.objects.get(pk=incident_id)


def _append(incident_id: UUID, entries: list[Entry]) -> list[TimelineEvent]:
    drafts = [_draft(incident_id, entry) for entry in entries]  # bad input fails here, unlocked
    if not drafts:
        return []
    # no savepoint: pages are told once per transaction, and TimelineSealed is raised outside
    with transaction.atomic(savepoint=False):
        live.changed(incident_id, "timeline")
        anchor = _anchor(incident_id)
        sealed_at = anchor.sealed_at
        if sealed_at is None or drafts[0].kind in UNSEALING:
            _chain(anchor, drafts)
            TimelineEvent.objects.bulk_create(drafts)
            for event in drafts:
                if event.kind in WRITTEN:
                    said = {"title": event.title, "body": event.body, "data": event.data}
                    audit.record(f"timeline.{event.kind}", anchor.incident, None, said)
            anchor.save(update_fields=["length", "head", "sealed_at", "root_digest"])
            if sealed_at != anchor.sealed_at:
                live.changed(incident_id, "aftermath")
            return drafts
        live.changed(incident_id, "aftermath")
    raise TimelineSealed(incident_id, sealed_at)


def _draft(incident_id: UUID, entry: Entry) -> TimelineEvent:
    if entry.corrects is not None and entry.corrects.incident_id != incident_id:
        raise ValueError("An event corrects events of its own incident only.")
    # through canonical JSON and back: what is stored is what is hashed
    text = json.loads(
        chain.canonical(
            {"title": entry.title, "body": entry.body, "source": entry.source, "data": entry.data}
        )
    )
    title = text["title"]
    event = TimelineEvent(
        incident_id=incident_id,
        kind=Kind(entry.kind).value,
        severity=Severity(entry.severity).value,
        source=text["source"],
        title=title if len(title) <= TITLE_LENGTH else f"{title[: TITLE_LENGTH - 1]}…",
        body=text["body"],
        data=text["data"],
        actor=entry.actor,
        corrects=entry.corrects,
    )
    if entry.occurred_at is not None:
        event.occurred_at = entry.occurred_at
        chain.canonical({"occurred_at": entry.occurred_at})
    return event


def _anchor(incident_id: UUID) -> TimelineAnchor:
    anchor = TimelineAnchor.objects.filter(pk=incident_id).first()
    if anchor is None:
        Incident.objects.only("id").get(pk=incident_id)
        anchor = TimelineAnchor.objects.create(incident_id=incident_id)
    return anchor


def _chain(anchor: TimelineAnchor, drafts: list[TimelineEvent]) -> None:
    now = timezone.now()
    for event in drafts:
        event.seq = anchor.length + 1
        event.recorded_at = now
        if event.occurred_at is None:
            event.occurred_at = now
        event.previous = anchor.head
        event.canonical = chain.canonical(event.entry())
        event.digest = chain.digest(event.previous, event.canonical)
        anchor.length, anchor.head = event.seq, event.digest
    closed = drafts[-1].kind in SEALING
    anchor.sealed_at = now if closed else None
    anchor.root_digest = anchor.head if closed else ""
