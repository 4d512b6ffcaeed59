"""Any order, any repetition, any concurrency of the same deliveries ends in the same state.

What it has to end in is what the product makes of the words told one by one in the order of
their senders' own claims.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from incidents.intake import alerts, grouping
from incidents.intake.alertmanager import parse
from incidents.intake.firings import firings
from incidents.intake.members import heard, member_of
from incidents.models import Alert, Incident
from tests.incidents.intake.worlds import MINUTE, SERIES, Word, World, in_order

# the same examples each time; one that fails is shown as it was found, for shrinking takes minutes
REPLAY = settings(derandomize=True, deadline=None, database=None, phases=[Phase.generate])


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
        Deliveries, settings=settings(REPLAY, max_examples=8, stateful_step_count=7)
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
