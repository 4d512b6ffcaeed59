from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import ApiToken, Role, User
from tests.accounts.conftest import PASSWORD, MakeUser

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(address: str) -> Client:
    return Client(REMOTE_ADDR=address)


def test_login_opens_a_session_and_follows_next(browser: Client, make_user: MakeUser) -> None:
    user = make_user()
    body = {"identifier": user.email, "password": PASSWORD, "next": "/incidents/INC-1?a=b"}

    response = browser.post("/login", body)

    assert (response.status_code, response.headers["Location"]) == (302, "/incidents/INC-1?a=b")
    assert browser.session["_auth_user_id"] == str(user.pk)


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:x", ""])
def test_login_never_leaves_the_site(browser: Client, make_user: MakeUser, wanted: str) -> None:
    body = {"identifier": make_user().username, "password": PASSWORD, "next": wanted}

    assert browser.post("/login", body).headers["Location"] == "/"


def test_login_page_keeps_next_and_skips_members(browser: Client, make_user: MakeUser) -> None:
    page = browser.get("/login?next=/profile").content.decode()
    browser.force_login(make_user())
    again = browser.get("/login?next=/profile")

    assert '<input type="hidden" name="next" value="/profile">' in page
    assert again.headers["Location"] == "/profile"


def test_login_says_what_is_wrong_without_saying_which(browser: Client) -> None:
    response = browser.post("/login", {"identifier": "nobody", "password": "x"})

    assert response.status_code == 200
    assert b"No active account has this name and password." in response.content


def test_login_page_locks(browser: Client, make_user: MakeUser, settings: Settings) -> None:
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 1
    user = make_user()
    browser.post("/login", {"identifier": user.username, "password": "wrong"})

    response = browser.post("/login", {"identifier": user.username, "password": PASSWORD})

    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 900
    assert "_auth_user_id" not in browser.session


def test_login_needs_the_csrf_token() -> None:
    assert Client(enforce_csrf_checks=True).post("/login", {}).status_code == 403


def test_logout_is_a_post(browser: Client, make_user: MakeUser) -> None:
    browser.force_login(make_user())

    got, posted = browser.get("/logout"), browser.post("/logout")

    assert (got.status_code, posted.headers["Location"]) == (405, "/login")
    assert "_auth_user_id" not in browser.session


def test_register_page_is_closed_by_default(browser: Client) -> None:
    response = browser.post("/register", {})

    assert response.status_code == 403
    assert b"Registration is closed" in response.content


def test_register_page_makes_a_viewer_and_signs_in(browser: Client, settings: Settings) -> None:
    settings.REGISTRATION_OPEN = True
    body = {
        "username": "ann",
        "email": "ann@studio.example",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }

    response = browser.post("/register", body)

    assert response.headers["Location"] == "/"
    user = User.objects.get(username="ann")
    assert (user.role, browser.session["_auth_user_id"]) == (Role.VIEWER, str(user.pk))


def test_register_page_names_taken_fields(
    browser: Client, make_user: MakeUser, settings: Settings
) -> None:
    settings.REGISTRATION_OPEN = True
    make_user(username="taken")
    body = {"username": "Taken", "email": "TAKEN@studio.example"}

    response = browser.post("/register", body)

    assert response.context["form"].errors["username"] == [
        "A user with that username already exists."
    ]
    assert response.context["form"].errors["email"] == ["A user with that email already exists."]


@pytest.mark.parametrize("path", ["/profile", "/profile/password"])
def test_profile_needs_a_login(browser: Client, path: str) -> None:
    assert browser.get(path).headers["Location"] == f"/login?next={path}"


def test_profile_saves_the_time_zone(browser: Client, make_user: MakeUser) -> None:
    user = make_user()
    browser.force_login(user)

    saved = browser.post("/profile/time-zone", {"time_zone": "Europe/Zurich"})
    refused = browser.post("/profile/time-zone", {"time_zone": "Mars/Base"})

    user.refresh_from_db()
    assert (saved.status_code, refused.status_code) == (302, 200)
    assert user.time_zone == "Europe/Zurich"


