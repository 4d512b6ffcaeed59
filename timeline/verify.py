"""Is the timeline what was written? Reads the chain from the start and compares its anchor."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from accounts import chain
from incidents.models import Incident
from timeline.models import SEALING, TimelineAnchor, TimelineEvent


@dataclass(frozen=True)
class Verification:
    """`bad_seq` is the first event that is not as it was written, with the `reason`."""

    ok: bool
    length: int
    head: str
    sealed_at: datetime | None
    bad_seq: int | None = None
    reason: str = ""


def verify(incident: Incident) -> Verification:
    """Reads every event of the incident's own timeline; about 0.05 s for 3,000."""
    anchor = TimelineAnchor.objects.filter(incident=incident).first()
    length, head, last_kind = 0, chain.START, ""
    sealed_at = anchor.sealed_at if anchor else None
    for event in TimelineEvent.objects.filter(incident=incident).order_by("seq").iterator():
        wrong = _wrong(event, length + 1, head)
        if wrong:
            return Verification(False, length, head, sealed_at, min(event.seq, length + 1), wrong)
        length, head, last_kind = event.seq, event.digest, event.kind
    bad_seq, wrong = _against(anchor, length, head, last_kind)
    return Verification(not wrong, length, head, sealed_at, bad_seq, wrong)


def _wrong(event: TimelineEvent, seq: int, head: str) -> str:
    if event.seq != seq:
        return f"event {seq} is missing: {event.seq} comes next"
    if event.previous != head:
        return "it does not follow the event before it"
    if event.digest != chain.digest(event.previous, event.canonical):
        return "its canonical text has been changed"
    try:
        written = json.loads(event.canonical)
        stored = json.loads(chain.canonical(event.entry()))
    except (ValueError, TypeError) as error:
        return f"it cannot be read: {error}"
    # compared as values: a database may write the same number differently
    changed = sorted(name for name in written | stored if written.get(name) != stored.get(name))
    return f"its {', '.join(changed)} differ from what was recorded" if changed else ""


def _against(
    anchor: TimelineAnchor | None, length: int, head: str, last_kind: str
) -> tuple[int | None, str]:
    if anchor is None:
        return (1, "the anchor is missing") if length else (None, "")
    if anchor.length > length:
        return length + 1, f"events {length + 1} to {anchor.length} have been deleted"
    if anchor.length < length or anchor.head != head:
        return anchor.length + 1, f"the anchor ends at event {anchor.length} with another digest"
    sealed = last_kind in SEALING
    if sealed != (anchor.sealed_at is not None) or anchor.root_digest != (head if sealed else ""):
        return length, "the seal does not match the last event"
    return None, ""
