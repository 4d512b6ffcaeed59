"""Somebody who acts, as a request or a command would say it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import RequestFactory

from accounts import origin
from accounts.audit.chaining import chain_drafts
from accounts.models import AuditEntry, Role, User


@pytest.fixture
def person(db: None) -> User:
    return User.objects.create(
        username="ada", email="ada@example.com", role=Role.ADMIN, password="!"
    )


@pytest.fixture
def acting(person: User) -> Iterator[User]:
    """The test's own writes are ada's, over the API."""
    request: Any = RequestFactory().post("/api/services")
    request.user = person
    with origin.acting(origin.Origin("req-1", "192.0.2.7", request=request)):
        yield person


@pytest.fixture
def entries() -> Callable[..., list[AuditEntry]]:
    """Chained so far, oldest first; all, or those of some actions."""

    def read(*actions: str) -> list[AuditEntry]:
        chain_drafts()
        found = AuditEntry.objects.order_by("seq")
        return list(found.filter(action__in=actions) if actions else found)

    return read
