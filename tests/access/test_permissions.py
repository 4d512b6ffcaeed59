"""Every address, with every method, as every role: what docs/permissions.md says."""

from __future__ import annotations

import pytest
from django.http import HttpResponse

from incidents.routing import websocket_urlpatterns
from tests.access.addresses import ADMIN, METHODS, Address, addresses, socket_templates
from tests.access.conftest import Askers
from tests.access.permissions_table import ROLES, SCOPES, fits, row_for, table, tokens_let_in

SIGN_IN = ("/login", "/admin/login")
MIGHTIEST = ("admin", "token:admin", "token:intake")
SHUT = ("sign in", "401", "403")


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


def methods_of(address: Address) -> tuple[str, ...]:
    """Django's admin takes anything but a POST for a GET."""
    return METHODS[:2] if address.template.startswith(ADMIN) else METHODS


def of_tokens(askers: Askers, address: Address, method: str) -> dict[str, bool]:
    """Which scopes are let in. On pages a token is nobody: the strongest one says it for all."""
    if not address.is_api:
        return {"admin": outcome(askers.ask("token:admin", method, address.example)) not in SHUT}
    if "{token}" in address.template:  # carries the token itself
        answers = {
            scope: askers.ask("nobody", method, address.path(token=askers.tokens[scope]))
            for scope in SCOPES
        }
    else:
        answers = {scope: askers.ask(f"token:{scope}", method, address.example) for scope in SCOPES}
    return {scope: outcome(answer) not in SHUT for scope, answer in answers.items()}


@pytest.mark.django_db
@pytest.mark.parametrize("address", addresses(), ids=lambda address: address.template)
def test_address_lets_in_whom_the_table_says(address: Address, askers: Askers) -> None:
    for method in methods_of(address):
        row = row_for(address.template, method)
        if row is None:
            found = {
                who: outcome(askers.ask(who, method, address.example))
                for who in (MIGHTIEST if address.is_api else MIGHTIEST[:1])
            }
            assert {*found.values()} <= {"nothing", *SHUT}, f"{method} {address.template}: {found}"
            continue

        by_role = {who: outcome(askers.ask(who, method, address.example)) for who in ROLES}
        by_token = of_tokens(askers, address, method)

        wanted = tokens_let_in(row)
        assert by_role == row.by_role, f"{method} {address.template}"
        assert by_token == {scope: wanted[scope] for scope in by_token}, (
            f"{method} {address.template} with tokens"
        )


def test_table_names_only_addresses_that_are_there() -> None:
    templates = [address.template for address in addresses()] + socket_templates()

    unknown = [
        row.address
        for row in table()
        if not any(fits(row.address, template) for template in templates)
    ]

    assert unknown == []


def test_table_says_nothing_twice() -> None:
    said = [(row.address, method) for row in table() for method in row.methods]

    assert sorted(said) == sorted(set(said))


def test_table_names_every_socket() -> None:
    named = [row.address for row in table() if row.methods == ("SOCKET",)]

    assert named == socket_templates()
    assert len(named) == len(websocket_urlpatterns)
