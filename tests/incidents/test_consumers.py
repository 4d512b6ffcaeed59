"""The websockets of the product, through its own ASGI application and channel layer."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from django.test import Client

from accounts.models import Role, User
from incidents import broadcast, lifecycle, live
from incidents.merges import merging
from incidents.models import Incident
from reliability_studio.asgi import application
from tests.incidents.conftest import MakeIncident, make_person

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 20.0
NOTICE = {"changed": "board"}


class Sockets:
    """Opens sockets as a browser of one user does, and closes them at the end."""

    def __init__(self, cookie: str) -> None:
        self._cookie = cookie
        self._opened: list[WebsocketCommunicator] = []

    def communicator(self, path: str, origin: str = "http://localhost") -> WebsocketCommunicator:
        headers = [(b"origin", origin.encode()), (b"host", b"localhost")]
        if self._cookie:
            headers.append((b"cookie", self._cookie.encode()))
        return WebsocketCommunicator(application, path, headers)

    async def open(self, path: str) -> WebsocketCommunicator:
        communicator = self.communicator(path)
        connected, _protocol = await communicator.connect(timeout=PATIENCE_SECONDS)
        assert connected
        self._opened.append(communicator)
        return communicator

    async def close(self) -> None:
        for communicator in self._opened:
            await communicator.disconnect(timeout=PATIENCE_SECONDS)


@pytest.fixture(autouse=True)
def quiet_broadcast() -> Iterator[None]:
    """What another test left to send is not sent to this one's sockets."""
    assert broadcast.drain(PATIENCE_SECONDS)
    yield
    assert broadcast.drain(PATIENCE_SECONDS)


@pytest.fixture
def incident(make_incident: MakeIncident) -> Incident:
    made = make_incident("Checkout fails")
    assert broadcast.drain(PATIENCE_SECONDS)
    made.refresh_from_db()
    return made


@pytest.fixture
def cookie(client: Client, transactional_db: None) -> str:
    """The session of vera, who may only look."""
    client.force_login(make_person("vera", Role.VIEWER))
    name = django_settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"


@pytest.fixture
async def sockets(cookie: str) -> AsyncIterator[Sockets]:
    made = Sockets(cookie)
    yield made
    await made.close()


def address(incident: Incident) -> str:
    return f"/ws/incidents/{incident.pk}"


async def text(socket: WebsocketCommunicator) -> str:
    received: str = await socket.receive_from(timeout=PATIENCE_SECONDS)
    return received


async def close_code(socket: WebsocketCommunicator) -> int:
    output = await socket.receive_output(timeout=PATIENCE_SECONDS)
    assert output["type"] == "websocket.close"
    code: int = output["code"]
    return code


def panels_in(fragment: str) -> list[str]:
    """The ids of the out-of-band panels, in order."""
    parts = fragment.split("<section id=")[1:]
    assert all('hx-swap-oob="true"' in part.partition(">")[0] for part in parts)
    return [part.split('"')[1] for part in parts]


@pytest.mark.parametrize("path", ["/ws/board", f"/ws/incidents/{uuid.UUID(int=1)}"])
async def test_stranger_is_accepted_and_then_closed(path: str) -> None:
    socket = Sockets("").communicator(path)

    connected, _protocol = await socket.connect(timeout=PATIENCE_SECONDS)

    assert (connected, await close_code(socket)) == (True, 4401)


async def test_session_that_was_ended_is_a_strangers(cookie: str, client: Client) -> None:
    await database_sync_to_async(client.logout)()
    socket = Sockets(cookie).communicator("/ws/board")

    await socket.connect(timeout=PATIENCE_SECONDS)

    assert await close_code(socket) == 4401


async def test_deactivated_user_is_a_stranger(cookie: str) -> None:
    await database_sync_to_async(User.objects.update)(is_active=False)
    socket = Sockets(cookie).communicator("/ws/board")

    await socket.connect(timeout=PATIENCE_SECONDS)

    assert await close_code(socket) == 4401


async def test_page_of_another_origin_is_refused(cookie: str) -> None:
    socket = Sockets(cookie).communicator("/ws/board", origin="http://evil.example")

    connected, code = await socket.connect(timeout=PATIENCE_SECONDS)

    assert (connected, code) == (False, 1000)


async def test_unknown_incident_closes_with_4404(sockets: Sockets) -> None:
    socket = await sockets.open(f"/ws/incidents/{uuid.uuid4()}")

    assert await close_code(socket) == 4404


async def test_incident_sends_its_snapshot_on_connect(sockets: Sockets, incident: Incident) -> None:
    socket = await sockets.open(address(incident))

    snapshot = await text(socket)

    assert panels_in(snapshot) == [panel.name for panel in live.panels()]
    assert "Checkout fails" in snapshot


async def test_committed_change_arrives_as_its_panels(
    sockets: Sockets, incident: Incident, sam: User
) -> None:
    socket = await sockets.open(address(incident))
    await text(socket)

    await database_sync_to_async(lifecycle.acknowledge)(incident_id=incident.pk, actor=sam)

    change = await text(socket)
    assert panels_in(change) == ["header", "timeline", "services"]
    assert "Investigating" in change


