"""Every address of the API: described in a schema that validates, closed to strangers, and to
viewers where it writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
import yaml
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.permissions import AllowAny
from rest_framework.test import APIClient

from accounts.models import Role, User
from incidents import lifecycle
from incidents.models import Incident, Service
from timeline.postmortems import drafts

NOBODY = UUID(int=0)
UNDESCRIBED = {"/api/schema", "/api/docs"}
# a viewer's own tokens are a viewer's own business
OPEN_TO_VIEWERS = {
    ("POST", "/api/tokens"),
    ("DELETE", "/api/tokens/{pk}"),
    ("POST", "/api/grouping-rules/test"),  # writes nothing
    ("POST", "/api/notification-rules/test"),  # likewise
}
# these read a sender's credentials themselves: see tests/incidents/intake/test_credentials.py
SENDERS = {f"/api/intake/{name}" for name in ("alertmanager", "grafana", "events")}
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One method of one address; parameters of `path` stand in braces."""

    method: str
    path: str
    public: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def call(self, client: APIClient, reference: str) -> Any:
        path = self.path.replace("{reference}", reference).replace("{seq}", "1")
        return client.generic(self.method, re.sub(r"{\w+}", str(NOBODY), path))


def patterns(resolver: URLResolver, above: str = "/") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        path = above + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, path)
        else:
            yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path), entry


def handlers_of(view: type) -> list[str]:
    return [method for method in METHODS if hasattr(view, method)]


def operations() -> list[Operation]:
    """Every method of every REST framework view below /api/, as the URL conf has them."""
    found = []
    for path, pattern in patterns(get_resolver()):
        view: Any = getattr(pattern.callback, "cls", None)
        if not path.startswith("/api/") or view is None:
            continue
        handled: Any = getattr(pattern.callback, "actions", None) or handlers_of(view)
        methods = [m for m in view.http_method_names if m in handled]
        public = view.permission_classes == [AllowAny]
        found += [Operation(m.upper(), path, public) for m in METHODS if m in methods]
    return found


ALL = operations()
CLOSED = [one for one in ALL if not one.public]
READS = [one for one in CLOSED if one.method == "GET"]
WRITES = [one for one in CLOSED if one.method != "GET"]
# for administrators: see tests/accounts/audit/test_pages.py
ADMINS_READS = {"/api/audit", "/api/audit/export.csv", "/api/audit/export.jsonl"}
LISTS = [
    one
    for one in READS
    if one.path not in ADMINS_READS and not re.search(r"{(?!reference)", one.path)
]


@pytest.fixture
def stranger() -> APIClient:
    return APIClient()


@pytest.fixture
def viewer(db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(
        User.objects.create(username="vera", email="vera@example.com", role=Role.VIEWER)
    )
    return client


@pytest.fixture
def reference(db: None) -> str:
    service = Service.objects.create(slug="checkout", name="Checkout")
    opened = lifecycle.open_incident(title="Checkout fails", severity="high", services=[service])
    return opened.incident.reference


@pytest.fixture
def resolved(reference: str) -> str:
    """An incident that has all an incident can have: it is over, and its postmortem drafted."""
    incident = Incident.objects.by_reference(reference)
    drafts.draft_now(incident=lifecycle.resolve(incident_id=incident.pk, actor=None))
    return reference


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The schema, generated strictly: a warning or an invalid document is an error here."""
    out = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    document: dict[str, Any] = yaml.safe_load(out.getvalue())
    return document


def test_schema_describes_every_operation_and_no_other(schema: dict[str, Any]) -> None:
    described = {
        (method.upper(), re.sub(r"{\w+}", "{}", path))
        for path, item in schema["paths"].items()
        for method in item
        if method in METHODS
    }

    there = {
        (one.method, re.sub(r"{\w+}", "{}", one.path)) for one in ALL if one.path not in UNDESCRIBED
    }
    assert described == there


def test_schema_is_openapi_3_1_with_bearer_tokens(schema: dict[str, Any]) -> None:
    assert schema["openapi"] == "3.1.0"
    assert schema["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_schema_names_are_not_made_up_by_the_generator(schema: dict[str, Any]) -> None:
    made_up = [name for name in schema["components"]["schemas"] if re.search(r"\w{3}Enum$", name)]

    assert [name for name in made_up if re.search(r"[0-9A-F]{3}Enum$", name)] == []


def test_public_addresses_are_those_of_signing_in() -> None:
    public = {str(one) for one in ALL if one.public}

    assert public == {
        "POST /api/auth/register",
        "POST /api/auth/login",
        "POST /api/auth/refresh",
        "POST /api/auth/logout",  # reads its credentials itself
    }


@pytest.mark.parametrize("operation", CLOSED, ids=str)
def test_stranger_is_told_to_sign_in(
    stranger: APIClient, reference: str, operation: Operation
) -> None:
    answer = operation.call(stranger, reference)

    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("operation", LISTS, ids=str)
def test_viewer_reads_every_list(viewer: APIClient, resolved: str, operation: Operation) -> None:
    assert operation.call(viewer, resolved).status_code == 200


@pytest.mark.parametrize(
    "operation", [r for r in READS if r not in LISTS and r.path not in ADMINS_READS], ids=str
)
def test_viewer_is_told_what_is_not_there(
    viewer: APIClient, reference: str, operation: Operation
) -> None:
    answer = operation.call(viewer, reference)

    assert (answer.status_code, answer.json()["type"]) == (404, "not-found")


@pytest.mark.parametrize(
    "operation",
    [w for w in WRITES if (w.method, w.path) not in OPEN_TO_VIEWERS and w.path not in SENDERS],
    ids=str,
)
def test_viewer_writes_nothing(viewer: APIClient, reference: str, operation: Operation) -> None:
    answer = operation.call(viewer, reference)

    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["type"] == "role-too-low"
