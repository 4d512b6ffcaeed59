"""Raw SQL, because the ORM is not who the chain is for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from accounts import audit
from accounts.audit.models import AuditAnchor
from accounts.audit.triggers import GUARD
from accounts.audit.verifying import verify
from accounts.checks import check_triggers
from accounts.models import AuditEntry, User

Entries = Callable[..., list[AuditEntry]]
TABLE = AuditEntry._meta.db_table


def execute(sql: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def tamper(sql: str, *values: object) -> None:
    """As somebody who owns the database could: past the triggers, which are put back."""
    if connection.vendor == "postgresql":
        execute("SET CONSTRAINTS ALL IMMEDIATE")  # or the table cannot be altered
    GUARD.lift(connection)
    execute(sql, *values)
    GUARD.install(connection)


@pytest.fixture
def five(acting: User, entries: Entries) -> list[AuditEntry]:
    for number in range(1, 6):
        audit.record("thing.done", acting, {"n": number - 1}, {"n": number})
    return entries()


@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.parametrize(
    ("column", "value"), [("action", "x"), ("after", "{}"), ("canonical", "{}"), ("digest", "00")]
)
def test_verify_names_the_entry_that_was_changed(
    five: list[AuditEntry], number: int, column: str, value: str
) -> None:
    tamper(f"UPDATE {TABLE} SET {column} = %s WHERE seq = %s", value, number)

    found = verify()

    assert found.fault is not None
    assert found.fault.seq == number


@pytest.mark.parametrize("number", [1, 3, 5])
def test_verify_names_the_entry_that_was_deleted(five: list[AuditEntry], number: int) -> None:
    tamper(f"DELETE FROM {TABLE} WHERE seq = %s", number)

    found = verify()

    assert found.fault is not None
    assert found.fault.seq == number


def test_verify_finds_a_tail_cut_off_together_with_its_anchor_digest(
    five: list[AuditEntry],
) -> None:
    AuditAnchor.objects.update(head=five[0].digest)

    found = verify()

    assert found.fault == (5, "it is not the row that the anchor ends at")


def test_verify_finds_the_untouched_audit_intact(five: list[AuditEntry]) -> None:
    found = verify()

    assert (found.ok, found.length, found.head, found.drafts) == (True, 5, five[-1].digest, 0)


@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE {TABLE} SET action = 'x'",
        f"DELETE FROM {TABLE}",
        "DELETE FROM accounts_auditanchor",
        "UPDATE accounts_auditanchor SET length = 1",
    ],
)
def test_database_refuses_to_change_the_audit(five: list[AuditEntry], sql: str) -> None:
    with pytest.raises(IntegrityError, match="audit: "), transaction.atomic():
        execute(sql)

    assert verify().ok


def test_database_refuses_an_entry_out_of_order(five: list[AuditEntry]) -> None:
    skipped = AuditEntry(**{f.attname: getattr(five[4], f.attname) for f in five[4]._meta.fields})
    skipped.id, skipped.seq = five[0].actor_id, 7

    with pytest.raises(IntegrityError, match="seq must follow"), transaction.atomic():
        skipped.save(force_insert=True)


def test_command_says_intact_and_names_what_is_not(
    five: list[AuditEntry], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify_audit")
    tamper(f"UPDATE {TABLE} SET reason = 'x' WHERE seq = 2")
    with pytest.raises(CommandError) as refused:
        call_command("verify_audit")

    assert capsys.readouterr().out == f"5 entries, intact, {five[-1].digest}\n"
    assert (refused.value.returncode, str(refused.value)) == (
        1,
        "entry 2: its reason differ from what was recorded",
    )


@pytest.mark.django_db
def test_check_names_the_triggers_that_are_missing() -> None:
    assert check_triggers(None, databases=["default"]) == []

    GUARD.lift(connection)
    try:
        (warning,) = check_triggers(None, databases=["default"])
    finally:
        GUARD.install(connection)

    assert (warning.id, "audit_entry_update" in warning.msg) == ("accounts.W001", True)
