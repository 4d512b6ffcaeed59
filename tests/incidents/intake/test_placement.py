"""Rules and keys, by tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from incidents.intake.placement import (
    KEY_LENGTH,
    Rule,
    Subject,
    place,
    retired_key,
    service_key,
    taken,
)

ID = UUID("00000000-0000-0000-0000-000000000001")
START = datetime(2026, 11, 22, 3, tzinfo=UTC)


def rule(name: str = "pods", **columns: Any) -> Rule:
    columns.setdefault("id", ID)
    return Rule(
        name=name, resolve_delay=timedelta(seconds=120), reopen_window=timedelta(0), **columns
    )


DEFAULT = rule("default", id=None)


def subject(**given: Any) -> Subject:
    columns = {
        "labels": {"alertname": "HighErrorRate", "service": "checkout", "pod": "p1"},
        "name": "HighErrorRate",
        "source": "alertmanager",
        "environment": "production",
        "service": "checkout",
    }
    return Subject(**{**columns, **given})


@pytest.mark.parametrize(
    ("columns", "hit"),
    [
        ({}, True),
        ({"matchers": ("pod=p1",)}, True),
        ({"matchers": ("pod=p1", "team=payments")}, False),
        ({"matchers": ('alertname=~"High.*"', "team!=payments")}, True),
        ({"sources": frozenset({"alertmanager"})}, True),
        ({"sources": frozenset({"grafana"})}, False),
        ({"environment": "production"}, True),
        ({"environment": "staging"}, False),
    ],
)
def test_a_rule_fits_by_labels_source_and_environment(columns: dict[str, Any], hit: bool) -> None:
    placed = place(subject(), [rule(**columns), DEFAULT])

    assert placed.rule.name == ("pods" if hit else "default")


@pytest.mark.parametrize(
    ("group_by", "key"),
    [
        (("pod",), f"rule:{ID}:production:pod=p1"),
        (("@service", "pod"), f"rule:{ID}:production:%40service=checkout&pod=p1"),
        (("pod", "@service"), f"rule:{ID}:production:%40service=checkout&pod=p1"),
        (("zone",), f"rule:{ID}:production:zone="),
        ((), f"rule:{ID}:production:"),
    ],
)
def test_a_key_names_rule_environment_and_values(group_by: tuple[str, ...], key: str) -> None:
    assert place(subject(), [rule(group_by=group_by)]).key == key


def test_values_cannot_imitate_another_label() -> None:
    by = rule(group_by=("a", "b"))

    one = place(subject(labels={"a": "1&b=2", "b": ""}), [by])
    other = place(subject(labels={"a": "1", "b": "2"}), [by])

    assert one.key != other.key


def test_default_rule_goes_by_service_else_by_the_alerts_name() -> None:
    named = place(subject(), [DEFAULT])
    nameless = place(subject(service=None), [DEFAULT])

    assert named.key == service_key("production", "checkout") == "service:production:checkout"
    assert nameless.key == "alert:production:HighErrorRate"


def test_a_key_that_is_too_long_is_a_digest() -> None:
    by = rule(group_by=("pod",))

    keys = {place(subject(labels={"pod": letter * 500}), [by]).key for letter in "ab"}

    assert len(keys) == 2
    assert all(len(key) <= KEY_LENGTH for key in keys)
    assert len(retired_key(max(keys), 999_999_999)) <= 300


def test_a_key_is_retired_once_however_often_it_is() -> None:
    once = retired_key("service:production:checkout", 12)

    assert once == "service:production:checkout#INC-12"
    assert retired_key(once, 12) == once


@pytest.mark.parametrize(
    ("window", "began", "last", "firings", "count"),
    [
        ("open", 0, 0, [9999], 1),
        ("rolling", 0, 0, [60, 120, 180], 3),
        ("rolling", 0, 0, [60, 121], 1),
        ("rolling", 0, 50, [110], 1),
        ("rolling", 0, 50, [111], 0),
        ("rolling", 0, 50, [-500, 110], 2),
        ("fixed", 0, 50, [60], 1),
        ("fixed", 0, 50, [61], 0),
        ("fixed", 0, 0, [10, 60, 70, 20], 2),
    ],
)
def test_a_window_takes_newcomers(
    window: str, began: int, last: int, firings: list[int], count: int
) -> None:
    by = rule(window=window, window_length=timedelta(seconds=60))

    def at(seconds: int) -> datetime:
        return START + timedelta(seconds=seconds)

    assert taken(by, at(began), at(last), [at(s) for s in firings]) == count
