"""The store: what is kept after deliveries came in any order, and in how many statements."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from incidents.intake import alerts, closing, store_postgresql
from incidents.intake.received import ReceivedAlert
from incidents.models import Alert, AlertOccurrence, AlertSource, Delivery

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
Word = tuple[str, int, int | None, str]


def said(
    firing: bool, start: int, end: int | None = None, mark: str = "a", **labels: str
) -> ReceivedAlert:
    """A word about one series: minutes after noon."""
    return ReceivedAlert(
        firing=firing,
        labels={"alertname": "HighErrorRate", **labels},
        annotations={"summary": "High"} if firing else {},
        fingerprint=mark,
        generator_url="",
        starts_at=NOON + timedelta(minutes=start),
        ends_at=None if end is None else NOON + timedelta(minutes=end),
    )


def fires(start: int, mark: str = "a") -> ReceivedAlert:
    return said(True, start, mark=mark)


def ends(start: int, end: int, mark: str = "a") -> ReceivedAlert:
    return said(False, start, end, mark=mark)


@pytest.fixture
def source(db: None) -> AlertSource:
    return alerts.source_of("alertmanager", "alertmanager")


@pytest.fixture
def tell(source: AlertSource) -> Callable[..., Delivery]:
    return lambda *words: alerts.store(source, "{}", words)


Tell = Callable[..., Delivery]


def occurrences() -> list[tuple[bool, bool]]:
    """(fired, open) of each, oldest claim first."""
    kept = AlertOccurrence.objects.order_by("claimed_started_at", "id")
    return [(o.fired, o.resolved_at is None) for o in kept]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ([fires(0)], [(True, True)]),
        ([fires(0), fires(0)], [(True, True)]),
        ([fires(0), ends(0, 5)], [(True, False)]),
        ([fires(0), ends(0, 5), ends(0, 5)], [(True, False)]),
        ([fires(0), ends(0, 5), fires(0)], [(True, False)]),
        ([fires(0), ends(0, 5), fires(9)], [(True, False), (True, True)]),
        ([fires(9), ends(0, 5)], [(True, True)]),
        ([fires(0), fires(9), ends(0, 5)], [(True, True)]),
        # two claims merged into the earlier one
        ([fires(1), ends(0, 5)], [(True, False)]),
        ([ends(0, 5)], [(False, False)]),
        ([ends(0, 5), ends(0, 5)], [(False, False)]),
        ([ends(0, 5), fires(0)], [(True, False)]),
        ([ends(0, 5), fires(9)], [(False, False), (True, True)]),
        ([fires(0), ends(9, 9)], [(True, False)]),
        # an HA pair: over when both say so
        ([fires(0, "a"), fires(0, "b"), ends(0, 5, "a")], [(True, True)]),
        ([fires(0, "a"), fires(0, "b"), ends(0, 5, "a"), ends(0, 5, "b")], [(True, False)]),
    ],
    ids=str,
)
def test_occurrences_are_those_that_the_words_tell_of(
    tell: Tell, words: Sequence[ReceivedAlert], kept: list[tuple[bool, bool]]
) -> None:
    for word in words:
        tell(word)

    assert occurrences() == kept
    assert Alert.objects.get().firing == kept[-1][1]


@pytest.mark.parametrize(
    "words",
    [
        words
        for order in itertools.permutations([fires(0), ends(0, 5), fires(9), fires(0, "b")])
        for words in [order]
    ],
    ids=lambda words: "-".join(
        f"{'f' if w.firing else 'e'}{w.starts_at.minute}{w.fingerprint}" for w in words
    ),
)
def test_series_fires_in_the_end_whatever_the_order(
    tell: Tell, words: Sequence[ReceivedAlert]
) -> None:
    for word in words:
        tell(word)

    alert = Alert.objects.get()
    assert {mark: member["firing"] for mark, member in alert.members.items()} == {
        "a": True,
        "b": True,
    }
    assert AlertOccurrence.objects.filter(resolved_at=None).count() == 1


@pytest.mark.parametrize("order", list(itertools.permutations([fires(0), ends(0, 5)])), ids=str)
def test_one_body_that_says_both_is_as_good_as_two(
    tell: Tell, order: Sequence[ReceivedAlert]
) -> None:
    tell(*order)

    assert occurrences() == [(True, False)]


def test_repeat_waits_for_nobody_and_changes_a_count(tell: Tell) -> None:
    first = tell(fires(0))

    again = tell(fires(0))

    assert (first.state, again.state) == ("queued", "done")
    assert Delivery.objects.get(pk=again.pk).state == Delivery.State.DONE
    assert Alert.objects.get().received_count == 2
    assert AlertOccurrence.objects.get().delivery_id == first.pk


def test_occurrence_points_at_the_delivery_that_closed_it(tell: Tell) -> None:
    tell(fires(0))

    closing_one = tell(ends(0, 5))

    assert AlertOccurrence.objects.get().delivery_id == closing_one.pk


def test_end_keeps_the_texts_of_the_firing(tell: Tell) -> None:
    tell(fires(0))

    tell(ends(0, 5))

    assert Alert.objects.get().annotations == {"summary": "High"}


def test_inferred_end_yields_to_a_firing_of_the_same_start(tell: Tell) -> None:
    tell(fires(0))
    occurrence = AlertOccurrence.objects.get()
    closed = closing.close([occurrence.pk], NOON + timedelta(minutes=3))

    tell(fires(0))

    assert [o.pk for o in closed] == [occurrence.pk]
    assert [was_open for _, was_open in occurrences()] == [False, True]
    assert "inferred" not in {k for k, v in Alert.objects.get().members["a"].items() if v}


def test_ending_twice_ends_once(tell: Tell) -> None:
    tell(fires(0))
    occurrence = AlertOccurrence.objects.get()
    closing.close([occurrence.pk], NOON + timedelta(minutes=3))

    again = closing.close([occurrence.pk], NOON + timedelta(minutes=9))

    assert again == []


def test_odd_fingerprints_are_members_like_others(tell: Tell) -> None:
    for mark in ('quo"te', "dot.ted", "$[0]", "ünï", ""):
        tell(fires(0, mark))
        tell(fires(0, mark))

    assert sorted(Alert.objects.get().members) == sorted(['quo"te', "dot.ted", "$[0]", "ünï", ""])


@pytest.mark.parametrize("count", [1, 20, 500])
def test_statements_do_not_grow_with_the_alerts(source: AlertSource, count: int) -> None:
    words = [said(True, 0, pod=f"p{n}") for n in range(count)]
    over = [said(False, 0, 5, pod=f"p{n}") for n in range(count)]
    taken = []

    for words_now in (words, words, over):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            alerts.store(source, "{}", words_now)
        taken.append(sum("SAVEPOINT" not in (query["sql"] or "") for query in queries))

    assert taken == ([1, 1, 1] if connection.vendor == "postgresql" else [3, 2, 3])
    assert AlertOccurrence.objects.exclude(resolved_at=None).count() == count


def test_statement_is_short_enough_for_its_parsing_to_be_remembered() -> None:
    assert len(store_postgresql.STATEMENT) <= MAX_CACHED_STATEMENT_LENGTH
