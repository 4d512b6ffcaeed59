"""Is the timeline what was written? Reads the chain from the start and compares its anchor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.chain_walk import End, Fault, Walked, walk
from incidents.edits import locked
from incidents.models import Incident, StatusChange
from timeline.images.store import wrong_with
from timeline.models import SEALING, Kind, TimelineAnchor, TimelineEvent


@dataclass(frozen=True)
class Chain:
    """`bad_seq` is the first event that is not as it was written, with the `reason`; None with a
    reason when the events hold and their anchor does not."""

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
    """Reads every event of the incident's timeline, and of those it absorbed. A survivor holds
    how long each source's timeline was, and its digest."""
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
    found = _read(incident)
    if found.ok:
        return found
    with transaction.atomic():  # an event may have been appended between anchor and events
        locked(incident.pk)
        return _read(incident)


def _read(incident: Incident) -> Chain:
    anchor = TimelineAnchor.objects.filter(incident=incident).first()
    events = TimelineEvent.objects.filter(incident=incident).order_by("seq")
    digests = events.values_list("digest", flat=True)
    images: list[tuple[int, dict[str, Any]]] = []
    walked = walk(
        _noting_images(events.iterator(), images),
        End(anchor.length, anchor.head) if anchor else None,
        lambda seq: digests.filter(seq=seq).first(),
    )
    fault = walked.fault or _against_rows(incident, anchor, walked) or _images_fault(images)
    sealed_at = anchor.sealed_at if anchor else None
    return Chain(incident.reference, walked.length, walked.head, sealed_at, *(fault or ()))


def _noting_images(
    events: Iterable[TimelineEvent], images: list[tuple[int, dict[str, Any]]]
) -> Iterator[TimelineEvent]:
    """The events as they are; (seq, what it says of it) of each image goes to `images`."""
    for event in events:
        if isinstance(event.data, dict):
            images.extend((event.seq, told) for told in event.data.get("images", ()))
        yield event


def _images_fault(images: list[tuple[int, dict[str, Any]]]) -> Fault | None:
    """The first image that is not what its event says of it."""
    for seq, told in images:
        if why := wrong_with(told):
            return Fault(seq, f"its image {told.get('name')} {why}")
    return None


def _against_rows(
    incident: Incident, anchor: TimelineAnchor | None, walked: Walked
) -> Fault | None:
    """What a whole chain lacks: all of its events, or the seal that its last event is."""
    if anchor is None:
        opened = StatusChange.objects.filter(incident=incident).exists()  # each is told
        return Fault(1, "the whole timeline is missing") if opened else None
    last = TimelineEvent.objects.filter(incident=incident, seq=walked.length).first()
    sealing = last if last is not None and last.kind in SEALING else None
    if anchor.sealed_at != (sealing.recorded_at if sealing else None):
        return Fault(None, "the anchor's seal is not that of the last event")
    if anchor.root_digest != (walked.head if sealing else ""):
        return Fault(None, "the root digest is not that of the last event")
    return None
