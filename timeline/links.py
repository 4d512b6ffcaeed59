"""Links between events, or from one to an address: events themselves, covered by the chain."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from accounts.models import User
from timeline.models import WRITTEN_BY_PEOPLE, Kind, TimelineEvent
from timeline.record import record

URL_LENGTH = 2000
_is_url = URLValidator(schemes=["http", "https"])


def link(event: TimelineEvent, to: str, actor: User | None, note: str = "") -> TimelineEvent:
    """Record that `event` refers to `to`: the number of another event of its timeline, or an
    http(s) address. Raises ValidationError in words, TimelineSealed."""
    data: dict[str, object]
    told = to.strip().removeprefix("#event-").removeprefix("#")
    if told.isdecimal():
        other = _event(event, told)
        target, data = f"event {other.seq}", {"event": event.seq, "to_event": other.seq}
    else:
        target = _address(to.strip())
        data = {"event": event.seq, "url": target}
    who = f"{actor.username} linked" if actor else "Linked"
    return record(
        incident_id=event.incident_id,
        kind=Kind.LINK,
        title=f"{who} event {event.seq} to {target}",
        body=note,
        source=WRITTEN_BY_PEOPLE,
        actor=actor,
        data=data,
    )


def _event(event: TimelineEvent, number: str) -> TimelineEvent:
    seq = int(number[:10])
    if seq == event.seq:
        raise ValidationError("An event cannot be linked to itself.")
    found = TimelineEvent.objects.filter(incident=event.incident_id, seq=seq).first()
    if found is None:
        raise ValidationError(f"The timeline has no event {seq}.")
    return found


def _address(text: str) -> str:
    if len(text) > URL_LENGTH:
        raise ValidationError(f"An address has at most {URL_LENGTH} letters.")
    try:
        _is_url(text)
    except ValidationError:
        raise ValidationError(
            "Name another event by its number, or an address that begins with http:// or https://."
        ) from None
    return text
