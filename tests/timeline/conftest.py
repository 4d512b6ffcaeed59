"""People, services and incidents to write timelines about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Role, User
from incidents import lifecycle
from incidents.models import Incident, Service


@pytest.fixture
def make_user() -> Callable[..., User]:
    def make(username: str = "sam", role: str = Role.RESPONDER) -> User:
        return User.objects.create(
            username=username, email=f"{username}@example.com", role=role, password="!"
        )

    return make


@pytest.fixture
def make_incident() -> Callable[..., Incident]:
    def make(
        title: str = "Checkout errors", services: tuple[str, ...] = (), **more: Any
    ) -> Incident:
        rows = [Service.objects.get_or_create(slug=s, defaults={"name": s})[0] for s in services]
        return lifecycle.open_incident(
            title=title, severity="high", services=rows, allow_duplicate=True, **more
        ).incident

    return make
