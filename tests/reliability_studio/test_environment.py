from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.checks import run_checks

from reliability_studio import environment as env


@pytest.fixture
def problems() -> Iterator[list[env.Problem]]:
    """What the test adds to the list of problems; taken out again afterwards."""
    before = list(env.PROBLEMS)
    env.PROBLEMS.clear()
    yield env.PROBLEMS
    env.PROBLEMS[:] = before


@pytest.mark.parametrize(
    ("raw", "read", "value"),
    [
        (" on ", lambda: env.boolean("X"), True),
        ("0", lambda: env.boolean("X", True), False),
        ("", lambda: env.boolean("X", True), False),
        ("7", lambda: env.integer("X", 1, high=9), 7),
        ("2.5", lambda: env.seconds("X", 1.0), 2.5),
        ("", lambda: env.seconds("X", 1.0), 1.0),
        ("a, ,b", lambda: env.listing("X"), ["a", "b"]),
        ("https://p.example/prom/", lambda: env.url("X"), "https://p.example/prom"),
        ("unix:///run/redis.sock", lambda: env.url("X", ("unix",)), "unix:///run/redis.sock"),
    ],
)
def test_environment_reads_good_values(
    monkeypatch: pytest.MonkeyPatch,
    problems: list[env.Problem],
    raw: str,
    read: Callable[[], Any],
    value: object,
) -> None:
    monkeypatch.setenv("X", raw)

    assert read() == value
    assert problems == []


@pytest.mark.parametrize(
    ("raw", "read", "fallback", "problem"),
    [
        ("maybe", lambda: env.boolean("X", True), True, "studio.E001"),
        ("many", lambda: env.integer("X", 3), 3, "studio.E002"),
        ("70000", lambda: env.integer("X", 80, high=65535), 80, "studio.E003"),
        ("nan", lambda: env.seconds("X", 1.0), 1.0, "studio.E003"),
        ("prometheus:9090", lambda: env.url("X"), "", "studio.E004"),
        ("http://[::1", lambda: env.url("X"), "", "studio.E004"),
        ("http://host:port", lambda: env.url("X"), "", "studio.E004"),
    ],
)
def test_environment_reports_bad_values_and_falls_back(
    monkeypatch: pytest.MonkeyPatch,
    problems: list[env.Problem],
    raw: str,
    read: Callable[[], Any],
    fallback: object,
    problem: str,
) -> None:
    monkeypatch.setenv("X", raw)

    assert read() == fallback
    assert [(found.id, found.variable) for found in problems] == [(problem, "X")]


def test_environment_problem_is_a_system_check_error(problems: list[env.Problem]) -> None:
    env.report("studio.E999", "X", "X is wrong.", "Make it right.")

    found = [check for check in run_checks() if check.id == "studio.E999"]

    assert [(check.msg, check.hint, check.obj) for check in found] == [
        ("X is wrong.", "Make it right.", "X")
    ]