async def test_every_open_page_of_the_incident_gets_it_and_no_other(
    sockets: Sockets, incident: Incident, make_incident: MakeIncident, sam: User
) -> None:
    elsewhere = await database_sync_to_async(make_incident)("Disk full")
    await database_sync_to_async(broadcast.drain)(PATIENCE_SECONDS)
    first, second = await sockets.open(address(incident)), await sockets.open(address(incident))
    other = await sockets.open(address(elsewhere))
    for socket in (first, second, other):
        await text(socket)

    await database_sync_to_async(lifecycle.acknowledge)(incident_id=incident.pk, actor=sam)
    here = [await text(first), await text(second)]
    await database_sync_to_async(lifecycle.mitigate)(incident_id=elsewhere.pk, actor=sam)
    there = await text(other)

    assert here[0] == here[1]
    assert "Mitigated" in there
    assert "Disk full" in there


async def test_older_revision_is_dropped(sockets: Sockets, incident: Incident) -> None:
    socket = await sockets.open(address(incident))
    await text(socket)
    now = incident.revision

    for revision, panels in [
        (now + 5, [["header", "<new header>"]]),
        (now + 4, [["header", "<old header>"]]),
        (now + 5, [["header", "<again>"]]),
        (now + 4, [["header", "<old header>"], ["causes", "<causes>"]]),
        (now, [["timeline", "<as in the snapshot>"]]),
        (now + 6, [["header", "<newest>"]]),
    ]:
        message = {"type": "panels.changed", "revision": revision, "panels": panels}
        await get_channel_layer().group_send(broadcast.group_of(incident.pk), message)

    assert [await text(socket) for _ in range(3)] == ["<new header>", "<causes>", "<newest>"]


async def test_reconnecting_brings_the_page_up_to_date(
    sockets: Sockets, incident: Incident, sam: User
) -> None:
    socket = await sockets.open(address(incident))
    await text(socket)
    await socket.disconnect(timeout=PATIENCE_SECONDS)
    await database_sync_to_async(lifecycle.acknowledge)(incident_id=incident.pk, actor=sam)
    await database_sync_to_async(broadcast.drain)(PATIENCE_SECONDS)

    again = await sockets.open(address(incident))

    assert "Investigating" in await text(again)


async def test_what_a_page_sends_is_ignored(
    sockets: Sockets, incident: Incident, sam: User
) -> None:
    socket = await sockets.open(address(incident))
    await text(socket)

    await socket.send_to(text_data='{"HEADERS": {}}')
    await socket.send_to(bytes_data=b"\x00\xff")
    await database_sync_to_async(lifecycle.acknowledge)(incident_id=incident.pk, actor=sam)

    assert "Investigating" in await text(socket)


async def notice(socket: WebsocketCommunicator) -> object:
    return json.loads(await text(socket))


async def board_changed() -> None:
    await get_channel_layer().group_send(broadcast.BOARD_GROUP, {"type": "board.changed"})


async def test_board_tells_on_connect_and_on_a_commit(
    sockets: Sockets, incident: Incident, sam: User
) -> None:
    socket = await sockets.open("/ws/board")
    first = await notice(socket)

    await database_sync_to_async(lifecycle.acknowledge)(incident_id=incident.pk, actor=sam)

    assert (first, await notice(socket)) == (NOTICE, NOTICE)


async def test_board_joins_a_burst_and_never_loses_its_last(sockets: Sockets) -> None:
    socket = await sockets.open("/ws/board")
    await notice(socket)

    for _ in range(50):
        await board_changed()
    count = 0
    while not await socket.receive_nothing(timeout=1.0):
        assert await notice(socket) == NOTICE
        count += 1
    await board_changed()
    alone = await notice(socket)
    await board_changed()
    within_the_quiet_time = await notice(socket)

    # one at once, then one each quiet time while it lasts
    assert 2 <= count < 50
    assert (alone, within_the_quiet_time) == (NOTICE, NOTICE)


async def test_open_page_of_a_merged_incident_is_told_where_it_went(
    sockets: Sockets, incident: Incident, make_incident: MakeIncident
) -> None:
    survivor = await database_sync_to_async(make_incident)("Another one")
    socket = await sockets.open(address(incident))
    await text(socket)

    await database_sync_to_async(merging.merge)(
        source_id=incident.pk, target_id=survivor.pk, actor=None
    )
    late = await sockets.open(address(incident))

    told = {
        "moved": incident.get_absolute_url(),
        "words": f"{incident.reference} was merged into {survivor.reference}.",
    }
    assert json.loads(await text(socket)) == told
    assert json.loads(await text(late)) == told


@pytest.mark.parametrize("path", ["/ws/board", "incident"])
async def test_socket_ends_when_its_session_is_signed_out(
    sockets: Sockets, client: Client, incident: Incident, path: str
) -> None:
    socket = await sockets.open(address(incident) if path == "incident" else path)
    await text(socket)

    await database_sync_to_async(client.post)("/logout")

    assert await close_code(socket) == 4401


async def test_socket_of_another_session_stays_open(
    sockets: Sockets, client: Client, incident: Incident
) -> None:
    socket = await sockets.open("/ws/board")
    await text(socket)
    other = Client()
    await database_sync_to_async(other.force_login)(
        await database_sync_to_async(User.objects.get)(username="vera")
    )

    await database_sync_to_async(other.post)("/logout")

    assert await socket.receive_nothing()


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "another"}])
async def test_socket_ends_soon_after_its_session_holds_no_more(
    sockets: Sockets, settings: Any, change: dict[str, object]
) -> None:
    settings.SOCKET_CHECK_SECONDS = 0.1
    socket = await sockets.open("/ws/board")
    await text(socket)

    await database_sync_to_async(User.objects.filter(username="vera").update)(**change)

    assert await close_code(socket) == 4401
