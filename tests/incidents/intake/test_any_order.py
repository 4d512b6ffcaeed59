"""Any order, any repetition, any concurrency of the same deliveries ends in the same state.

What it has to end in is what the product makes of the words told one by one in the order of
their senders' own claims.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from accounts.models import ApiToken
from incidents.intake import alerts, grouping, recovery
from incidents.intake.alertmanager import parse
from incidents.intake.firings import firings
from incidents.intake.members import heard, member_of
from incidents.models import Alert, AlertOccurrence, Delivery, Incident, Service

MINUTE = timedelta(minutes=1)
# the same examples each time; one that fails is shown as it was found, for shrinking takes minutes
REPLAY = settings(derandomize=True, deadline=None, database=None, phases=[Phase.generate])


@dataclass(frozen=True)
class Word:
    """What a sender says of one firing of one member: that it fires, or that it is over.

    Firing n of a member lasts from minute 10 n to minute 10 n + 5. `moved` is the start before
    the sender took back a minute of it.
    """

    series: str
    service: str
    severity: str
    mark: str
    firing: bool
    number: int
    moved: bool = False

    @property
    def begins_minute(self) -> float:
        return 10 * self.number + (0.5 if self.mark == "b" else 0) + (1 if self.moved else 0)

    @property
    def ends_minute(self) -> float:
        return 10 * self.number + (5.5 if self.mark == "b" else 5)

    @property
    def told_at(self) -> tuple[float, bool]:
        return (self.begins_minute, False) if self.firing else (self.ends_minute, True)

    def told(self, noon: datetime) -> dict[str, Any]:
        labels = {"alertname": self.series, "service": self.service, "severity": self.severity}
        return {
            "status": "firing" if self.firing else "resolved",
            "labels": {**labels, "replica": self.mark},
            "annotations": {},
            "startsAt": (noon + self.begins_minute * MINUTE).isoformat(),
            "endsAt": "0001-01-01T00:00:00Z"
            if self.firing
            else (noon + self.ends_minute * MINUTE).isoformat(),
            "fingerprint": f"{self.series}-{self.mark}",
        }


SERIES = [
    ("HighErrorRate", "checkout", "critical"),
    ("LatencyHigh", "checkout", "warning"),
    ("QueueFull", "ledger", "warning"),
]


def words_of(which: st.SearchStrategy[tuple[str, str, str]]) -> st.SearchStrategy[Word]:
    return st.builds(
        lambda series, mark, number, firing, moved: Word(
            *series, mark, firing, number, moved=firing and moved
        ),
        which,
        st.sampled_from("ab"),
        st.integers(0, 3),
        st.booleans(),
        st.booleans(),
    )


any_word = words_of(st.sampled_from(SERIES))
bodies = st.lists(any_word, min_size=1, max_size=5, unique_by=lambda word: (word.series, word.mark))
words_of_one_series = words_of(st.just(SERIES[0]))


class World:
    """A catalogue, a source and its token; what it is told goes through the HTTP endpoint."""

    def __init__(self, noon: datetime) -> None:
        self.noon = noon
        Service.objects.get_or_create(slug="checkout", defaults={"name": "Checkout"})
        _token, self.plain = ApiToken.issue(name="am", scopes=["intake"], owner=None)

    def tell(self, words: Iterable[Word]) -> None:
        body = {"version": "4", "alerts": [word.told(self.noon) for word in words]}
        answer = Client().post(
            "/api/intake/alertmanager",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.plain}"},
        )
        assert answer.status_code == 202

    def state(self) -> dict[str, Any]:
        """After all is grouped and the quiet incidents are resolved."""
        grouping.run_waiting()
        recovery.resolve_quiet(timezone.now() + 10 * MINUTE)
        return {
            "alerts": sorted(
                (
                    a.name,
                    a.firing,
                    {k: m["firing"] for k, m in sorted(a.members.items())}.__repr__(),
                )
                for a in Alert.objects.all()
            ),
            "occurrences": sorted(
                (
                    o.alert.name,
                    (o.claimed_started_at - self.noon) / MINUTE,
                    "open" if o.resolved_at is None else "over",
                    "fired" if o.fired else "never seen firing",
                    o.incident.correlation_key if o.incident else "",
                )
                for o in AlertOccurrence.objects.select_related("alert", "incident")
            ),
            "incidents": sorted(
                (
                    i.correlation_key,
                    i.severity,
                    i.status,
                    (i.started_at - self.noon) / MINUTE,
                    sorted(i.affected.values_list("service__slug", flat=True)),
                    i.affected.filter(recovered_at=None).count(),
                )
                for i in Incident.objects.all()
            ),
            "deliveries": sorted(set(Delivery.objects.values_list("state", "error"))),
        }


def in_order(noon: datetime, words: Iterable[Word]) -> dict[str, Any]:
    """The state after each word once, by claim, each grouped before the next comes."""
    with transaction.atomic():
        world = World(noon)
        for word in sorted(set(words), key=lambda word: word.told_at):
            world.tell([word])
            grouping.run_waiting()
        state = world.state()
        transaction.set_rollback(True)
    return state


class Deliveries(RuleBasedStateMachine):
    """Bodies with any words, sent again at will, grouped in parts or not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.noon = timezone.now().replace(microsecond=0) - 60 * MINUTE
        self.sent: list[list[Word]] = []
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.world = World(self.noon)

    @rule(words=bodies)
    def deliver(self, words: list[Word]) -> None:
        self.sent.append(words)
        self.world.tell(words)

    @rule(which=st.integers(0, 20))
    def deliver_again(self, which: int) -> None:
        if self.sent:
            self.world.tell(self.sent[which % len(self.sent)])

    @rule()
    def group_one(self) -> None:
        grouping.group(grouping.claim(limit=1))

    @rule()
    def group_all(self) -> None:
        grouping.run_waiting()

    @invariant()
    def one_open_incident_a_key(self) -> None:
        keys = list(Incident.objects.active().values_list("correlation_key", flat=True))
        assert len(keys) == len(set(keys))

    def teardown(self) -> None:
        state = self.world.state()
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)
        words = [word for body in self.sent for word in body]
        assert state == in_order(self.noon, words)


