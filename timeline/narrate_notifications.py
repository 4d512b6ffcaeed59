"""What people elsewhere were told of an incident, or could not be."""

from __future__ import annotations

from incidents.models import Incident, NotificationDelivery, NotificationState
from timeline.models import Kind, Severity, TimelineEvent
from timeline.narrate import unless_sealed
from timeline.record import Entry

SOURCE = "notifications"


def title_of(delivery: NotificationDelivery) -> str:
    told = delivery.get_event_display()
    if delivery.state == NotificationState.SENT:
        return f"{delivery.channel.name} was told: {told}"
    return f"{delivery.channel.name} could not be told: {told}"


def finished(incident: Incident, delivery: NotificationDelivery) -> list[TimelineEvent]:
    """Empty when the timeline is sealed: the delivery is a row of its own."""
    sent = delivery.state == NotificationState.SENT
    entry = Entry(
        kind=Kind.NOTIFICATION_SENT if sent else Kind.NOTIFICATION_FAILED,
        severity=Severity.INFO if sent else Severity.WARNING,
        title=title_of(delivery),
        body="" if sent else delivery.error,
        source=SOURCE,
        occurred_at=delivery.finished_at,
        data={
            "delivery": delivery.pk,
            "channel": delivery.channel.name,
            "event": delivery.event,
            "attempts": delivery.attempts,
            "status_code": delivery.status_code,
        },
    )
    return unless_sealed(incident, [entry])
