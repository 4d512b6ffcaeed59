"""Sends changed panels to the open pages, from a thread of its own.

The thread that committed a change waits neither for rendering nor for the channel layer, and
changes that come faster than they can be rendered are sent together. Nothing here may be the
only copy of anything: a message that is lost is made good by the page's poll.
"""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
import threading
import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connections

logger = logging.getLogger("studio.live")
BOARD_GROUP = "board"
QUIET_AFTER_FAILURE_SECONDS = 5.0
DRAIN_SECONDS = 2.0


def group_of(incident_id: UUID) -> str:
    return f"incident.{incident_id.hex}"


def group_of_session(key: str) -> str:
    """The key itself signs in: it is no name to hand around."""
    return f"session.{hashlib.sha256(key.encode()).hexdigest()}"


def end_session(key: str) -> None:
    """Close the sockets of a session that is signed out."""
    _send(group_of_session(key), {"type": "session.ended"})


def publish(incident_id: UUID, names: Iterable[str]) -> None:
    """Render each named panel once and send it to every open page of the incident.

    Pages of a merged incident are told where it went instead.
    """
    from incidents import live
    from incidents.models import Incident

    incident = Incident.objects.select_related("merged_into").filter(pk=incident_id).first()
    if incident is None:
        return  # the transaction's block that made it was rolled back
    if incident.merged_into is not None:
        _send(group_of(incident_id), {"type": "incident.moved", **live.moved(incident)})
        return
    message = {
        "type": "panels.changed",
        "revision": incident.revision,
        "panels": live.snapshot(incident, names),
    }
    _send(group_of(incident_id), message)


def publish_soon(incident_id: UUID, names: Iterable[str]) -> None:
    """Publish from the broadcast thread, together with what else waits there."""
    _broadcaster.add(incident_id, names)


class _Broadcaster:
    """One daemon thread a process, started by its first message; forks start their own."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, set[str]] = {}
        self._busy = False
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, incident_id: UUID, names: Iterable[str]) -> None:
        with self._condition:
            self._waiting.setdefault(incident_id, set()).update(names)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="broadcast", daemon=True)
                self._thread.start()
            self._condition.notify_all()

    def drain(self, timeout_seconds: float) -> bool:
        with self._condition:
            return self._condition.wait_for(
                lambda: not self._waiting and not self._busy, timeout_seconds
            )

    def _run(self) -> None:
        while True:
            with self._condition:
                self._busy = False
                self._condition.notify_all()
                self._condition.wait_for(lambda: bool(self._waiting))
                batch, self._waiting = self._waiting, {}
                self._busy = True
            for incident_id, names in batch.items():
                try:
                    publish(incident_id, names)
                except Exception:
                    # a panel that cannot be rendered must not silence the others for ever
                    logger.exception("panels of incident %s could not be sent", incident_id)
            _send(BOARD_GROUP, {"type": "board.changed"})
            connections.close_all()


_broadcaster = _Broadcaster()


def drain(timeout_seconds: float = DRAIN_SECONDS) -> bool:
    """Wait until everything handed over so far has been sent; False when time ran out."""
    return _broadcaster.drain(timeout_seconds)


def _after_fork() -> None:
    global _broadcaster
    _broadcaster = _Broadcaster()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(drain)
_quiet_until = 0.0


def _send(group: str, message: dict[str, Any]) -> None:
    """group_send; a channel layer that fails is left alone for a while."""
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return
    try:
        async_to_sync(get_channel_layer().group_send)(group, message)
    except Exception:
        # any transport error: the change is committed, the pages will poll it
        _quiet_until = time.monotonic() + QUIET_AFTER_FAILURE_SECONDS
        logger.exception("channel layer unavailable, live updates paused")
