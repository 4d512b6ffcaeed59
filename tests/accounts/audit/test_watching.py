from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db.models import F, Value
from django.db.models.functions import Concat

from accounts import audit
from accounts.models import ApiToken, AuditEntry, Role, Scope, User

Entries = Callable[..., list[AuditEntry]]


def test_watched_model_tells_what_was_made_changed_and_deleted(
    acting: User, entries: Entries
) -> None:
    bob = User.objects.create(username="bob", email="bob@example.com", password="hash")
    bob.role = Role.RESPONDER
    bob.save()
    key = str(bob.pk)
    bob.delete()

    made, changed, deleted = entries()
    assert (made.action, made.before, made.after["username"]) == ("user.created", None, "bob")
    assert (changed.action, changed.before, changed.after) == (
        "user.changed",
        {"role": "viewer"},
        {"role": "responder"},
    )
    assert (deleted.action, deleted.target_id, deleted.before["role"], deleted.after) == (
        "user.deleted",
        key,
        "responder",
        None,
    )


def test_secrets_are_named_and_never_shown(acting: User, entries: Entries) -> None:
    bob = User.objects.create(username="bob", email="bob@example.com", password="hash-one")
    bob.password = "hash-two"
    bob.save(update_fields=["password"])
    ApiToken.issue(name="t", scopes=[Scope.READ], owner=bob)

    made, changed, token = entries()
    assert made.after["password"] == "(not shown)"
    assert (changed.before, changed.after) == (
        {"password": "(not shown)"},
        {"password": "(changed, not shown)"},
    )
    assert token.after["token_hash"] == "(not shown)"


def test_save_that_changes_nothing_worth_telling_leaves_no_entry(
    acting: User, entries: Entries
) -> None:
    acting.last_login = acting.date_joined
    acting.save()
    acting.time_zone = "Asia/Tokyo"
    acting.save(update_fields=["last_login"])

    assert entries() == []


def test_changed_expression_is_told_as_what_it_came_to(acting: User, entries: Entries) -> None:
    acting.first_name = Concat(F("username"), Value("!"))
    acting.save(update_fields=["first_name"])

    (entry,) = entries()
    assert entry.after == {"first_name": "ada!"}


def test_deferred_fields_are_not_taken_for_changes(acting: User, entries: Entries) -> None:
    part = User.objects.only("id", "time_zone").get(pk=acting.pk)
    part.time_zone = "Asia/Tokyo"
    part.save()

    (entry,) = entries()
    assert entry.after == {"time_zone": "Asia/Tokyo"}


def test_groups_of_a_person_are_told(acting: User, entries: Entries) -> None:
    group = Group.objects.create(name="night shift")
    acting.groups.add(group)
    acting.groups.remove(group)

    assert [(e.action, e.before, e.after) for e in entries()] == [
        ("user.linked", None, {"group": ["night shift"]}),
        ("user.unlinked", {"group": ["night shift"]}, None),
    ]


def test_watch_refuses_fields_that_are_not_there() -> None:
    with pytest.raises(ValueError, match="no fields \\['pasword'\\]"):
        audit.watch(User, secret={"pasword"})
