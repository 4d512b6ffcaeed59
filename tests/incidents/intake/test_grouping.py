"""Batches of deliveries become incidents: once, in few transactions, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from correlation.models import Analysis
from incidents.intake import alerts, grouping
from incidents.intake.alertmanager import ReceivedAlert
from incidents.models import Alert, AlertOccurrence, Delivery, Incident
from tests.incidents.conftest import MakeService
from tests.incidents.threads import in_threads
from timeline.models import TimelineEvent

Deliver = Callable[..., Delivery]


def received(firing: bool = True, **labels: str) -> ReceivedAlert:
    labels = {"alertname": "HighErrorRate", "service": "checkout", **labels}
    name = "/".join(labels.values())
    return ReceivedAlert(firing, labels, {}, name, "", timezone.now())


@pytest.fixture
def deliver(db: None) -> Deliver:
    def make(*some: ReceivedAlert) -> Delivery:
        source = alerts.source_of("alertmanager", "alertmanager")
        return alerts.store(source, "{}", some or [received()])

    return make


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in Delivery.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def told(kind: str) -> int:
    return TimelineEvent.objects.filter(kind=kind).count()


def test_claim_takes_the_oldest_and_nobody_takes_them_again(deliver: Deliver) -> None:
    first, second, third = (deliver(received(pod=pod)) for pod in "abc")

    claimed = [[d.pk for d in grouping.claim(limit=2)] for _ in range(3)]

    assert claimed == [[first.pk, second.pk], [third.pk], []]


def test_waiting_deliveries_are_grouped_by_key(deliver: Deliver, make_service: MakeService) -> None:
    make_service("checkout")
    make_service("payment")
    for n in range(4):
        deliver(received(pod=f"p{n}"), received(service="payment", pod=f"p{n}"))

    grouped = grouping.run_waiting()

    assert grouped == 4
    assert states() == {"done": 4}
    assert sorted(i.occurrences.count() for i in Incident.objects.all()) == [4, 4]
    assert Analysis.objects.count() == 2


def test_a_storm_costs_few_transactions(deliver: Deliver, make_service: MakeService) -> None:
    for n in range(5):
        make_service(f"service-{n}")
    for batch in range(20):
        deliver(*[received(service=f"service-{n % 5}", pod=f"{batch}-{n}") for n in range(50)])

    with CaptureQueriesContext(connection) as queries:
        grouping.run_waiting()

    assert AlertOccurrence.objects.exclude(incident=None).count() == 1000
    assert Incident.objects.count() == 5
    assert told("alert_firing") == 1000
    assert len(queries) < 300


def test_a_delivery_that_fails_does_not_take_its_batch_along(
    deliver: Deliver, make_service: MakeService
) -> None:
    make_service("checkout")
    bad = deliver(received(pod="bad"))
    good = deliver(received(pod="good"))
    Alert.objects.filter(occurrences__delivery=bad).update(labels=["not", "labels"])

    grouping.run_waiting()

    bad.refresh_from_db()
    good.refresh_from_db()
    assert (good.state, good.error) == (Delivery.State.DONE, "")
    assert (bad.state, bad.attempt) == (Delivery.State.QUEUED, 1)
    assert bad.error.startswith("AttributeError")
    assert bad.lease_until is not None
    assert bad.lease_until > timezone.now()


def test_a_delivery_that_always_fails_is_marked_failed(deliver: Deliver) -> None:
    bad = deliver()
    Alert.objects.update(labels=["not", "labels"])

    for _ in range(grouping.MAX_ATTEMPTS):
        Delivery.objects.update(lease_until=None)
        grouping.run_waiting()

    bad.refresh_from_db()
    assert (bad.state, bad.attempt) == (Delivery.State.FAILED, grouping.MAX_ATTEMPTS)


def test_a_delivery_that_kills_its_workers_is_given_up(deliver: Deliver) -> None:
    delivery = deliver()
    Delivery.objects.update(
        state=Delivery.State.GROUPING,
        attempt=grouping.MAX_ATTEMPTS,
        lease_until=timezone.now() - timedelta(seconds=1),
    )

    grouping.sweep()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == ("failed", "The worker was lost 5 times.")


def test_an_alert_that_ended_before_it_was_grouped_has_its_incident(
    deliver: Deliver, make_service: MakeService
) -> None:
    make_service("checkout")
    deliver(received())
    deliver(received(firing=False))

    grouping.run_waiting()

    occurrence = AlertOccurrence.objects.get()
    assert occurrence.incident == Incident.objects.get()
    assert (told("alert_firing"), told("alert_resolved")) == (1, 1)
    assert Incident.objects.get().affected.get().recovered_at == occurrence.resolved_at


def test_grouping_again_tells_nothing_twice(deliver: Deliver, make_service: MakeService) -> None:
    make_service("checkout")
    deliver(received())
    grouping.run_waiting()
    deliver(received(firing=False))
    grouping.run_waiting()

    Delivery.objects.update(state=Delivery.State.QUEUED, attempt=0)
    grouping.run_waiting()

    assert (told("alert_firing"), told("alert_resolved")) == (1, 1)


def test_an_acknowledgement_of_the_sender_reaches_the_incident(
    deliver: Deliver, make_service: MakeService
) -> None:
    make_service("checkout")
    deliver(received())
    source = alerts.source_of("alertmanager", "alertmanager")
    alerts.store(source, "{}", [], acknowledges=Alert.objects.get().identity)

    grouping.run_waiting()

    incident = Incident.objects.get()
    assert (incident.status, incident.acknowledged_at) == ("investigating", None)


@pytest.mark.django_db(transaction=True)
def test_eight_senders_of_one_group_make_one_incident(make_service: MakeService) -> None:
    make_service("checkout")
    source = alerts.source_of("alertmanager", "alertmanager")
    group = [received(pod=f"p{n}") for n in range(5)]

    def send(sender: int) -> None:
        for _ in range(3):
            grouping.run(alerts.store(source, "{}", group).pk)

    in_threads(send)

    assert states() == {"done": 24}
    assert Incident.objects.get().occurrences.count() == 5
    assert told("alert_firing") == 5


@pytest.mark.django_db(transaction=True)
def test_workers_share_a_backlog(make_service: MakeService) -> None:
    make_service("checkout")
    source = alerts.source_of("alertmanager", "alertmanager")
    for n in range(40):
        alerts.store(source, "{}", [received(pod=f"p{n}")])

    def work(worker: int) -> None:
        while waiting := grouping.claim(limit=3):
            grouping.group(waiting)

    in_threads(work)

    assert states() == {"done": 40}
    assert Incident.objects.get().occurrences.count() == 40
    assert told("alert_firing") == 40
