from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from accounts.models import ApiToken, MachineUser, Role, User
from accounts.permissions import RolePermission, role_required


class Plain(APIView):
    def get(self, request: Request) -> Response:
        return Response({})

    post = get


class AdminOnly(Plain):
    required_role = Role.ADMIN


class Mixed(Plain):
    required_roles = {"POST": Role.VIEWER}


class Intake(Plain):
    required_scope = "intake"


def answer(view: type[APIView], method: str, user: Any, token: ApiToken | None = None) -> Any:
    request = getattr(APIRequestFactory(), method)("/")
    force_authenticate(request, user, token)
    return view.as_view()(request)


@pytest.mark.parametrize(
    ("view", "method", "allowed"),
    [
        (Plain, "get", ["viewer", "responder", "admin"]),
        (Plain, "post", ["responder", "admin"]),
        (AdminOnly, "get", ["admin"]),
        (AdminOnly, "post", ["admin"]),
        (Mixed, "post", ["viewer", "responder", "admin"]),
        (Intake, "post", ["responder", "admin"]),
    ],
)
def test_roles_open_views(view: type[APIView], method: str, allowed: list[str]) -> None:
    opened = [r for r in Role if answer(view, method, User(role=r)).status_code == 200]

    assert [role.value for role in opened] == allowed


@pytest.mark.parametrize(
    ("view", "method", "scopes", "role", "status"),
    [
        (Plain, "get", ["read"], Role.VIEWER, 200),
        (Plain, "get", ["intake"], Role.ADMIN, 403),
        (Plain, "post", ["read"], Role.ADMIN, 403),
        (Plain, "post", ["write"], Role.RESPONDER, 200),
        (Plain, "post", ["admin"], Role.VIEWER, 403),
        (AdminOnly, "get", ["write"], Role.ADMIN, 403),
        (AdminOnly, "get", ["admin"], Role.ADMIN, 200),
        (AdminOnly, "get", ["admin"], Role.RESPONDER, 403),
        (Intake, "post", ["write", "admin"], Role.ADMIN, 403),
        (Intake, "post", ["intake"], Role.RESPONDER, 200),
        (Intake, "post", ["intake"], Role.VIEWER, 403),
    ],
)
def test_token_needs_the_scope_and_its_owner_the_role(
    view: type[APIView], method: str, scopes: list[str], role: Role, status: int
) -> None:
    assert answer(view, method, User(role=role), ApiToken(scopes=scopes)).status_code == status


@pytest.mark.parametrize(("view", "status"), [(Intake, 200), (Plain, 403), (AdminOnly, 403)])
def test_token_without_owner_does_intake_alone(view: type[APIView], status: int) -> None:
    token = ApiToken(name="lab", scopes=["intake"])

    assert answer(view, "post", MachineUser(token), token).status_code == status


def test_refusals_say_what_is_missing() -> None:
    role = answer(Plain, "post", User(role=Role.VIEWER))
    scope = answer(Plain, "post", User(role=Role.ADMIN), ApiToken(scopes=["read"]))

    assert (role.data["type"], role.data["detail"]) == (
        "role-too-low",
        "This needs the role 'responder'.",
    )
    assert (scope.data["type"], scope.data["detail"]) == (
        "scope-missing",
        "The API token lacks the scope 'write'.",
    )


def test_anonymous_and_inactive_are_refused() -> None:
    request = Request(APIRequestFactory().get("/"))
    outcomes = []
    for user in (AnonymousUser(), User(role=Role.ADMIN, is_active=False)):
        request.user = user
        outcomes.append(RolePermission().has_permission(request, Plain()))

    assert outcomes == [False, False]


@role_required(Role.RESPONDER)
def page(request: HttpRequest, word: str) -> HttpResponse:
    return HttpResponse(word)


def test_page_sends_anonymous_users_to_login() -> None:
    request = RequestFactory().get("/incidents?severity=high")
    request.user = AnonymousUser()

    response = page(request, "hello")

    assert response.status_code == 302
    assert response.headers["Location"] == "/login?next=/incidents%3Fseverity%3Dhigh"


def test_page_opens_for_the_role() -> None:
    request = RequestFactory().get("/")
    request.user = User(role=Role.ADMIN)

    assert page(request, "hello").content == b"hello"


def test_page_refuses_too_low_a_role() -> None:
    request = RequestFactory().get("/")
    request.user = User(username="ann", role=Role.VIEWER)

    response = page(request, "hello")

    assert response.status_code == 403
    assert b"<strong>responder</strong>" in response.content
