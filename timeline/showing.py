"""What belongs to events when they are shown: corrections, links, images and pins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import F, QuerySet

from timeline.images.models import NoteImage
from timeline.kinds import named
from timeline.models import Kind, PinnedEvent, TimelineEvent

LATE = timedelta(seconds=2)  # recorded so long after it happened is worth a word


@dataclass(frozen=True)
class Link:
    """`href` leads to an event of the page, or elsewhere (`outside`)."""

    words: str
    href: str
    outside: bool = False


@dataclass
class Shown:
    """An event and what refers to it; `anchor` is its element's id."""

    event: TimelineEvent
    anchor: str
    is_merged: bool
    corrections: list[TimelineEvent] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    images: list[NoteImage] = field(default_factory=list)
    pin: PinnedEvent | None = None

    @property
    def kind_name(self) -> str:
        return named(self.event.kind)

    @property
    def corrects(self) -> int | None:
        """The number of the event that it corrects."""
        seq: int | None = getattr(self.event, "corrects_seq", None)
        return seq

    @property
    def late_seconds(self) -> float | None:
        """How long after it happened it was recorded, where that is worth a word."""
        late = self.event.recorded_at - self.event.occurred_at
        return late.total_seconds() if late >= LATE else None


def anchor_of(event: TimelineEvent, page_number: int) -> str:
    number = number_of(event)
    return f"event-{event.seq}" if number == page_number else f"event-INC-{number}-{event.seq}"


def number_of(event: TimelineEvent) -> int:
    """The number of the incident on whose timeline it stands."""
    annotated: int | None = getattr(event, "origin_number", None)
    return annotated if annotated is not None else event.incident.number


def light(events: QuerySet[TimelineEvent]) -> QuerySet[TimelineEvent]:
    """With what is shown, without what is not and may be long."""
    return (
        events.select_related("actor")
        .defer("canonical", "data")
        .annotate(corrects_seq=F("corrects__seq"))
    )


def shown(
    events: Iterable[TimelineEvent],
    union: QuerySet[TimelineEvent],
    page_number: int,
    standing: Iterable[PinnedEvent],
) -> list[Shown]:
    """`events` of the incident numbered `page_number`, each with what refers to it; three queries.
    `union` is all of its events (as of then), `standing` the pins."""
    listed = list(events)
    keys = [event.pk for event in listed]
    corrections = _corrections(union, keys)
    links = _links(union, page_number)
    images = _images(keys)
    pinned = {row.event_id: row for row in standing}
    return [
        Shown(
            event=event,
            anchor=anchor_of(event, page_number),
            is_merged=number_of(event) != page_number,
            corrections=corrections.get(event.pk, []),
            links=links.get((number_of(event), event.seq), []),
            images=images.get(event.pk, []),
            pin=pinned.get(event.pk),
        )
        for event in listed
    ]


def _corrections(union: QuerySet[TimelineEvent], keys: list[Any]) -> dict[Any, list[TimelineEvent]]:
    found: dict[Any, list[TimelineEvent]] = defaultdict(list)
    for event in light(union.filter(corrects__in=keys)):
        found[event.corrects_id].append(event)
    return found


def _images(keys: list[Any]) -> dict[Any, list[NoteImage]]:
    found: dict[Any, list[NoteImage]] = defaultdict(list)
    for image in NoteImage.objects.filter(event__in=keys):
        found[image.event_id].append(image)
    return found


def _links(union: QuerySet[TimelineEvent], page_number: int) -> dict[tuple[int, int], list[Link]]:
    """(number of the incident, seq) -> the links from and to that event."""
    found: dict[tuple[int, int], list[Link]] = defaultdict(list)
    told = union.filter(kind=Kind.LINK).values_list("incident__number", "data")
    for number, data in told:
        there = "#event-" if number == page_number else f"#event-INC-{number}-"
        start, end = data.get("event"), data.get("to_event")
        if end is None:
            url = str(data.get("url", ""))
            found[number, start].append(Link(_host(url), url, outside=True))
        else:
            found[number, start].append(Link(f"to event {end}", f"{there}{end}"))
            found[number, end].append(Link(f"from event {start}", f"{there}{start}"))
    return found


def _host(url: str) -> str:
    """An address as it is shown: without its scheme, and not too long."""
    words = url.partition("://")[2].rstrip("/") or url
    return words if len(words) <= 60 else f"{words[:59]}…"
