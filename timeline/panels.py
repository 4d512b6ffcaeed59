"""The timeline on the incident page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from incidents.live import Panel
from incidents.models import Incident
from timeline import pins
from timeline.aftermath import after_sealing
from timeline.kinds import grouped
from timeline.models import PinnedEvent, TimelineAnchor, TimelineEvent
from timeline.showing import anchor_of, light, shown
from timeline.union import events_of

SHOWN = 200
MOST_PINS = 20


def context(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{events: oldest first, the newest 200; more: how many older ones; sealed: anchor or None;
    pinned: (pin, address of its event); kinds, sources: what there is to filter by}.

    With those of the incidents merged into it. With `as_of` only what had been recorded by then.
    """
    events = events_of(incident, as_of)
    anchor = TimelineAnchor.objects.filter(incident=incident, sealed_at__isnull=False)
    if as_of is not None:
        events = events.filter(recorded_at__lte=as_of)
        anchor = anchor.filter(sealed_at__lte=as_of)
    newest = list(light(events).reverse()[:SHOWN])
    newest.reverse()
    kinds, sources = present(events)
    standing = pins.of(events, as_of)
    near = {event.pk for event in newest}
    return {
        "events": shown(newest, events, incident.number, standing),
        "sealed": anchor.first(),
        "more": events.count() - SHOWN if len(newest) == SHOWN else 0,
        "pinned": [(pin, address_on(incident, pin, near)) for pin in standing[:MOST_PINS]],
        "kinds": grouped(kinds),
        "sources": sources,
    }


def present(events: QuerySet[TimelineEvent]) -> tuple[set[str], list[str]]:
    """(kinds, sources) of these events; of sources the first 100."""
    pairs = list(events.order_by().values_list("kind", "source").distinct())
    return {kind for kind, _source in pairs}, sorted({source for _kind, source in pairs})[:100]


def address_on(incident: Incident, pin: PinnedEvent, near: set[Any]) -> str:
    """Where a pin leads: on the page when its event is `near`, else to all events."""
    anchor = anchor_of(pin.event, incident.number)
    there = f"{incident.get_absolute_url()}/timeline?event={pin.event_id}"
    return f"#{anchor}" if pin.event_id in near else f"{there}#{anchor}"


PANEL = Panel(
    name="timeline",
    template="timeline/_timeline.html",
    context=context,
    column="side",
    order=10,
)


def aftermath(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    return {"rows": after_sealing(incident, as_of)}


AFTERMATH = Panel(
    name="aftermath",
    template="timeline/_aftermath.html",
    context=aftermath,
    column="side",
    order=11,
)
