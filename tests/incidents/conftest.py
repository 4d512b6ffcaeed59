"""What the tests of incidents make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import ApiToken, Role, User
from incidents import lifecycle
from incidents.models import Incident, Service

MakeService = Callable[..., Service]
MakeIncident = Callable[..., Incident]


@pytest.fixture
def make_service(db: None) -> MakeService:
    def make(slug: str = "checkout", **columns: Any) -> Service:
        columns.setdefault("name", slug.title())
        return Service.objects.create(slug=slug, **columns)

    return make


@pytest.fixture
def make_incident(make_service: MakeService) -> MakeIncident:
    def make(title: str = "Checkout fails", **arguments: Any) -> Incident:
        services = arguments.pop("services", None)
        if services is None:
            service = Service.objects.filter(slug="checkout").first() or make_service()
            services = [service]
        arguments.setdefault("severity", "high")
        arguments.setdefault("allow_duplicate", True)
        return lifecycle.open_incident(title=title, services=services, **arguments).incident

    return make


def make_person(username: str, role: Role) -> User:
    return User.objects.create_user(
        username=username, email=f"{username}@example.com", password=None, role=role
    )


@pytest.fixture
def sam(db: None) -> User:
    return make_person("sam", Role.RESPONDER)


@pytest.fixture
def api(sam: User) -> APIClient:
    """The API as responder sam."""
    client = APIClient()
    client.force_authenticate(sam)
    return client


@pytest.fixture
def viewer_api(db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(make_person("vera", Role.VIEWER))
    return client


@pytest.fixture
def intake(db: None) -> APIClient:
    """A sender with an intake token, as the lab has one."""
    _token, plain = ApiToken.issue(name="lab", scopes=["intake"], owner=None)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {plain}")
    return client
