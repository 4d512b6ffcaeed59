"""One of each who may ask: people by role, tokens by scope, and nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from accounts.models import ApiToken, Role, Scope, User

Ask = Callable[[str, str, str], HttpResponse]


@pytest.fixture
def people(db: None) -> Mapping[str, User]:
    return {
        role.value: User.objects.create(
            username=role.value, email=f"{role.value}@example.com", role=role, password="!"
        )
        for role in Role
    }


@pytest.fixture
def ask(people: Mapping[str, User]) -> Ask:
    """`ask(who, method, path)`, who being "nobody", a role, or "token:" and a scope.

    Each is asked with the cookies of its own alone: one that signs out harms no other.
    """
    client = Client(raise_request_exception=False)  # one: loading the middleware takes longest
    sessions: dict[str, str] = {}
    tokens: dict[str, str] = {}

    def session_of(who: str) -> str:
        if who not in sessions:
            browser = Client()
            browser.force_login(people[who])
            sessions[who] = browser.cookies[settings.SESSION_COOKIE_NAME].value
        return sessions[who]

    def token_of(scope: str) -> str:
        if scope not in tokens:
            owner = None if scope == Scope.INTAKE else people[Role.ADMIN]
            tokens[scope] = ApiToken.issue(name=scope, scopes=[scope], owner=owner)[1]
        return tokens[scope]

    def asked(who: str, method: str, path: str) -> HttpResponse:
        client.cookies.clear()
        headers = {}
        if who.startswith("token:"):
            headers["Authorization"] = f"Bearer {token_of(who.removeprefix('token:'))}"
        elif who != "nobody":
            client.cookies[settings.SESSION_COOKIE_NAME] = session_of(who)
        answer = client.generic(
            method,
            path,
            "{}" if path.startswith("/api/") else "",
            "application/json",
            headers=headers,
        )
        if path.rstrip("/").endswith("logout"):
            sessions.pop(who, None)
        return answer

    return asked
