"""The timeline on the incident page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from incidents.live import Panel
from incidents.models import Incident
from timeline.aftermath import after_sealing
from timeline.models import TimelineAnchor
from timeline.union import events_of

SHOWN = 200


def context(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{events: oldest first, the newest 200; more: how many older ones; sealed: anchor or None}.

    With those of the incidents merged into it. With `as_of` only what had been recorded by then.
    """
    events = events_of(incident, as_of)
    anchor = TimelineAnchor.objects.filter(incident=incident, sealed_at__isnull=False)
    if as_of is not None:
        events = events.filter(recorded_at__lte=as_of)
        anchor = anchor.filter(sealed_at__lte=as_of)
    shown = events.select_related("actor").defer("canonical", "data")  # not shown, may be long
    newest = list(shown.reverse()[:SHOWN])
    newest.reverse()
    return {
        "events": newest,
        "sealed": anchor.first(),
        "more": events.count() - SHOWN if len(newest) == SHOWN else 0,
    }


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
