"""Websockets of the board and the incident page. They only read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from importlib import import_module
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError, close_old_connections
from django.http import HttpRequest

from incidents import broadcast, live
from incidents.models import Incident

NOT_SIGNED_IN = 4401
NOT_FOUND = 4404


class SignedInConsumer(AsyncWebsocketConsumer):
    """Accepts first and closes 4401 when not signed in: a refused handshake is retried.

    It ends with its session: at once when that is signed out, within SOCKET_CHECK_SECONDS when it
    ran out, its password changed, or its user was deactivated.
    """

    session_group: str | None = None
    _checking: asyncio.Task[None] | None = None

    async def let_in(self) -> bool:
        """Whether somebody is signed in; the socket is closed where nobody is."""
        await self.accept()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(code=NOT_SIGNED_IN)
            return False
        key: str = self.scope["session"].session_key
        self.session_group = broadcast.group_of_session(key)
        await self.channel_layer.group_add(self.session_group, self.channel_name)
        self._checking = asyncio.create_task(self._check(key))
        return True

    async def disconnect(self, code: int) -> None:
        if self._checking:
            self._checking.cancel()
        if self.session_group:
            await self.channel_layer.group_discard(self.session_group, self.channel_name)

    async def session_ended(self, message: dict[str, Any]) -> None:
        await self.close(code=NOT_SIGNED_IN)

    async def _check(self, key: str) -> None:
        """A message may be lost, and not every end of a session sends one."""
        holds = sync_to_async(_session_holds, thread_sensitive=False)
        while True:
            await asyncio.sleep(settings.SOCKET_CHECK_SECONDS)
            if not await holds(key):
                await self.close(code=NOT_SIGNED_IN)
                return

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Pages send nothing; what comes is ignored."""


def _session_holds(key: str) -> bool:
    """Whether the session still signs somebody in; yes while the database cannot say."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    try:
        return get_user(request).is_authenticated
    except DatabaseError:
        return True  # the page is needed now; it is asked again soon
    finally:
        close_old_connections()


class IncidentConsumer(SignedInConsumer):
    """Panels of one incident: a snapshot on connect, then each panel as it changes."""

    group: str | None = None

    async def connect(self) -> None:
        if not await self.let_in():
            return
        incident_id: UUID = self.scope["url_route"]["kwargs"]["incident_id"]
        self.sent: dict[str, int] = {}
        self.group = broadcast.group_of(incident_id)
        # joining comes before the snapshot: a change between the two is sent twice, not lost
        await self.channel_layer.group_add(self.group, self.channel_name)
        state = await sync_to_async(_snapshot, thread_sensitive=False)(incident_id)
        if state is None:
            await self.close(code=NOT_FOUND)
            return
        if isinstance(state, dict):
            await self.send(text_data=json.dumps(state))
            return
        await self._send_newer(*state)

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def panels_changed(self, message: dict[str, Any]) -> None:
        await self._send_newer(message["revision"], message["panels"])

    async def incident_moved(self, message: dict[str, Any]) -> None:
        told = {name: message[name] for name in ("moved", "words")}
        await self.send(text_data=json.dumps(told))

    async def _send_newer(self, revision: int, panels: Sequence[Sequence[str]]) -> None:
        newer = [(n, html) for n, html in panels if self.sent.get(n, -1) < revision]
        if newer:
            self.sent.update((name, revision) for name, _ in newer)
            await self.send(text_data="\n".join(html for _, html in newer))


def _snapshot(
    incident_id: UUID,
) -> tuple[int, list[tuple[str, str]]] | dict[str, str] | None:
    """(revision, panels), where it went if it is merged, None if it does not exist."""
    try:
        incident = Incident.objects.select_related("merged_into").filter(pk=incident_id).first()
        if incident is not None and incident.merged_into is not None:
            return live.moved(incident)
        return (incident.revision, live.snapshot(incident)) if incident else None
    finally:
        close_old_connections()


class BoardConsumer(SignedInConsumer):
    """Tells the board that something changed; each page refetches with its own filters.

    A storm is one notice a QUIET_SECONDS, the last one never lost.
    """

    QUIET_SECONDS = 0.2
    _pending: asyncio.Task[None] | None = None
    _joined = False

    async def connect(self) -> None:
        if not await self.let_in():
            return
        await self.channel_layer.group_add(broadcast.BOARD_GROUP, self.channel_name)
        self._joined = True
        await self._notice()

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        if self._joined:
            await self.channel_layer.group_discard(broadcast.BOARD_GROUP, self.channel_name)
        if self._pending:
            self._pending.cancel()

    async def board_changed(self, message: dict[str, Any]) -> None:
        if self._pending and not self._pending.done():
            self._again = True
            return
        await self._notice()
        self._again = False
        self._pending = asyncio.create_task(self._settle())

    async def _settle(self) -> None:
        await asyncio.sleep(self.QUIET_SECONDS)
        while self._again:
            self._again = False
            await self._notice()
            await asyncio.sleep(self.QUIET_SECONDS)

    async def _notice(self) -> None:
        await self.send(text_data=json.dumps({"changed": "board"}))
