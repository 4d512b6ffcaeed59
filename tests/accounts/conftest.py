from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.hashers import make_password
from rest_framework.test import APIClient

from accounts.models import Role, User

PASSWORD = "correct horse battery"

MakeUser = Callable[..., User]


@pytest.fixture(scope="session")
def password_hash() -> str:
    return make_password(PASSWORD)  # once: Argon2 is slow on purpose


@pytest.fixture
def make_user(db: None, password_hash: str) -> MakeUser:
    def make(role: Role = Role.RESPONDER, **fields: Any) -> User:
        name = fields.pop("username", f"person{uuid4().hex[:8]}")
        fields.setdefault("email", f"{name}@studio.example")
        return User.objects.create(username=name, password=password_hash, role=role, **fields)

    return make


@pytest.fixture
def address() -> str:
    """An address no other test has failed from: the attempts are counted in a shared cache."""
    return ".".join(["10", *(str(random.randrange(1, 255)) for _ in range(3))])


@pytest.fixture
def api(address: str) -> APIClient:
    return APIClient(REMOTE_ADDR=address)


def login(api: APIClient, user: User) -> dict[str, Any]:
    answer = api.post("/api/auth/login", {"username": user.username, "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def bearer(token: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}
