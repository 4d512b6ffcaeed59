"""Similarity has parts one can check by hand, and joining takes no number."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from incidents import lifecycle
from incidents.merges import merging
from incidents.merges.duplicates import find_duplicates
from incidents.merges.similarity import HORIZON
from incidents.models import Incident, MergeProposal, NumberSequence
from tests.incidents.conftest import MakeIncident, MakeService


def test_find_duplicate_states_its_parts(
    make_incident: MakeIncident, make_service: MakeService
) -> None:
    cart, redis = make_service("cart"), make_service("redis")
    now = timezone.now()
    open_one = make_incident("Cart fails", services=[cart, redis], started_at=now)

    (found,) = find_duplicates(
        title="Cart fails",
        services=[cart, redis],
        started_at=now + HORIZON / 2,
        environment="production",
    )

    assert (found.incident, found.score) == (open_one, 0.9)
    assert found.parts == {"service": 1.0, "title": 1.0, "time": 0.5}


def test_find_duplicate_prefers_the_most_similar(
    make_incident: MakeIncident, make_service: MakeService
) -> None:
    cart = make_service("cart")
    now = timezone.now()
    near = make_incident("Cart fails now", services=[cart], started_at=now - timedelta(minutes=1))
    nearest = make_incident("Cart fails", services=[cart], started_at=now)

    found = find_duplicates(
        title="Cart fails", services=[cart], started_at=now, environment="production"
    )

    assert [(one.incident, one.score) for one in found] == [(nearest, 1.0), (near, 0.9133)]


@pytest.mark.parametrize("why", ["resolved", "merged", "elsewhere", "long ago", "other service"])
def test_find_duplicate_looks_only_at_comparable_open_incidents(
    make_incident: MakeIncident, make_service: MakeService, why: str
) -> None:
    cart, redis = make_service("cart"), make_service("redis")
    now = timezone.now()
    started = now - HORIZON - timedelta(seconds=1) if why == "long ago" else now
    one = make_incident(
        "Cart fails",
        services=[redis if why == "other service" else cart],
        started_at=started,
        environment="staging" if why == "elsewhere" else "production",
    )
    if why == "resolved":
        lifecycle.resolve(incident_id=one.pk, actor=None)
    if why == "merged":
        other = make_incident("Something else entirely", services=[redis])
        merging.merge(source_id=one.pk, target_id=other.pk, actor=None)

    found = find_duplicates(
        title="Cart fails", services=[cart], started_at=now, environment="production"
    )

    # the survivor of the merge has the service now, under another title
    assert found == []


def test_find_duplicate_without_services_finds_none(make_incident: MakeIncident) -> None:
    make_incident("Cart fails", services=[])

    found = find_duplicates(
        title="Cart fails", services=[], started_at=timezone.now(), environment="production"
    )

    assert found == []


def test_opening_all_the_same_keeps_the_two_apart(
    make_incident: MakeIncident, make_service: MakeService, sam: User
) -> None:
    cart = make_service("cart")
    older = make_incident("Cart fails", services=[cart])

    newer = make_incident("Cart fails", services=[cart], actor=sam)

    (pair,) = MergeProposal.objects.all()
    assert (pair.older, pair.newer, pair.state) == (older, newer, "dismissed")
    assert (pair.decided_by, pair.score) == (sam, 1.0)


def test_joining_a_duplicate_takes_no_number(
    make_incident: MakeIncident, make_service: MakeService
) -> None:
    cart = make_service("cart")
    first = make_incident("Cart fails", services=[cart])

    joined = [
        lifecycle.open_incident(title="Cart fails", severity="high", services=[cart]).created
        for _ in range(3)
    ]
    second = make_incident("Disk full", services=[cart])

    assert joined == [False] * 3
    assert (first.number, second.number) == (1, 2)
    assert NumberSequence.objects.get(name="incident").value == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("earlier", [0, 1])
def test_eight_twins_at_once_are_one_incident(
    make_incident: MakeIncident, make_service: MakeService, earlier: int
) -> None:
    """With and without the sequence's row there to be locked."""
    cart = make_service("cart")
    for _ in range(earlier):
        make_incident("Disk full", services=[])
    started_at = timezone.now()
    opened: list[lifecycle.Opened] = []
    together = threading.Barrier(8)

    def open_one() -> None:
        try:
            together.wait()
            opened.append(
                lifecycle.open_incident(
                    title="Cart fails", severity="high", services=[cart], started_at=started_at
                )
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(one.created for one in opened) == [False] * 7 + [True]
    assert Incident.objects.count() == earlier + 1
    assert NumberSequence.objects.get(name="incident").value == earlier + 1
