"""Maintenance windows: what they hold back, what they mark, what happens when they are over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from incidents.intake import screening
from incidents.models import (
    Alert,
    AlertOccurrence,
    AlertSource,
    Incident,
    MaintenanceWindow,
    Service,
)
from incidents.upkeep import maintenance
from tests.incidents.conftest import MakeService
from tests.incidents.upkeep.conftest import Deliver
from timeline.models import TimelineEvent

HOUR = timedelta(hours=1)


def make_window(**columns: Any) -> MaintenanceWindow:
    now = timezone.now()
    services = columns.pop("services", [])
    columns = {
        "name": "Database upgrade",
        "starts_at": now - HOUR,
        "ends_at": now + HOUR,
        **columns,
    }
    window = MaintenanceWindow.objects.create(**columns)
    window.services.set(services)
    return window


def titles() -> list[str]:
    found = TimelineEvent.objects.filter(kind="maintenance").order_by("seq")
    return [event.title for event in found]


def test_suppressing_window_records_the_alert_and_opens_nothing(deliver: Deliver) -> None:
    window = make_window()

    occurrence = deliver()

    assert occurrence is not None
    assert (occurrence.incident, occurrence.maintenance, occurrence.resolved_at) == (
        None,
        window,
        None,
    )
    assert Incident.objects.count() == 0


def test_alert_that_still_fires_when_the_window_is_over_opens_its_incident(
    deliver: Deliver,
) -> None:
    make_window()
    deliver()

    held = maintenance.release(timezone.now())
    maintenance.cancel(window_id=MaintenanceWindow.objects.get().pk, actor=None)
    released = maintenance.release()

    assert (held, released, Incident.objects.count()) == (0, 1, 1)
    assert titles() == ["After maintenance: Database upgrade"]


def test_what_a_window_still_holds_does_not_keep_later_ones_from_their_incident(
    source: AlertSource,
) -> None:
    more = maintenance.MOST_AT_ONCE + 1
    make_window(matchers=["last=no"])
    over = make_window(ends_at=timezone.now() - HOUR / 2)
    now = timezone.now()
    series = Alert.objects.bulk_create(
        Alert(
            source=source,
            identity=str(number),
            name="Slow",
            labels={"alertname": "Slow", "last": "yes" if number == more - 1 else "no"},
        )
        for number in range(more)
    )
    AlertOccurrence.objects.bulk_create(
        AlertOccurrence(
            alert=alert,
            claimed_started_at=now,
            started_at=now + timedelta(microseconds=number),
            maintenance=over,
        )
        for number, alert in enumerate(series)
    )

    assert maintenance.release() == 1


def test_alert_that_ended_within_the_window_opens_nothing_later(deliver: Deliver) -> None:
    make_window()
    deliver()
    MaintenanceWindow.objects.update(ends_at=timezone.now(), over_at=timezone.now())

    deliver("resolved")
    released = maintenance.release()

    assert (released, Incident.objects.count()) == (0, 0)


def test_annotating_window_marks_the_incident_once(deliver: Deliver) -> None:
    make_window(mode="annotate", description="PostgreSQL 18")

    deliver()
    deliver(alertname="Another")

    assert titles() == ["During maintenance: Database upgrade"]
    assert Incident.objects.count() == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"matchers": ["alertname=Another"]},
        {"matchers": ["alertname=HighErrorRate", "cluster=~.+"]},
        {"environment": "staging"},
        {"starts_at": timezone.now() + HOUR, "ends_at": timezone.now() + 2 * HOUR},
        {"starts_at": timezone.now() - 2 * HOUR, "ends_at": timezone.now() - HOUR},
    ],
)
def test_window_that_does_not_cover_the_alert_lets_it_pass(
    deliver: Deliver, columns: dict[str, Any]
) -> None:
    make_window(**columns)

    deliver()

    assert Incident.objects.count() == 1


def test_window_of_a_service_covers_its_alerts_alone(
    deliver: Deliver, make_service: MakeService
) -> None:
    other = make_service("cart")
    make_window(services=[Service.objects.get(slug="checkout")])

    deliver()
    deliver(service=other.slug)
    deliver(service="unknown")

    assert AlertOccurrence.objects.filter(incident=None).count() == 1
    assert Incident.objects.count() == 2


def test_suppressing_window_goes_before_an_annotating_one(deliver: Deliver) -> None:
    make_window(mode="annotate", ends_at=timezone.now() + 5 * HOUR)
    suppressing = make_window()

    occurrence = deliver()

    assert occurrence is not None
    assert occurrence.maintenance == suppressing


def test_weekly_window_holds_again_a_week_later(deliver: Deliver) -> None:
    begin = timezone.now() - timedelta(weeks=3, minutes=1)
    window = make_window(starts_at=begin, ends_at=begin + HOUR, weekly=True)

    occurrence = deliver()

    assert occurrence is not None
    assert (occurrence.maintenance, window.over_at) == (window, None)


def test_cancelled_window_cannot_be_cancelled_again(deliver: Deliver, sam: User) -> None:
    window = make_window()

    cancelled = maintenance.cancel(window_id=window.pk, actor=sam)

    assert (cancelled.cancelled_by, cancelled.over_at) == (sam, cancelled.cancelled_at)
    with pytest.raises(maintenance.WindowOver):
        maintenance.cancel(window_id=window.pk, actor=sam)


def test_extended_window_ends_later(source: Any) -> None:
    window = make_window()
    later = window.ends_at + HOUR

    extended = maintenance.extend(window_id=window.pk, ends_at=later)

    assert (extended.ends_at, extended.over_at) == (later, later)


def test_window_that_ends_before_it_starts_is_refused(source: Any) -> None:
    window = make_window()

    with pytest.raises(ValidationError):
        maintenance.extend(window_id=window.pk, ends_at=window.starts_at)


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"weekly": True, "repeats_until": -2}, "repeats_until"),
        (
            {"weekly": True, "starts_at": -900, "ends_at": -899, "repeats_until": -1},
            "repeats_until",
        ),
        ({"starts_at": -3, "ends_at": -1}, "ends_at"),
    ],
    ids=["never begins", "has repeated", "has ended"],
)
def test_new_window_that_will_never_hold_is_refused(columns: Any, field: str) -> None:
    times = {"starts_at": 0, "ends_at": 1, **columns}
    hours = {name: timezone.now() + at * HOUR for name, at in times.items() if name != "weekly"}

    with pytest.raises(ValidationError) as refused:
        MaintenanceWindow(name="Late", weekly="weekly" in columns, **hours).clean()

    assert list(refused.value.message_dict) == [field]


def test_screening_costs_the_same_for_one_alert_and_for_many(
    deliver: Deliver, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_window(mode="annotate", services=[Service.objects.get(slug="checkout")])
    for number in range(20):
        deliver(instance=str(number))
    firing = list(AlertOccurrence.objects.select_related("alert__source"))

    with django_assert_max_num_queries(6):
        screened = screening.screen(firing)

    assert [one.passes for one in screened] == [True] * 20
