from __future__ import annotations

import jwt
import pytest
from django.conf import settings
from rest_framework.test import APIClient

from accounts.models import ApiToken
from tests.accounts.conftest import MakeUser, bearer, login

pytestmark = pytest.mark.django_db

RUBBISH = [
    "Bearer",
    "Bearer ",
    "Bearer a b",
    "Bearer x",
    "Bearer ..",
    "Bearer a.b.c",
    "Bearer rst_",
    "Bearer rst_" + "x" * 5000,
    "Bearer " + "A" * 9000,
    "bearer \xff\xfe",
    "Basic YTpi",
    "Bearer " + jwt.encode({"user_id": "1", "exp": 2**33}, None, algorithm="none"),
    "Bearer " + jwt.encode({"user_id": "1", "exp": 2**33}, "k" * 48),
]


@pytest.mark.parametrize("header", RUBBISH)
def test_rubbish_is_401_with_a_challenge(api: APIClient, header: str) -> None:
    answer = api.get("/api/auth/me", HTTP_AUTHORIZATION=header)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer.json()["status"] == 401


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"family": None},
        {"family": "no uuid", "user_id": 7},
        {"family": "00000000-0000-0000-0000-000000000001", "user_id": "x"},
        {"exp": "soon"},
        {"exp": 10**30},
    ],
)
def test_signed_tokens_with_odd_claims_are_401(api: APIClient, claims: dict[str, object]) -> None:
    whole = {"token_type": "access", "jti": "a", "exp": 2**32, **claims}
    token = jwt.encode(whole, settings.SECRET_KEY)

    assert api.get("/api/auth/me", **bearer(token)).status_code == 401


def test_refresh_token_is_no_access_token(api: APIClient, make_user: MakeUser) -> None:
    pair = login(api, make_user())

    assert api.get("/api/auth/me", **bearer(pair["refresh_token"])).status_code == 401


def test_new_password_ends_access_tokens(api: APIClient, make_user: MakeUser) -> None:
    user = make_user()
    pair = login(api, user)
    user.set_password("another horse battery")
    user.save()

    assert api.get("/api/auth/me", **bearer(pair["access_token"])).status_code == 401


def test_api_token_acts_for_its_owner_and_notes_its_use(
    api: APIClient, make_user: MakeUser
) -> None:
    owner = make_user()
    token, plain = ApiToken.issue(name="ci", scopes=["read"], owner=owner)

    answer = api.get("/api/auth/me", **bearer(plain))

    token.refresh_from_db()
    assert (answer.status_code, answer.json()["id"]) == (200, str(owner.pk))
    assert token.last_used_at is not None


def test_session_posts_need_the_csrf_token(make_user: MakeUser) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(make_user())

    answer = client.post("/api/tokens", {"name": "x", "scopes": ["read"]}, format="json")

    assert (answer.status_code, answer.json()["type"]) == (403, "permission-denied")
