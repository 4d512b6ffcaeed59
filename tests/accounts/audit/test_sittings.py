"""What is saved while it is written makes one entry a sitting."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import RequestFactory
from django.utils import timezone

from accounts import audit, origin
from accounts.audit.chaining import chain_drafts
from accounts.audit.models import AuditDraft, AuditEntry
from accounts.audit.sittings import SITTING
from accounts.models import Role, User


def person(name: str) -> User:
    return User.objects.create_user(
        username=name, email=f"{name}@example.com", password=None, role=Role.RESPONDER
    )


def write(who: User, target: User, before: str, after: str, *, ago: timedelta) -> None:
    """As an autosave that long ago; `target` is any row."""
    request = RequestFactory().post("/")
    request.user = who
    with origin.acting(origin.Origin("r", "127.0.0.1", request=request)):
        audit.record_writing("text.changed", target, {"text": before}, {"text": after})
    AuditDraft.objects.update(at=timezone.now() - ago)
    chain_drafts()


def entries() -> list[tuple[str, str, str]]:
    rows = AuditEntry.objects.filter(action="text.changed").order_by("seq")
    return [(row.actor_name, row.before["text"], row.after["text"]) for row in rows]


@pytest.mark.django_db
def test_writing_on_is_one_entry_a_person_and_sitting() -> None:
    sam, kim = person("sam"), person("kim")

    write(sam, sam, "", "A", ago=SITTING * 3)
    write(sam, sam, "A", "Ab", ago=SITTING * 1.5)
    write(sam, sam, "Ab", "Abc", ago=SITTING * 0)
    write(kim, sam, "Abc", "Abcd", ago=SITTING * 0)
    write(kim, sam, "Abcd", "Abcde", ago=SITTING * 0)
    write(kim, kim, "", "of another", ago=SITTING * 0)

    assert entries() == [
        ("sam", "", "A"),
        ("sam", "A", "Ab"),
        ("sam", "Ab", "Abc"),
        ("kim", "Abc", "Abcd"),
        ("kim", "", "of another"),
    ]


@pytest.mark.django_db
def test_machines_writing_is_no_entry() -> None:
    sam = person("sam")

    audit.record_writing("text.changed", sam, {"text": ""}, {"text": "A"})

    assert entries() == []
