"""Every socket, as every role: what docs/permissions.md says."""

from __future__ import annotations

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from accounts.models import Role
from reliability_studio.asgi import application
from tests.access.addresses import NOBODYS, socket_templates
from tests.access.conftest import make_people
from tests.access.permissions_table import ROLES, row_for

PATIENCE_SECONDS = 60.0


def cookie_of(role: str) -> str:
    client = Client()
    client.force_login(make_people()[Role(role)])
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ROLES)
@pytest.mark.parametrize("template", socket_templates())
async def test_socket_lets_in_whom_the_table_says(template: str, who: str) -> None:
    headers = [(b"origin", b"http://localhost"), (b"host", b"localhost")]
    if who != "nobody":
        cookie = await database_sync_to_async(cookie_of)(who)
        headers.append((b"cookie", cookie.encode()))
    socket = WebsocketCommunicator(application, template.format(incident_id=NOBODYS), headers)

    await socket.connect(timeout=PATIENCE_SECONDS)
    first = await socket.receive_output(timeout=PATIENCE_SECONDS)
    await socket.disconnect(timeout=PATIENCE_SECONDS)

    row = row_for(template, "SOCKET")
    assert row is not None
    assert ("401" if first.get("code") == 4401 else "yes") == row.by_role[who]
