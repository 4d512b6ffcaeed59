"""The message that stands for rows of the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from incidents.models import NotificationChannel, NotificationDelivery
from incidents.notify.messages.message import Message, Told, title_of


def message_of(channel: NotificationChannel, rows: Sequence[NotificationDelivery]) -> Message:
    """The same for every attempt: made of the rows' own facts, the first row's key."""
    told = tuple(Told(str(row.key), row.facts) for row in rows)
    if len(told) > 1:
        key = str(rows[0].key)
        return Message(key=key, changes=told, site=site(), thread=f"digest.{key}")
    (row,) = rows
    alone = NotificationDelivery.objects.filter(channel=channel, incident=row.incident_id)
    first = alone.order_by("pk").values_list("pk", "facts").first()
    opening: dict[str, Any] = first[1] if first else row.facts
    return Message(
        key=str(row.key),
        changes=told,
        site=site(),
        thread=f"incident.{row.incident_id}.{channel.pk}",
        opens_thread=first is None or first[0] == row.pk,
        subject=f"{opening['reference']}: {opening['title']}",
    )


def shown_title(row: NotificationDelivery) -> str:
    """The headline of one row, for pages."""
    return title_of(Message(key=str(row.key), changes=(Told(str(row.key), row.facts),), site=""))


def site() -> str:
    """The address under which people reach the product, without a slash at the end."""
    return str(settings.STUDIO_URL).rstrip("/")
