from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import ApiToken, Role, User
from tests.accounts.conftest import MakeUser, bearer

pytestmark = pytest.mark.django_db


def acting(api: APIClient, user: User) -> APIClient:
    api.force_authenticate(user)
    return api


def test_create_shows_the_plain_token_once(api: APIClient, make_user: MakeUser) -> None:
    user = make_user(Role.VIEWER)
    acting(api, user)

    created = api.post("/api/tokens", {"name": "laptop", "scopes": ["read"]}, format="json")
    listed = api.get("/api/tokens").json()["results"]

    plain = created.json()["token"]
    assert created.status_code == 201
    assert created.headers["Cache-Control"] == "no-store"
    found = ApiToken.objects.find(plain)
    assert found is not None
    assert (found.owner, found.scopes) == (user, ["read"])
    assert sorted(listed[0]) == [
        "created_at", "expires_at", "id", "last_used_at", "name", "owner", "prefix",
        "revoked_at", "scopes",
    ]  # fmt: skip
    assert plain not in str(listed)


@pytest.mark.parametrize(
    ("role", "body", "field"),
    [
        (Role.VIEWER, {"scopes": ["write"]}, "scopes"),
        (Role.VIEWER, {"scopes": ["intake"]}, "scopes"),
        (Role.RESPONDER, {"scopes": ["read", "admin"]}, "scopes"),
        (Role.ADMIN, {"scopes": ["root"]}, "scopes.0"),
        (Role.ADMIN, {"scopes": []}, "scopes"),
        (Role.ADMIN, {"scopes": "read"}, "scopes"),
        (Role.ADMIN, {"scopes": ["read"], "without_owner": True}, "owner"),
        (Role.RESPONDER, {"scopes": ["intake"], "without_owner": True}, "without_owner"),
        (Role.ADMIN, {"scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        (Role.ADMIN, {"scopes": ["read"], "name": ""}, "name"),
    ],
)
def test_create_refuses_and_names_the_field(
    api: APIClient, make_user: MakeUser, role: Role, body: dict[str, object], field: str
) -> None:
    answer = acting(api, make_user(role)).post("/api/tokens", {"name": "x", **body}, format="json")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_admin_issues_an_intake_token_without_owner(api: APIClient, make_user: MakeUser) -> None:
    body = {"name": "alertmanager", "scopes": ["intake"], "without_owner": True}

    answer = acting(api, make_user(Role.ADMIN)).post("/api/tokens", body, format="json")

    assert (answer.status_code, answer.json()["owner"]) == (201, None)
    api.force_authenticate(None)
    token = answer.json()["token"]
    refused = [api.get(path, **bearer(token)) for path in ("/api/auth/me", "/api/tokens")]
    assert [r.status_code for r in refused] == [403, 403]


@pytest.mark.parametrize(("scope", "status"), [("write", 403), ("admin", 201)])
def test_token_without_admin_scope_cannot_issue_a_mightier_one(
    api: APIClient, make_user: MakeUser, scope: str, status: int
) -> None:
    _, plain = ApiToken.issue(name="ci", scopes=[scope], owner=make_user(Role.ADMIN))

    answer = api.post(
        "/api/tokens", {"name": "x", "scopes": ["admin"]}, format="json", **bearer(plain)
    )

    assert answer.status_code == status


def test_delete_revokes_ones_own(api: APIClient, make_user: MakeUser) -> None:
    user = make_user()
    token, plain = ApiToken.issue(name="ci", scopes=["read"], owner=user)

    answer = acting(api, user).delete(f"/api/tokens/{token.pk}")

    assert answer.status_code == 204
    assert ApiToken.objects.find(plain) is None
    assert api.get(f"/api/tokens/{token.pk}").json()["revoked_at"] is not None


@pytest.mark.parametrize(("role", "status"), [(Role.RESPONDER, 404), (Role.ADMIN, 204)])
def test_delete_of_others_is_for_administrators(
    api: APIClient, make_user: MakeUser, role: Role, status: int
) -> None:
    token, _ = ApiToken.issue(name="ci", scopes=["read"], owner=make_user())

    assert acting(api, make_user(role)).delete(f"/api/tokens/{token.pk}").status_code == status


def test_unknown_ids_are_404(api: APIClient, make_user: MakeUser) -> None:
    acting(api, make_user())

    assert [api.get(f"/api/tokens/{pk}").status_code for pk in ("x", "0")] == [404, 404]


def test_expiry_is_kept(api: APIClient, make_user: MakeUser) -> None:
    at = timezone.now() + timedelta(days=1)
    body = {"name": "x", "scopes": ["read"], "expires_at": at.isoformat()}

    answer = acting(api, make_user()).post("/api/tokens", body, format="json")

    assert answer.json()["expires_at"] == f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


@pytest.mark.parametrize("rows", [1, 3])
def test_list_takes_one_query(
    api: APIClient,
    make_user: MakeUser,
    django_assert_num_queries: DjangoAssertNumQueries,
    rows: int,
) -> None:
    acting(api, make_user(Role.ADMIN))
    for _ in range(rows):
        ApiToken.issue(name="ci", scopes=["read"], owner=make_user())

    with django_assert_num_queries(1):
        api.get("/api/tokens")
