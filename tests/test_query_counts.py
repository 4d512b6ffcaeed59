"""No address reads more often from the database because there are more rows.

Every address of the URL conf that answers GET is asked, so a new one is held to it by itself.
"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.endpoints.rows import Kept, make_rows
from tests.endpoints.walk import Address, addresses

MANY = 4


def answered(client: Client, address: Address, kept: Kept) -> tuple[int, list[str]]:
    """Status and statements of the second of two GETs: the first fills caches."""
    path = address.filled(kept)
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        status = client.get(path).status_code
    return status, [query["sql"] for query in queries.captured_queries]


@pytest.mark.django_db
def test_every_address_asks_as_often_of_one_row_as_of_many(client: Client) -> None:
    kept = make_rows(1)
    client.force_login(kept[User][0])  # type: ignore[arg-type]
    read = {address.route: address for address in addresses()}
    of_one = {route: answered(client, address, kept) for route, address in read.items()}
    make_rows(MANY, kept)

    of_many = {route: answered(client, address, kept) for route, address in read.items()}

    grown = {
        route: f"{len(of_one[route][1])} statements, with more rows {len(statements)}"
        for route, (_status, statements) in of_many.items()
        if len(statements) != len(of_one[route][1])
    }
    unread = {
        route: status
        for route, (status, _statements) in of_many.items()
        if status not in (200, 204, 302, 405)
    }
    assert (grown, unread) == ({}, {})
