"""Cuts a connection at its deadline, whatever the server is dripping into it.

Socket timeouts bound one `recv`; a server that sends one byte now and then outlives any of
them. A timer shuts the socket instead, and the blocked read ends.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from incidents.outbound.deadline import Deadline

_current = threading.local()


class Guard:
    """Watches the connection this thread is using; `fired` once the time was up."""

    def __init__(self) -> None:
        self.fired = False
        self._over = False
        self._connection: HTTPConnection | None = None
        self._lock = threading.Lock()

    def watch(self, connection: HTTPConnection) -> None:
        """Called before and after connecting; raises TimeoutError when it is too late."""
        with self._lock:
            self._connection = connection
            if self.fired:
                connection.close()
                raise TimeoutError("deadline")

    def cut(self) -> None:
        with self._lock:
            if self._over:  # the connection is back in its pool, maybe in other hands
                return
            self.fired = True
            if self._connection is not None and self._connection.sock is not None:
                with suppress(OSError):
                    self._connection.sock.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        with self._lock:
            self._over = True
            self._connection = None


@contextmanager
def cut_at(deadline: Deadline) -> Iterator[Guard]:
    """Within the block, this thread's guarded connection is shut when `deadline` passes."""
    guard = Guard()
    timer = threading.Timer(deadline.remaining(), guard.cut)
    timer.daemon = True
    timer.start()
    _current.guard = guard
    try:
        yield guard
    finally:
        _current.guard = None
        timer.cancel()
        guard.end()


def _watch(connection: HTTPConnection) -> None:
    guard: Guard | None = getattr(_current, "guard", None)
    if guard is not None:
        guard.watch(connection)


class GuardedHTTP(HTTPConnection):
    def connect(self) -> None:
        _watch(self)
        super().connect()
        _watch(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _watch(self)
        super().request(*args, **kwargs)


class GuardedHTTPS(HTTPSConnection):
    def connect(self) -> None:
        _watch(self)
        super().connect()
        _watch(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _watch(self)
        super().request(*args, **kwargs)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = GuardedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = GuardedHTTPS


GUARDED_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}
"""For the `pool_classes_by_scheme` of a urllib3 PoolManager whose connections obey `cut_at`."""


class GuardedAdapter(HTTPAdapter):
    """A requests adapter whose connections obey `cut_at`; it never retries by itself."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = GUARDED_POOLS
