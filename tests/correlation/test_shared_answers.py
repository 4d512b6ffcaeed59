"""One question, asked once by analyses that run together."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from correlation import shared_answers
from correlation.shared_answers import once
from correlation.sources import Reply
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError

ANSWER = Reply(notes=("seen",))


def test_once_asks_for_the_first_and_shares_with_those_who_come_later() -> None:
    asked: list[str] = []

    def ask(deadline: Deadline) -> Reply:
        asked.append("one")
        return ANSWER

    replies = [once("key", ask, Deadline(1), "Prometheus") for _ in range(3)]

    assert replies == [(ANSWER, True), (ANSWER, False), (ANSWER, False)]
    assert asked == ["one"]


def test_once_lets_all_who_come_meanwhile_wait_for_one_call() -> None:
    release, under_way = threading.Event(), threading.Event()
    asked: list[str] = []

    def ask(deadline: Deadline) -> Reply:
        asked.append("one")
        under_way.set()
        release.wait(10)
        return ANSWER

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(once, "key", ask, Deadline(10), "Loki")
        under_way.wait(10)
        others = [pool.submit(once, "key", ask, Deadline(10), "Loki") for _ in range(7)]
        release.set()

    assert first.result() == (ANSWER, True)
    assert [other.result() for other in others] == [(ANSWER, False)] * 7
    assert asked == ["one"]


def test_once_keeps_no_failure() -> None:
    def fails(deadline: Deadline) -> Reply:
        raise BackendError("refused", "connection refused")

    with pytest.raises(BackendError):
        once("key", fails, Deadline(1), "Tempo")

    assert once("key", lambda deadline: ANSWER, Deadline(1), "Tempo") == (ANSWER, True)


def test_once_waits_for_another_no_longer_than_its_own_deadline() -> None:
    release, under_way = threading.Event(), threading.Event()

    def ask(deadline: Deadline) -> Reply:
        under_way.set()
        release.wait(10)
        return ANSWER

    with ThreadPoolExecutor(1) as pool:
        pool.submit(once, "key", ask, Deadline(10), "Loki")
        under_way.wait(10)

        with pytest.raises(BackendError, match=r"Loki: did not answer within 0\.05 s"):
            once("key", ask, Deadline(0.05), "Loki")
        release.set()


def test_once_forgets_the_oldest_answers_when_they_weigh_too_much() -> None:
    count = shared_answers.MOST_BYTES // 1000 * 2 // 3
    spans = Reply(changes=(None,) * count)  # type: ignore[arg-type]  # only counted
    for key in ("old", "new"):
        once(key, lambda deadline: spans, Deadline(1), "Tempo")

    again = {
        key: once(key, lambda deadline: ANSWER, Deadline(1), "Tempo") for key in ("new", "old")
    }

    assert again == {"new": (spans, False), "old": (ANSWER, True)}
