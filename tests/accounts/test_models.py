from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from accounts.models import ApiToken, Role, User
from tests.accounts.conftest import MakeUser


@pytest.mark.parametrize(
    ("role", "superuser", "roles"),
    [
        (Role.VIEWER, False, ["viewer"]),
        (Role.RESPONDER, False, ["viewer", "responder"]),
        (Role.ADMIN, False, ["viewer", "responder", "admin"]),
        (Role.VIEWER, True, ["viewer", "responder", "admin"]),
    ],
)
def test_roles_include_the_lower_ones(role: Role, superuser: bool, roles: list[str]) -> None:
    assert User(role=role, is_superuser=superuser).roles == roles


def test_has_role_is_false_for_an_inactive_user() -> None:
    assert User(role=Role.ADMIN, is_active=False).has_role(Role.VIEWER) is False


@pytest.mark.parametrize(
    "fields",
    [
        {"username": "ANN", "email": "other@studio.example"},
        {"username": "bob", "email": "Ann@Studio.example"},
        {"username": "bob", "email": "bob@studio.example", "role": "owner"},
    ],
)
def test_user_database_refuses_twins_and_unknown_roles(
    make_user: MakeUser, fields: dict[str, str]
) -> None:
    make_user(username="ann", email="ann@studio.example")

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(**fields)


@pytest.mark.parametrize(
    ("field", "value"), [("username", "ann@studio.example"), ("time_zone", "Mars/Base")]
)
def test_user_validation_names_the_field(field: str, value: str) -> None:
    user = User(username="ann", email="ann@studio.example", password="x")
    setattr(user, field, value)

    with pytest.raises(ValidationError) as caught:
        user.full_clean(validate_unique=False, validate_constraints=False)

    assert list(caught.value.message_dict) == [field]


def test_api_token_keeps_only_the_hash(make_user: MakeUser) -> None:
    token, plain = ApiToken.issue(name="ci", scopes=["write", "read"], owner=make_user())

    stored = ApiToken.objects.get(pk=token.pk)
    assert plain.startswith("rst_")
    assert len(plain) == 4 + 43
    assert stored.token_hash == hashlib.sha256(plain.encode()).hexdigest()
    assert stored.prefix == plain[:10]
    assert stored.scopes == ["read", "write"]
    assert ApiToken.objects.find(plain) == stored


@pytest.mark.parametrize(
    ("scopes", "owned", "field"),
    [([], True, "scopes"), (["root"], True, "scopes"), (["read"], False, "owner")],
)
def test_api_token_issue_refuses(
    make_user: MakeUser, scopes: list[str], owned: bool, field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        ApiToken.issue(name="x", scopes=scopes, owner=make_user() if owned else None)

    assert list(caught.value.message_dict) == [field]


@pytest.mark.parametrize("end", ["revoked", "expired", "inactive owner"])
def test_api_token_that_ended_is_not_found(make_user: MakeUser, end: str) -> None:
    owner = make_user()
    token, plain = ApiToken.issue(name="ci", scopes=["read"], owner=owner)

    if end == "revoked":
        assert (token.revoke(), token.revoke()) == (True, False)
    elif end == "expired":
        ApiToken.objects.update(expires_at=timezone.now())
    else:
        User.objects.update(is_active=False)

    assert ApiToken.objects.find(plain) is None


@pytest.mark.parametrize(("age_seconds", "written"), [(None, True), (30, False), (61, True)])
def test_api_token_use_is_noted_once_a_minute(
    make_user: MakeUser, age_seconds: int | None, written: bool
) -> None:
    token, _ = ApiToken.issue(name="ci", scopes=["read"], owner=make_user())
    before = None if age_seconds is None else timezone.now() - timedelta(seconds=age_seconds)
    ApiToken.objects.update(last_used_at=before)
    token.refresh_from_db()

    token.note_use()

    token.refresh_from_db()
    assert (token.last_used_at != before) is written


def test_user_with_tokens_cannot_be_deleted(make_user: MakeUser) -> None:
    owner = make_user()
    ApiToken.issue(name="ci", scopes=["read"], owner=owner)

    with pytest.raises(ProtectedError):
        owner.delete()


@pytest.mark.parametrize(
    ("held", "scope", "allowed"),
    [
        ("admin", "read", True),
        ("write", "read", True),
        ("read", "write", False),
        ("write", "admin", False),
        ("admin", "intake", False),
        ("intake", "read", False),
        ("intake", "intake", True),
    ],
)
def test_api_token_scopes_include_lower_ones(held: str, scope: str, allowed: bool) -> None:
    assert ApiToken(scopes=[held]).allows(scope) is allowed
