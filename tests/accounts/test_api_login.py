from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.hashers import identify_hasher
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiToken, Role, User
from tests.accounts.conftest import PASSWORD, MakeUser, bearer, login

pytestmark = pytest.mark.django_db


def test_login_answers_a_pair_that_opens_the_api(api: APIClient, make_user: MakeUser) -> None:
    user = make_user(Role.RESPONDER)

    body = login(api, user)

    assert sorted(body) == ["access_token", "expires_in", "refresh_token", "token_type"]
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    me = api.get("/api/auth/me", **bearer(body["access_token"]))
    assert me.json() == {
        "id": str(user.pk),
        "username": user.username,
        "email": user.email,
        "role": "responder",
        "roles": ["viewer", "responder"],
        "time_zone": "UTC",
    }


@pytest.mark.parametrize("field", ["username", "email"])
def test_login_accepts_an_email_in_any_case(
    api: APIClient, make_user: MakeUser, field: str
) -> None:
    user = make_user()

    answer = api.post("/api/auth/login", {field: user.email.upper(), "password": PASSWORD})

    assert answer.status_code == 200


def test_login_says_the_same_of_wrong_unknown_and_inactive(
    api: APIClient, make_user: MakeUser
) -> None:
    known, inactive = make_user(), make_user(is_active=False)
    attempts = [
        {"username": known.username, "password": "wrong"},
        {"username": f"nobody{uuid4().hex}", "password": PASSWORD},
        {"username": inactive.username, "password": PASSWORD},
    ]

    answers = [api.post("/api/auth/login", body) for body in attempts]

    assert [a.status_code for a in answers] == [401, 401, 401]
    assert {a.content for a in answers} == {answers[0].content}
    assert answers[0].json() == {
        "type": "bad-credentials",
        "title": "Unauthorized",
        "status": 401,
        "detail": "No active account has this name and password.",
    }


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["password"]),
        ({"password": "x"}, ["username"]),
        ({"username": "a\x00b", "password": "x"}, ["username"]),
        ({"username": ["a"], "password": {"b": 1}}, ["password", "username"]),
    ],
)
def test_login_names_the_bad_field(api: APIClient, body: object, fields: list[str]) -> None:
    answer = api.post("/api/auth/login", body, format="json")

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert sorted(answer.json()["errors"]) == fields


def test_login_ignores_a_stale_bearer(api: APIClient, make_user: MakeUser) -> None:
    body = {"username": make_user().username, "password": PASSWORD}

    answer = api.post("/api/auth/login", body, **bearer("stale"))

    assert answer.status_code == 200


def test_login_locks_the_account_even_for_the_right_password(
    api: APIClient, make_user: MakeUser, settings: Settings
) -> None:
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 3
    user = make_user()
    wrong = {"username": user.username, "password": "wrong"}

    failures = [api.post("/api/auth/login", wrong).status_code for _ in range(3)]
    locked = api.post("/api/auth/login", {"email": user.email, "password": PASSWORD})
    elsewhere = APIClient(REMOTE_ADDR="203.0.113.77").post("/api/auth/login", wrong)

    assert failures == [401, 401, 401]
    assert (locked.status_code, locked.json()["type"]) == (429, "too-many-attempts")
    assert 0 < int(locked.headers["Retry-After"]) <= 900
    assert elsewhere.status_code == 429


def test_login_locks_an_unknown_account_alike(api: APIClient, settings: Settings) -> None:
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 2
    body = {"username": f"nobody{uuid4().hex}", "password": "x"}

    statuses = [api.post("/api/auth/login", body).status_code for _ in range(3)]

    assert statuses == [401, 401, 429]


def test_login_locks_the_address_for_every_account(
    api: APIClient, make_user: MakeUser, settings: Settings
) -> None:
    settings.LOGIN_ATTEMPTS_PER_ADDRESS = 2
    user = make_user()
    good = {"username": user.username, "password": PASSWORD}

    for _ in range(2):
        api.post("/api/auth/login", {"username": uuid4().hex, "password": "x"})
    here = api.post("/api/auth/login", good)
    elsewhere = APIClient(REMOTE_ADDR="203.0.113.78").post("/api/auth/login", good)

    assert (here.status_code, elsewhere.status_code) == (429, 200)


