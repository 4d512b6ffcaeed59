"""One of each who may ask: people by role, tokens by scope, and nobody; for a whole file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoDbBlocker

from accounts.models import ApiToken, Role, Scope, User


def make_people() -> Mapping[str, User]:
    return {
        role.value: User.objects.create(
            username=role.value, email=f"{role.value}@example.com", role=role, password="!"
        )
        for role in Role
    }


class Askers:
    """`ask(who, method, path)`, who being "nobody", a role, or "token:" and a scope.

    Each is asked with its own cookies alone, and what an answer wrote is undone: no question
    changes what the next one finds.
    """

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=False)  # loading the middleware takes longest
        people = make_people()
        self.sessions = {role: self._session_of(person) for role, person in people.items()}
        self.tokens = {
            scope.value: ApiToken.issue(
                name=scope,
                scopes=[scope],
                owner=None if scope == Scope.INTAKE else people[Role.ADMIN],
            )[1]
            for scope in Scope
        }

    def _session_of(self, person: User) -> str:
        self.client.cookies.clear()
        self.client.force_login(person)
        return str(self.client.cookies[settings.SESSION_COOKIE_NAME].value)

    def ask(self, who: str, method: str, path: str) -> HttpResponse:
        self.client.cookies.clear()
        headers = {}
        if who.startswith("token:"):
            headers["Authorization"] = f"Bearer {self.tokens[who.removeprefix('token:')]}"
        elif who != "nobody":
            self.client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[who]
        body = "{}" if path.startswith("/api/") else ""
        with transaction.atomic():
            answer = self.client.generic(method, path, body, "application/json", headers=headers)
            transaction.set_rollback(True)
        return answer


@pytest.fixture(scope="module")
def askers(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Askers]:
    """One database for all questions of the file, as empty afterwards as before."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield Askers()
        transaction.set_rollback(True)
