"""The same deliveries at once, by several senders and several who group."""

from __future__ import annotations

from random import Random

import pytest
from django.db import connection
from django.utils import timezone

from incidents.intake import grouping
from incidents.models import Alert, Delivery
from tests.incidents.intake.worlds import MINUTE, SERIES, Word, World, in_order
from tests.incidents.threads import in_threads


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", [1, 2])
def test_concurrent_deliveries_end_in_the_state_of_the_same_in_order(seed: int) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    noon = timezone.now().replace(microsecond=0) - 60 * MINUTE
    words = [
        Word(*series, mark, firing, number)
        for series in SERIES
        for mark in "ab"
        for number in (0, 1)
        for firing in (True, False)
        if firing or number == 0 or mark == "a"
    ]
    Random(seed).shuffle(words)
    expected = in_order(noon, words)
    world = World(noon)

    def send(n: int) -> None:
        # two senders say the same, and two group at any time
        for word in words[n % 4 :: 4]:
            world.tell([word])
            grouping.group(grouping.claim(limit=3))

    in_threads(send)
    # what lost a race for a row waits before it is tried again
    Delivery.objects.filter(state=Delivery.State.QUEUED).update(lease_until=None)

    assert world.state() == expected


@pytest.mark.django_db(transaction=True)
def test_eight_senders_of_one_group_over_http_are_one_incident() -> None:
    noon = timezone.now().replace(microsecond=0) - 60 * MINUTE
    world = World(noon)
    group = [Word(*series, "a", firing=True, number=0) for series in SERIES[:2]]

    def send(n: int) -> None:
        world.tell(group)
        grouping.run_waiting()

    in_threads(send)

    state = world.state()
    assert [(a.name, a.received_count) for a in Alert.objects.order_by("name")] == [
        ("HighErrorRate", 8),
        ("LatencyHigh", 8),
    ]
    assert state["incidents"] == [
        ("service:production:checkout", "critical", "open", 0.0, ["checkout"], 1)
    ]
    assert len(state["occurrences"]) == 2
