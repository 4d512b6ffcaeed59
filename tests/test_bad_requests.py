"""No request to the API ends in a 500, however wrong it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from accounts.models import User
from tests.endpoints.bad_bodies import WRONG_WORDS, Operation, Schema, bodies, operations
from tests.endpoints.rows import Kept, make_rows
from tests.endpoints.walk import of_the_api

pytestmark = pytest.mark.django_db
# senders of alerts have tests of their own
COLLECTIONS = sorted({address.split("/")[2] for address in of_the_api()} - {"intake", "{}"})


@cache
def schema() -> Schema:
    return SchemaGenerator().get_schema(request=None, public=True)


@pytest.fixture
def kept() -> Kept:
    return make_rows(1)


@pytest.fixture
def client(kept: Kept) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(kept[User][0])  # type: ignore[arg-type]
    return client


def of_collection(name: str, kept: Kept) -> Iterator[tuple[Operation, str]]:
    """The operations below /api/{name} with a filled address each."""
    known = of_the_api()
    for operation in operations(schema()):
        if operation.path.split("/")[2] == name:
            yield operation, known[re.sub("{[^}]*}", "{}", operation.path)].filled(kept)


def asked(client: Client, method: str, path: str, **sent: Any) -> int:
    """The status; nothing it did stays."""
    with transaction.atomic():
        status = getattr(client, method)(path, **sent).status_code
        transaction.set_rollback(True)
    return int(status)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_no_body_breaks_an_address(client: Client, kept: Kept, collection: str) -> None:
    broken: dict[str, list[str]] = {}

    for operation, path in of_collection(collection, kept):
        for body in bodies(schema(), operation) if operation.method != "get" else ():
            text = json.dumps(body)
            status = asked(
                client, operation.method, path, data=text, content_type="application/json"
            )
            if status >= 500:
                broken.setdefault(f"{operation.method} {operation.path}", []).append(text[:100])

    assert broken == {}


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_no_query_parameter_breaks_an_address(client: Client, kept: Kept, collection: str) -> None:
    broken: dict[str, list[str]] = {}

    for operation, path in of_collection(collection, kept):
        for name in operation.parameters if operation.method == "get" else ():
            for word in WRONG_WORDS:
                status = asked(client, "get", path, query_params={name: word})
                if status >= 500:
                    broken.setdefault(operation.path, []).append(f"{name}={word[:40]}")

    assert broken == {}
