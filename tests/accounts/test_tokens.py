from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts import tokens
from accounts.models import RefreshFamily, Role
from accounts.tasks import prune_logins
from tests.accounts.conftest import MakeUser


def age_claims(seconds: float) -> None:
    BlacklistedToken.objects.update(blacklisted_at=timezone.now() - timedelta(seconds=seconds))


def test_issue_writes_the_claims(make_user: MakeUser) -> None:
    user = make_user(Role.RESPONDER)

    pair = tokens.issue(user)

    access = AccessToken(pair.access_token)  # type: ignore[arg-type]
    assert sorted(access.payload) == [
        "email", "exp", "family", "iat", "jti", "roles", "token_type", "user_id", "username",
    ]  # fmt: skip
    assert access["user_id"] == str(user.pk)
    assert access["roles"] == ["viewer", "responder"]
    assert access["token_type"] == "access"
    assert access["exp"] - access["iat"] == pair.expires_in == 900
    refresh = tokens.RefreshJwt(pair.refresh_token)  # type: ignore[arg-type]
    assert refresh["exp"] - refresh["iat"] == 7 * 86400
    assert [t.token for t in OutstandingToken.objects.all()] == [""]


def test_rotate_rebuilds_claims_from_the_user(make_user: MakeUser) -> None:
    user = make_user(Role.ADMIN)
    pair = tokens.issue(user)
    user.role = Role.VIEWER
    user.save()

    rotated = tokens.rotate(pair.refresh_token)

    assert AccessToken(rotated.access_token)["roles"] == ["viewer"]  # type: ignore[arg-type]


def test_rotate_within_the_grace_is_superseded_and_revokes_nothing(make_user: MakeUser) -> None:
    pair = tokens.issue(make_user())
    winner = tokens.rotate(pair.refresh_token)

    with pytest.raises(tokens.RefreshSupersededError):
        tokens.rotate(pair.refresh_token)

    assert RefreshFamily.objects.get().revoked_at is None
    assert tokens.rotate(winner.refresh_token).token_type == "Bearer"


def test_rotate_after_the_grace_revokes_the_family(make_user: MakeUser) -> None:
    pair = tokens.issue(make_user())
    winner = tokens.rotate(pair.refresh_token)
    age_claims(11)

    with pytest.raises(tokens.RefreshRefusedError, match="twice"):
        tokens.rotate(pair.refresh_token)

    assert RefreshFamily.objects.get().reason == "reuse"
    with pytest.raises(tokens.RefreshRefusedError, match="revoked"):
        tokens.rotate(winner.refresh_token)


def test_reuse_leaves_other_logins_alone(make_user: MakeUser) -> None:
    user = make_user()
    phone, laptop = tokens.issue(user), tokens.issue(user)
    tokens.rotate(phone.refresh_token)
    age_claims(11)

    with pytest.raises(tokens.RefreshRefusedError):
        tokens.rotate(phone.refresh_token)

    assert tokens.rotate(laptop.refresh_token).expires_in == 900


@pytest.mark.parametrize("end", ["inactive", "deleted", "new password", "logout"])
def test_rotate_refuses_when_the_login_has_ended(make_user: MakeUser, end: str) -> None:
    user = make_user()
    pair = tokens.issue(user)
    if end == "inactive":
        user.is_active = False
        user.save()
    elif end == "deleted":
        user.delete()
    elif end == "new password":
        user.set_password("another horse battery")
        user.save()
    else:
        tokens.revoke(pair.refresh_token)

    with pytest.raises(tokens.RefreshRefusedError, match="revoked"):
        tokens.rotate(pair.refresh_token)


def test_rotate_refuses_what_is_no_refresh_token_of_ours(make_user: MakeUser) -> None:
    user = make_user()
    foreign = [
        "",
        "x.y.z",
        tokens.issue(user).access_token,
        str(RefreshToken.for_user(user)),  # signed by us, of no family
    ]

    for raw in foreign:
        with pytest.raises(tokens.RefreshRefusedError):
            tokens.rotate(raw)


@pytest.mark.django_db(transaction=True)
def test_concurrent_refreshes_have_one_winner(make_user: MakeUser) -> None:
    pair = tokens.issue(make_user())
    results: list[str] = []
    start = threading.Barrier(8)

    def refresh() -> None:
        start.wait()
        try:
            tokens.rotate(pair.refresh_token)
            results.append("won")
        except Exception as error:
            results.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=refresh) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(results) == {"won": 1, "RefreshSupersededError": 7}
    assert RefreshFamily.objects.get().revoked_at is None
    assert OutstandingToken.objects.count() == 2


def test_prune_deletes_only_expired_logins(make_user: MakeUser) -> None:
    user = make_user()
    tokens.issue(user)
    past = timezone.now() - timedelta(seconds=1)
    OutstandingToken.objects.update(expires_at=past)
    RefreshFamily.objects.update(expires_at=past)
    live = tokens.issue(user)

    assert prune_logins() == 1

    assert OutstandingToken.objects.count() == 1
    assert tokens.rotate(live.refresh_token).expires_in == 900
