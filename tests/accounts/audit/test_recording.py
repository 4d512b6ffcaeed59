from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import transaction
from django.test import Client, RequestFactory

from accounts import audit, origin
from accounts.audit.recording import LONGEST_VALUE, plain
from accounts.models import ApiToken, AuditDraft, AuditEntry, Scope, User

Entries = Callable[..., list[AuditEntry]]


def test_record_says_who_what_and_from_where(acting: User, entries: Entries) -> None:
    audit.record("user.greeted", acting, {"mood": "low"}, {"mood": "high"}, reason="spring")

    (entry,) = entries()

    assert {**entry.entry(), "id": None, "at": None} == {
        "id": None,
        "seq": 1,
        "at": None,
        "action": "user.greeted",
        "actor_kind": "person",
        "actor": acting.pk,
        "actor_name": "ada",
        "token": None,
        "address": "192.0.2.7",
        "request_id": "req-1",
        "via": "POST /api/services",
        "target_type": "user",
        "target_id": str(acting.pk),
        "target_name": "ada",
        "reason": "spring",
        "before": {"mood": "low"},
        "after": {"mood": "high"},
    }


def test_record_names_the_token_and_its_owner(person: User, entries: Entries) -> None:
    token, _plain = ApiToken.issue(name="deployer", scopes=[Scope.WRITE], owner=person)
    request = RequestFactory().post("/api/services")
    request.user, request.auth = person, token  # type: ignore[attr-defined]

    with origin.acting(origin.Origin("r", "192.0.2.7", request=request)):
        audit.record("thing.done")

    (entry,) = entries()
    assert (entry.actor_kind, entry.actor, entry.actor_name, entry.token) == (
        "token",
        person,
        "ada (token deployer)",
        token,
    )


@pytest.mark.django_db
def test_record_names_the_command_and_who_runs_it(entries: Entries) -> None:
    with origin.command(["create_user", "bob"]):
        audit.record("thing.done")

    (entry,) = entries()
    assert (entry.actor_kind, entry.address, entry.via) == (
        "command",
        "local",
        "manage.py create_user bob",
    )
    assert entry.actor_name.endswith(" on the command line")


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", [["migrate"], ["studio", "--demo"], [], ["--version"]])
def test_unattended_commands_are_machine_work(arguments: list[str]) -> None:
    with origin.command(arguments):
        audit.record("thing.done")

    assert AuditDraft.objects.count() == 0


@pytest.mark.django_db
def test_machine_work_leaves_no_entry(entries: Entries) -> None:
    audit.record("thing.done")

    assert entries() == []


def test_entry_falls_with_its_transaction(acting: User, entries: Entries) -> None:
    with transaction.atomic():
        audit.record("thing.kept")
        with transaction.atomic():
            audit.record("thing.undone")
            transaction.set_rollback(True)

    assert [entry.action for entry in entries()] == ["thing.kept"]


@pytest.mark.django_db(transaction=True)
def test_entry_is_chained_when_its_transaction_commits(acting: User) -> None:
    with transaction.atomic():
        audit.record("thing.one")
        with transaction.atomic():
            audit.record("thing.two")
        during = AuditEntry.objects.count()
    audit.record("thing.three")

    assert during == 0
    assert [e.action for e in AuditEntry.objects.order_by("seq")] == [
        "thing.one",
        "thing.two",
        "thing.three",
    ]
    assert AuditDraft.objects.count() == 0


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000000Z"),
        (Decimal("1.50"), "1.50"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        ({"b", "a"}, ["a", "b"]),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        ({1: (True, None)}, {"1": [True, None]}),
        ("x" * (LONGEST_VALUE + 2), "x" * LONGEST_VALUE + "… and 2 letters more"),
    ],
)
def test_plain_finds_words_for_every_value(value: object, said: object) -> None:
    assert plain(value) == said


@pytest.mark.django_db
def test_failed_login_names_the_account_and_nothing_that_was_typed(
    client: Client, person: User, entries: Entries
) -> None:
    for name in ("ADA", "my secret password"):
        client.post("/login", {"identifier": name, "password": "wrong"})

    known, unknown = entries()
    assert (known.action, known.actor_kind, known.target_name) == ("login.failed", "nobody", "ada")
    assert (unknown.target_name, unknown.before, unknown.after) == ("", None, None)


def test_request_id_of_the_answer_is_the_entrys(
    client: Client, person: User, entries: Entries
) -> None:
    client.force_login(person)

    answer = client.post(
        "/profile/time-zone", {"time_zone": "Asia/Tokyo"}, headers={"X-Request-ID": "abc-1"}
    )

    (entry,) = entries()
    assert answer.headers["X-Request-ID"] == entry.request_id == "abc-1"
    assert (entry.action, entry.before, entry.after) == (
        "user.changed",
        {"time_zone": "UTC"},
        {"time_zone": "Asia/Tokyo"},
    )