def test_profile_issues_shows_once_and_revokes(browser: Client, make_user: MakeUser) -> None:
    user = make_user()
    browser.force_login(user)

    issued = browser.post("/profile/tokens", {"name": "ci", "scopes": ["read", "write"]})
    plain = re.findall(r"rst_[\w-]{43}", issued.content.decode())
    again = browser.get("/profile").content.decode()
    token = ApiToken.objects.get()
    browser.post(f"/profile/tokens/{token.pk}/revoke")

    assert len(plain) == 1
    assert plain[0] not in again
    assert token.prefix in again
    assert (token.owner, token.scopes) == (user, ["read", "write"])
    assert ApiToken.objects.find(plain[0]) is None


def test_profile_offers_only_the_roles_scopes(browser: Client, make_user: MakeUser) -> None:
    browser.force_login(make_user(Role.VIEWER))

    response = browser.post("/profile/tokens", {"name": "ci", "scopes": ["write"]})

    assert list(response.context["issuing"].errors) == ["scopes"]
    assert ApiToken.objects.count() == 0


def test_profile_cannot_revoke_anothers_token(browser: Client, make_user: MakeUser) -> None:
    token, plain = ApiToken.issue(name="ci", scopes=["read"], owner=make_user())
    browser.force_login(make_user(Role.ADMIN))

    assert browser.post(f"/profile/tokens/{token.pk}/revoke").status_code == 404
    assert ApiToken.objects.find(plain) == token


@pytest.mark.parametrize("rows", [1, 3])
def test_profile_takes_three_queries(
    browser: Client,
    make_user: MakeUser,
    django_assert_num_queries: DjangoAssertNumQueries,
    rows: int,
) -> None:
    user = make_user()
    browser.force_login(user)
    for _ in range(rows):
        ApiToken.issue(name="ci", scopes=["read"], owner=user)

    with django_assert_num_queries(3):  # session, user, tokens
        browser.get("/profile")


def test_password_change_keeps_this_session_and_ends_others(
    browser: Client, make_user: MakeUser
) -> None:
    user = make_user()
    other = Client()
    browser.force_login(user)
    other.force_login(user)
    new = "another horse battery"

    response = browser.post(
        "/profile/password",
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
    )

    assert response.headers["Location"] == "/profile"
    assert (browser.get("/profile").status_code, other.get("/profile").status_code) == (200, 302)


def test_pages_carry_no_inline_code(
    browser: Client, make_user: MakeUser, settings: Settings
) -> None:
    settings.REGISTRATION_OPEN = True
    pages = [browser.get("/login"), browser.get("/register")]
    browser.force_login(make_user())
    pages += [browser.get("/profile"), browser.get("/profile/password")]

    html = "".join(page.content.decode() for page in pages)
    assert re.findall(r" style=| on\w+=|<script(?![^>]*\bsrc=)[^>]*>", html) == []


@pytest.mark.parametrize("path", ["/admin/accounts/user/", "/admin/accounts/apitoken/"])
def test_admin_lists_and_never_deletes(browser: Client, make_user: MakeUser, path: str) -> None:
    admin = make_user(is_staff=True, is_superuser=True)
    token, _ = ApiToken.issue(name="ci", scopes=["read"], owner=admin)
    browser.force_login(admin)
    pk = admin.pk if "user" in path else token.pk

    assert browser.get(path).status_code == 200
    assert browser.get(f"{path}{pk}/change/").status_code == 200
    assert browser.get(f"{path}{pk}/delete/").status_code == 403


def test_admin_adds_a_person_with_a_role(browser: Client, make_user: MakeUser) -> None:
    browser.force_login(make_user(is_staff=True, is_superuser=True))
    body = {
        "username": "bob",
        "email": "bob@studio.example",
        "role": "responder",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }

    browser.post("/admin/accounts/user/add/", body)

    assert User.objects.get(username="bob").role == Role.RESPONDER


def test_admin_revokes_tokens(browser: Client, make_user: MakeUser) -> None:
    admin = make_user(is_staff=True, is_superuser=True)
    token, plain = ApiToken.issue(name="ci", scopes=["read"], owner=admin)
    browser.force_login(admin)

    browser.post(
        "/admin/accounts/apitoken/", {"action": "revoke", "_selected_action": [str(token.pk)]}
    )

    assert ApiToken.objects.find(plain) is None
