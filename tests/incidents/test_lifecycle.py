"""Status has one writer, and it allows what DESIGN.md section 3 allows."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from incidents import lifecycle, signals
from incidents.models import Incident, Status
from tests.incidents.conftest import MakeIncident, MakeService

MOVES = [
    ("open", "investigating", True),
    ("open", "mitigated", True),
    ("open", "resolved", True),
    ("investigating", "open", False),
    ("investigating", "mitigated", True),
    ("investigating", "resolved", True),
    ("mitigated", "investigating", True),
    ("mitigated", "resolved", True),
    ("mitigated", "open", False),
    ("resolved", "investigating", False),
    ("resolved", "mitigated", False),
]


@pytest.mark.parametrize(("start", "to", "allowed"), MOVES)
def test_change_status_follows_the_table(
    make_incident: MakeIncident, sam: User, start: str, to: str, allowed: bool
) -> None:
    incident = make_incident()
    if start != "open":
        lifecycle.change_status(incident_id=incident.pk, to=start, actor=sam)

    if allowed:
        after = lifecycle.change_status(incident_id=incident.pk, to=to, actor=sam)
        assert after.status == to
    else:
        with pytest.raises(lifecycle.TransitionRefused) as refused:
            lifecycle.change_status(incident_id=incident.pk, to=to, actor=sam)
        assert refused.value.allowed == tuple(lifecycle.ALLOWED[start])


def test_acknowledge_sets_the_first_human_step_once(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()

    first = lifecycle.acknowledge(incident_id=incident.pk, actor=sam)
    second = lifecycle.mitigate(incident_id=incident.pk, actor=sam)

    assert first.acknowledged_at is not None
    assert second.acknowledged_at == first.acknowledged_at


def test_resolve_by_the_machine_leaves_acknowledged_at_empty(make_incident: MakeIncident) -> None:
    incident = make_incident()

    resolved = lifecycle.resolve(incident_id=incident.pk, actor=None)

    assert resolved.acknowledged_at is None
    assert resolved.mtta_seconds is None
    assert resolved.mttr_seconds == (resolved.resolved_at - resolved.started_at).total_seconds()


def test_resolve_sends_resolving_before_sealing(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()
    order: list[str] = []

    def resolving(**kwargs: object) -> None:
        order.append("resolving")

    def sealing(**kwargs: object) -> None:
        order.append("sealing")

    signals.resolving.connect(resolving)
    signals.sealing.connect(sealing)
    lifecycle.resolve(incident_id=incident.pk, actor=sam, resolution="Rolled back.")
    signals.resolving.disconnect(resolving)
    signals.sealing.disconnect(sealing)

    assert order == ["resolving", "sealing"]
    assert Incident.objects.get(pk=incident.pk).resolution == "Rolled back."


def test_reopen_goes_back_to_investigating(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()
    lifecycle.resolve(incident_id=incident.pk, actor=sam)

    again = lifecycle.reopen(incident_id=incident.pk, actor=sam, reason="It is back.")

    assert (again.status, again.resolved_at) == (Status.INVESTIGATING, None)


def test_reopen_of_an_open_incident_is_refused(make_incident: MakeIncident, sam: User) -> None:
    incident = make_incident()

    with pytest.raises(lifecycle.TransitionRefused):
        lifecycle.reopen(incident_id=incident.pk, actor=sam)


def test_open_incident_in_the_future_starts_now(make_incident: MakeIncident) -> None:
    before = timezone.now()

    incident = make_incident(started_at=before + timedelta(hours=1))

    assert before <= incident.started_at <= timezone.now()


def test_open_incident_joins_its_duplicate(
    make_incident: MakeIncident, make_service: MakeService
) -> None:
    service = make_service("cart")
    first = make_incident("Cart error rate is high", services=[service])

    again = lifecycle.open_incident(
        title="Cart error rate high", severity="high", services=[service]
    )

    assert (again.incident, again.created) == (first, False)
    assert again.similarity is not None
    assert set(again.similarity.parts) == {"service", "title", "time"}


def test_open_incident_with_another_title_is_no_duplicate(
    make_incident: MakeIncident, make_service: MakeService
) -> None:
    service = make_service("cart")
    make_incident("Cart error rate is high", services=[service])

    other = lifecycle.open_incident(
        title="Disk nearly full on the host", severity="low", services=[service]
    )

    assert other.created is True


@pytest.mark.django_db(transaction=True)
def test_open_incident_by_eight_at_once_opens_one(make_service: MakeService) -> None:
    service = make_service()
    results: list[lifecycle.Opened] = []

    def open_one() -> None:
        try:
            results.append(
                lifecycle.open_incident(
                    title="Checkout fails",
                    severity="high",
                    services=[service],
                    correlation_key="service:production:checkout",
                )
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [opened.created for opened in results].count(True) == 1
    assert len({opened.incident.pk for opened in results}) == 1
    assert len(results) == 8


@pytest.mark.django_db(transaction=True)
def test_numbers_of_concurrent_incidents_are_unique(make_service: MakeService) -> None:
    service = make_service()

    def open_one(n: int) -> None:
        try:
            lifecycle.open_incident(
                title=f"Incident {n}", severity="low", services=[service], allow_duplicate=True
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=open_one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(Incident.objects.values_list("number", flat=True)) == list(range(1, 9))
