"""Similarity has parts one can check by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from incidents.merges.similarity import (
    HORIZON,
    Cause,
    Described,
    Labels,
    cause_similarity,
    compare,
    compare_causes,
    groups,
    labels_similarity,
    time_similarity,
    title_similarity,
)

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
CART = Described(title="Cart fails", services=frozenset({"cart"}), started_at=NOW)
POOL = Cause("payment", "pool", 0.81)


def labels(**pairs: str) -> Labels:
    return frozenset(pairs.items())


@pytest.mark.parametrize(
    ("one", "other", "similarity"),
    [
        ("Checkout fails", "checkout FAILS!", 1.0),
        ("Cart error rate is high", "Cart error rate high", 8 / 9),
        ("high error rate", "error rate high", 1.0),
        ("node 17 is down", "node 18 is down", 0.75),
        ("Disk full", "Checkout fails", 0.0),
        ("", "Checkout fails", 0.0),
        ("!!", "!!", 0.0),
        ("Оплата не проходит", "оплата не проходит", 1.0),
        ("支払いが失敗", "支払いが失敗", 1.0),
        ("Café is down", "Caf is down", 2 / 3),
    ],
)
def test_title_similarity_is_of_words(one: str, other: str, similarity: float) -> None:
    assert title_similarity(one, other) == pytest.approx(similarity)
    assert title_similarity(other, one) == pytest.approx(similarity)


@pytest.mark.parametrize(
    ("changes", "score", "parts"),
    [
        ({}, 1.0, {"service": 1.0, "title": 1.0, "time": 1.0}),
        (
            {"started_at": NOW + HORIZON / 2},
            0.9,
            {"service": 1.0, "title": 1.0, "time": 0.5},
        ),
        ({"title": "Disk full"}, 0.6, {"service": 1.0, "title": 0.0, "time": 1.0}),
        (
            {"services": frozenset({"cart", "redis"})},
            0.8,
            {"service": 0.5, "title": 1.0, "time": 1.0},
        ),
        ({"services": frozenset()}, 1.0, {"title": 1.0, "time": 1.0}),
    ],
)
def test_parts_that_one_lacks_leave_the_mean(
    changes: dict[str, Any], score: float, parts: dict[str, float]
) -> None:
    found = compare(CART, replace(CART, **changes))

    assert (found.score, found.parts) == (score, parts)
    assert compare(replace(CART, **changes), CART) == found


def test_all_parts_are_weighed_as_stated() -> None:
    one = replace(CART, labels=(labels(alertname="Errors", zone="a"),), cause=POOL)
    other = replace(
        CART,
        title="Disk full",
        labels=(labels(alertname="Errors", zone="b"),),
        cause=replace(POOL, confidence=0.49),
    )

    found = compare(one, other)

    assert found.parts == {
        "service": 1.0, "title": 0.0, "labels": 0.3333, "cause": 0.63, "time": 1.0,
    }  # fmt: skip
    assert found.score == round((2 * 1 + 2 * 0 + 1 / 3 + 3 * 0.63 + 1) / 9, 4)


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ([], [labels(a="1")], None),
        ([labels()], [labels(a="1")], None),
        ([labels(a="1")], [labels(a="1")], 1.0),
        ([labels(a="1", b="2")], [labels(a="1", b="3")], 1 / 3),
        ([labels(a="9"), labels(a="1", b="2")], [labels(a="1", b="2")], 1.0),
    ],
)
def test_labels_are_those_of_the_alerts_most_alike(
    one: list[Labels], other: list[Labels], share: float | None
) -> None:
    assert labels_similarity(one, other) == share
    assert labels_similarity(other, one) == share


@pytest.mark.parametrize(
    ("one", "other", "similarity"),
    [
        (POOL, replace(POOL, confidence=0.25), 0.45),
        (POOL, replace(POOL, kind="crash"), 0.405),
        (POOL, replace(POOL, service="cart"), 0.0),
        (replace(POOL, kind=""), replace(POOL, kind=""), 0.405),
        (POOL, None, None),
        (None, None, None),
    ],
)
def test_causes_are_as_alike_as_both_are_sure(
    one: Cause | None, other: Cause | None, similarity: float | None
) -> None:
    found = cause_similarity(replace(CART, cause=one), replace(CART, cause=other))

    assert found == (similarity if similarity is None else pytest.approx(similarity))


def test_causes_that_people_wrote_are_compared_where_nothing_was_analysed() -> None:
    one = replace(CART, root_cause="The pool was too small")

    assert cause_similarity(one, replace(CART, root_cause="the pool was too small!")) == 1.0
    assert cause_similarity(one, CART) is None


@pytest.mark.parametrize(("apart", "similarity"), [(0, 1.0), (0.25, 0.75), (1, 0.0), (3, 0.0)])
def test_time_similarity_falls_to_nothing_at_the_horizon(apart: float, similarity: float) -> None:
    assert time_similarity(NOW, NOW - apart * HORIZON) == similarity


def test_incidents_of_one_cause_need_no_service_in_common() -> None:
    one = replace(CART, cause=POOL)
    other = replace(
        CART, title="Checkout slow", services=frozenset({"checkout"}), cause=POOL,
        started_at=NOW + HORIZON / 10,
    )  # fmt: skip

    found = compare_causes(one, other)

    assert (found.score, found.parts) == (0.8325, {"cause": 0.81, "time": 0.9})


@pytest.mark.parametrize(
    ("scores", "apart", "expected"),
    [
        ({}, [], ["a", "b", "c"]),
        ({"ab": 0.9}, [], ["ab", "c"]),
        ({"ab": 0.7}, [], ["a", "b", "c"]),
        ({"ab": 0.8, "bc": 0.9, "ac": 0.1}, [], ["abc"]),
        ({"ab": 0.9, "bc": 0.8}, ["ac"], ["ab", "c"]),
        ({"ab": 0.8, "bc": 0.9}, ["ac"], ["a", "bc"]),
        ({"ab": 0.9}, ["ab"], ["a", "b", "c"]),
    ],
)
def test_groups_are_linked_by_the_surest_pairs_and_never_join_who_is_apart(
    scores: dict[str, float], apart: list[str], expected: list[str]
) -> None:
    found = groups(
        "abc",
        {(pair[0], pair[1]): score for pair, score in scores.items()},
        threshold=0.8,
        apart={frozenset(pair) for pair in apart},
    )

    assert ["".join(group) for group in found] == expected
