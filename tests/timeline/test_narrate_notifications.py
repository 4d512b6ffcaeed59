from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from django.utils import timezone

from incidents import lifecycle, signals
from incidents.models import (
    Incident,
    NotificationChannel,
    NotificationDelivery,
    NotificationState,
)
from incidents.notify.deliveries import give_up
from timeline.aftermath import after_sealing
from timeline.models import Kind

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]


def waiting(incident: Incident) -> NotificationDelivery:
    channel = NotificationChannel.objects.create(name="ops", kind="webhook")
    now = timezone.now()
    return NotificationDelivery.objects.create(
        key=UUID(int=incident.number),
        channel=channel,
        incident=incident,
        event="opened",
        change="status",
        facts={"reference": incident.reference},
        wanted_at=now,
        due_at=now,
    )


def ended(delivery: NotificationDelivery, state: str, error: str = "") -> None:
    delivery.state, delivery.error, delivery.finished_at = state, error, timezone.now()
    delivery.save()
    signals.notification_finished.send(Incident, incident=delivery.incident, delivery=delivery)


def test_what_was_sent_is_told(make_incident: MakeIncident) -> None:
    made = make_incident()

    ended(waiting(made), NotificationState.SENT)

    event = made.timeline.get(kind=Kind.NOTIFICATION_SENT)
    assert (event.title, event.source, event.severity) == (
        "ops was told: opened",
        "notifications",
        "info",
    )
    assert event.data["channel"] == "ops"


def test_what_was_given_up_is_told_with_why(make_incident: MakeIncident) -> None:
    made = make_incident()
    row = waiting(made)

    give_up(NotificationDelivery.objects.filter(pk=row.pk), "Nobody answered.")

    event = made.timeline.get(kind=Kind.NOTIFICATION_FAILED)
    assert (event.title, event.body, event.severity) == (
        "ops could not be told: opened",
        "Nobody answered.",
        "warning",
    )


def test_what_was_sent_after_the_seal_is_listed_after_it(make_incident: MakeIncident) -> None:
    made = make_incident()
    row = waiting(made)
    lifecycle.resolve(incident_id=made.pk, actor=None)
    length = made.timeline.count()

    ended(row, NotificationState.GIVEN_UP, "Nobody answered.")

    assert made.timeline.count() == length
    assert [(one.title, one.detail) for one in after_sealing(made)] == [
        ("ops could not be told: opened", "Nobody answered.")
    ]