def test_login_success_forgives_the_account(
    api: APIClient, make_user: MakeUser, settings: Settings
) -> None:
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 2
    user = make_user()
    wrong = {"username": user.username, "password": "wrong"}

    api.post("/api/auth/login", wrong)
    login(api, user)
    again = [api.post("/api/auth/login", wrong).status_code for _ in range(2)]

    assert again == [401, 401]


def test_django_admin_has_no_sign_in_of_its_own(make_user: MakeUser, address: str) -> None:
    user = make_user(role=Role.ADMIN)
    client = Client(REMOTE_ADDR=address)

    answer = client.post("/admin/login/", {"username": user.username, "password": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, "/login?next=/admin/")
    assert "_auth_user_id" not in client.session


def test_refresh_rotates_and_a_late_reuse_is_refused(api: APIClient, make_user: MakeUser) -> None:
    first = login(api, make_user())

    second = api.post("/api/auth/refresh", {"refresh_token": first["refresh_token"]})
    again = api.post("/api/auth/refresh", {"refresh_token": first["refresh_token"]})

    assert second.status_code == 200
    assert second.json()["refresh_token"] != first["refresh_token"]
    assert (again.status_code, again.json()["type"]) == (409, "refresh-superseded")


@pytest.mark.parametrize("change", ["deactivate", "delete"])
def test_refresh_of_a_gone_user_is_401(api: APIClient, make_user: MakeUser, change: str) -> None:
    user = make_user()
    pair = login(api, user)
    if change == "deactivate":
        User.objects.update(is_active=False)
    else:
        user.delete()

    answer = api.post("/api/auth/refresh", {"refresh_token": pair["refresh_token"]})
    access = api.get("/api/auth/me", **bearer(pair["access_token"]))

    assert (answer.status_code, answer.json()["type"]) == (401, "refresh-refused")
    assert access.status_code == 401


@pytest.mark.parametrize("by", ["refresh token", "access token"])
def test_logout_ends_the_login_at_once(api: APIClient, make_user: MakeUser, by: str) -> None:
    pair = login(api, make_user())

    if by == "refresh token":
        answer = api.post("/api/auth/logout", {"refresh_token": pair["refresh_token"]})
    else:
        answer = api.post("/api/auth/logout", **bearer(pair["access_token"]))

    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get("/api/auth/me", **bearer(pair["access_token"])).status_code == 401
    refresh = api.post("/api/auth/refresh", {"refresh_token": pair["refresh_token"]})
    assert refresh.status_code == 401


def test_logout_without_a_login_is_refused(api: APIClient, make_user: MakeUser) -> None:
    _, plain = ApiToken.issue(name="ci", scopes=["admin"], owner=make_user())

    nothing = api.post("/api/auth/logout")
    rubbish = api.post("/api/auth/logout", {"refresh_token": "x"})
    token = api.post("/api/auth/logout", **bearer(plain))

    assert [a.status_code for a in (nothing, rubbish, token)] == [401, 401, 400]


def test_register_is_closed_by_default(api: APIClient) -> None:
    answer = api.post("/api/auth/register", {})

    assert (answer.status_code, answer.json()["type"]) == (403, "registration-closed")


def test_register_makes_a_viewer_with_an_argon2_hash(api: APIClient, settings: Settings) -> None:
    settings.REGISTRATION_OPEN = True
    body = {"username": "ann", "email": "ann@studio.example", "password": PASSWORD}

    answer = api.post("/api/auth/register", {**body, "role": "admin", "is_superuser": True})

    assert answer.status_code == 201
    assert (answer.json()["role"], answer.json()["username"]) == ("viewer", "ann")
    user = User.objects.get(username="ann")
    assert user.is_superuser is False
    assert identify_hasher(user.password).algorithm == "argon2"
    assert api.post("/api/auth/login", body).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "TAKEN"}, "username"),
        ({"username": "ann@studio.example"}, "username"),
        ({"email": "Taken@studio.example"}, "email"),
        ({"password": "12345678"}, "password"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
    ],
)
def test_register_names_the_bad_field(
    api: APIClient, make_user: MakeUser, settings: Settings, change: dict[str, str], field: str
) -> None:
    settings.REGISTRATION_OPEN = True
    make_user(username="taken")
    body = {"username": "ann", "email": "ann@studio.example", "password": PASSWORD}

    answer = api.post("/api/auth/register", {**body, **change})

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
