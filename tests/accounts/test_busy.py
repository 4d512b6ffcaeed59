"""Others in the way are a 503 that asks to try again; anything else that broke stays a 500."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import psycopg_pool
import pytest
from django.db import OperationalError, connection
from django.test import Client

from accounts.busy import is_busy
from accounts.models import Role, User
from reliability_studio.fair_sqlite.base import turns_of


def caused(error: OperationalError, cause: BaseException) -> OperationalError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "busy"),
    [
        (OperationalError("database is locked"), True),
        (caused(OperationalError(""), psycopg.errors.DeadlockDetected()), True),
        (caused(OperationalError(""), psycopg.errors.LockNotAvailable()), True),
        (caused(OperationalError(""), psycopg_pool.PoolTimeout()), True),
        (caused(OperationalError("disk is full"), psycopg.errors.DiskFull()), False),
        (OperationalError("no such table: users"), False),
        (ValueError("database is locked"), False),
        (None, False),
    ],
)
def test_busy_is_what_another_try_may_help(error: BaseException | None, busy: bool) -> None:
    assert is_busy(error) == busy


@pytest.fixture
def crowd(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A signed-in person whose turn to write does not come."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's writers need no turns")
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create(username="sam", role=Role.ADMIN, password="!"))
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.01)
    turns = turns_of(str(connection.settings_dict["NAME"]))
    assert turns.take(0.0)
    yield client
    turns.give()


def test_api_says_when_to_try_again(crowd: Client) -> None:
    answer = crowd.post("/api/services", {"slug": "cart", "name": "Cart"}, "application/json")

    assert (answer.status_code, answer.json()["type"]) == (503, "busy")
    assert (answer["Content-Type"], answer["Retry-After"]) == ("application/problem+json", "2")


def test_page_says_so_and_its_forms_show_it(crowd: Client) -> None:
    typed = {"time_zone": "Europe/Berlin"}

    page = crowd.post("/profile/time-zone", typed)
    part = crowd.post("/profile/time-zone", typed, headers={"HX-Request": "true"})

    assert (page.status_code, page["Retry-After"]) == (503, "2")
    assert "<h1>Too many write at once</h1>" in page.content.decode()
    assert (part.status_code, part.json()["type"]) == (503, "busy")