@pytest.mark.django_db
def test_deliveries_in_any_order_end_in_the_same_state() -> None:
    run_state_machine_as_test(
        Deliveries, settings=settings(REPLAY, max_examples=12, stateful_step_count=8)
    )


@REPLAY
@given(words=st.lists(words_of_one_series, min_size=1, max_size=8), data=st.data())
def test_firings_are_the_same_whatever_the_order_of_the_words(
    words: list[Word], data: st.DataObject
) -> None:
    told = []
    for order in (sorted(words, key=lambda word: word.told_at), data.draw(st.permutations(words))):
        members: dict[str, Any] = {}
        for word in order:
            received = parse({"alerts": [word.told(NOON)]}).alerts[0]
            mark = received.fingerprint
            members[mark] = heard(member_of(received, NOON), members.get(mark))
        told.append((firings(members), {mark: m["firing"] for mark, m in members.items()}))

    assert told[0][0] is not None
    assert told[0] == told[1]


@pytest.mark.django_db
@settings(REPLAY, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(words_of_one_series, min_size=1, max_size=10))
def test_the_database_keeps_what_the_rule_says(words: list[Word]) -> None:
    with transaction.atomic():
        source = alerts.source_of("alertmanager", "alertmanager")
        members: dict[str, Any] = {}
        for word in words:
            received = parse({"alerts": [word.told(NOON)]}).alerts[0]
            delivery = alerts.store(source, "{}", [received])
            said = member_of(received, delivery.received_at)
            members[received.fingerprint] = heard(said, members.get(received.fingerprint))
        kept = Alert.objects.get()
        transaction.set_rollback(True)

    assert bare(kept.members) == bare(members)
    assert kept.firing == any(member["firing"] for member in members.values())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", [1, 2])
def test_concurrent_deliveries_end_in_the_state_of_the_same_in_order(seed: int) -> None:
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
    world = World(noon)

    def send(n: int) -> None:
        # every body twice, by two senders
        for word in words[n % 4 :: 4]:
            world.tell([word])
        grouping.run_waiting()

    in_threads(send)
    world.group()

    state = world.state()
    for model in (AlertOccurrence, Alert, Incident):
        assert model._default_manager.exists()
    assert state == expected_of(noon, words)


def bare(members: Any) -> Any:
    """Without what is None, which PostgreSQL leaves out, or was not inferred."""
    if isinstance(members, dict):
        return {
            name: bare(value)
            for name, value in members.items()
            if value is not None and (name != "inferred" or value)
        }
    if isinstance(members, list):
        return [bare(value) for value in members]
    return members


NOON = datetime.fromisoformat("2026-01-01T12:00:00Z")
