"""Every address, with every method, as every role: what docs/permissions.md says."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from accounts.models import INCLUDED_IN, Scope, User
from incidents.routing import websocket_urlpatterns
from reliability_studio.asgi import application
from tests.access.addresses import ADMIN, METHODS, NOBODYS, Address, addresses
from tests.access.conftest import Ask
from tests.access.permissions_table import ANY_BELOW, ROLES, SCOPES, row_for, table

PATIENCE_SECONDS = 20.0
SIGN_IN = ("/login", "/admin/login")
SOCKETS = [
    f"/{pattern.pattern}".replace("<uuid:", "{").replace(">", "}")
    for pattern in websocket_urlpatterns
]


def outcome(answer: HttpResponse) -> str:
    """In the table's words; "nothing" for a method that the address does not know."""
    if answer.status_code in (301, 302) and answer.headers["Location"].startswith(SIGN_IN):
        return "sign in"
    if answer.status_code == 405:
        return "nothing"
    if answer.status_code in (401, 403):
        return str(answer.status_code)
    if answer.status_code >= 500:
        return f"error {answer.status_code}"
    return "yes"


def wanted_of_tokens(least: str, nobody: str) -> dict[str, bool]:
    """Whether a token of each scope is let in; where no credential counts, as nobody is."""
    if least in ("any", "none"):
        return dict.fromkeys(SCOPES, least == "any" or nobody == "yes")
    return {scope: Scope(scope) in INCLUDED_IN[Scope(least)] for scope in SCOPES}


@pytest.mark.parametrize("address", addresses(), ids=lambda address: address.template)
def test_address_lets_in_whom_the_table_says(address: Address, ask: Ask) -> None:
    for method in METHODS:
        row = row_for(address.template, method)
        if row is None:
            admins = outcome(ask("admin", method, address.example))
            known = admins not in ("nothing", "401", "403")
            assert not known, f"{method} {address.template} is not in docs/permissions.md"
            continue
        got = {who: outcome(ask(who, method, address.example)) for who in ROLES}
        assert got == row.by_role, f"{method} {address.template}"
        if address.template.startswith(ADMIN):
            continue  # a token is nobody on every page: one of them says it for all
        tokens = {
            scope: outcome(ask(f"token:{scope}", method, address.example)) for scope in SCOPES
        }
        let_in = {scope: found not in ("sign in", "401", "403") for scope, found in tokens.items()}
        assert let_in == wanted_of_tokens(row.token, row.by_role["nobody"]), (
            f"{method} {address.template} with tokens: {tokens}"
        )


def test_table_names_only_addresses_that_are_there() -> None:
    templates = [address.template for address in addresses()]

    unknown = [
        row.address
        for row in table()
        if row.methods != ("SOCKET",)
        and row.address not in templates
        and not (
            row.address.endswith(ANY_BELOW)
            and any(template.startswith(row.address[:-1]) for template in templates)
        )
    ]

    assert unknown == []


def test_table_names_every_socket() -> None:
    assert [row.address for row in table() if row.methods == ("SOCKET",)] == SOCKETS


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ROLES)
@pytest.mark.parametrize("template", SOCKETS)
async def test_socket_lets_in_whom_the_table_says(
    people: Mapping[str, User], template: str, who: str
) -> None:
    headers = [(b"origin", b"http://localhost"), (b"host", b"localhost")]
    if who != "nobody":
        client = Client()
        await database_sync_to_async(client.force_login)(people[who])
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode()))
    socket = WebsocketCommunicator(application, template.format(incident_id=NOBODYS), headers)

    await socket.connect(timeout=PATIENCE_SECONDS)
    first = await socket.receive_output(timeout=PATIENCE_SECONDS)
    await socket.disconnect(timeout=PATIENCE_SECONDS)

    row = row_for(template, "SOCKET")
    assert row is not None
    assert ("401" if first.get("code") == 4401 else "yes") == row.by_role[who]
