"""Whoever comes first has the turn first, and a turn that is not had in time is given up."""

from __future__ import annotations

import threading

import pytest
from django.db import OperationalError, connection, transaction

from accounts.models import Role, User
from reliability_studio.fair_sqlite.base import turns_of
from reliability_studio.turns import Turns

PATIENCE_SECONDS = 60.0


def queue_up(turns: Turns, done: list[int], number: int) -> threading.Thread:
    """A thread that has joined the queue when this returns."""

    def wait() -> None:
        assert turns.take(PATIENCE_SECONDS)
        done.append(number)
        turns.give()

    before = len(turns._waiting)
    thread = threading.Thread(target=wait)
    thread.start()
    while len(turns._waiting) == before:
        thread.join(0.001)
    return thread


def test_turns_are_had_in_the_order_of_coming() -> None:
    turns, done = Turns(), list[int]()
    assert turns.take(0.0)
    threads = [queue_up(turns, done, number) for number in range(8)]

    turns.give()
    for thread in threads:
        thread.join()

    assert done == list(range(8))
    assert turns.take(0.0)


def test_turn_that_does_not_come_in_time_is_given_up() -> None:
    turns = Turns()
    assert turns.take(0.0)

    late = turns.take(0.01)
    turns.give()

    assert (late, turns.take(0.0)) == (False, True)


needs_sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL's writers need no turns"
)


def taken() -> bool:
    return turns_of(str(connection.settings_dict["NAME"]))._taken


@pytest.mark.django_db(transaction=True)
@needs_sqlite
def test_turn_lasts_as_long_as_the_transaction() -> None:
    seen = [taken()]
    with transaction.atomic():
        seen.append(taken())
        with transaction.atomic():
            User.objects.create(username="sam", role=Role.VIEWER)
        seen.append(taken())
    seen.append(taken())
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        seen.append(taken() and bool(1 / 0))
    seen.append(taken())
    with transaction.atomic():
        connection.close()
    seen.append(taken())

    assert seen == [False, True, True, False, False, False]


@pytest.mark.django_db(transaction=True)
@needs_sqlite
def test_statement_alone_gives_its_turn_back_also_when_it_fails() -> None:
    User.objects.create(username="sam", email="sam@example.com", role=Role.VIEWER)
    seen = [taken()]
    with pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute("INSERT INTO nowhere VALUES (1)")
    seen.append(taken())

    assert seen == [False, False]


@pytest.mark.django_db(transaction=True)
@needs_sqlite
def test_writer_whose_turn_does_not_come_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = turns_of(str(connection.settings_dict["NAME"]))
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.01)
    assert turns.take(0.0)
    try:
        with pytest.raises(OperationalError, match="database is locked"), transaction.atomic():
            pass
    finally:
        turns.give()

    with transaction.atomic():
        User.objects.create(username="sam", role=Role.VIEWER)
