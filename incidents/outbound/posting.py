"""POSTs to addresses that people have typed in: no redirect, and no way into the own network.

The name is resolved once, what it resolves to is checked, and what was checked is connected to:
a name that answers differently the second time (DNS rebinding) leads nowhere.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError, causes, connection_error, timeout_error
from incidents.outbound.guard import GuardedHTTP, GuardedHTTPS, cut_at
from incidents.outbound.ranges import is_allowed, networks

MOST_BYTES = 4096
"""Of an answer that are read; what a receiver says is for people."""
RESOLVE_SECONDS = 5.0
REFUSED = "leads into a private, local or reserved network (OUTBOUND_ALLOWED_NETWORKS)"


class ForbiddenAddress(OSError):
    """The name leads to no address that may be connected to."""


@dataclass(frozen=True)
class Posted:
    """What a receiver answered, whatever its status."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


def post(
    name: str,
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    timeout_seconds: float,
    verify: bool | str = True,
) -> Posted:
    """One POST, ended after `timeout_seconds` whatever the receiver drips. Never repeated.

    Raises BackendError in plain words that hold neither the path of the URL nor what was sent.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        port = 0
    if parts.scheme not in ("http", "https") or not parts.hostname or not port:
        raise BackendError("refused", "its address is no http:// or https:// URL", source=name)
    deadline = Deadline(timeout_seconds)
    with _session() as session, cut_at(deadline) as guard:
        try:
            with session.post(
                url,
                data=body,
                headers={"User-Agent": f"reliability-studio/{settings.VERSION}", **headers},
                timeout=(timeout_seconds, timeout_seconds),
                verify=verify,
                stream=True,
                allow_redirects=False,
            ) as response:
                return Posted(response.status_code, _text(response), response.headers)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if any(isinstance(cause, ForbiddenAddress) for cause in causes(error)):
                raise BackendError("refused", f"{parts.hostname} {REFUSED}", source=name) from None
            timed_out = isinstance(
                error, (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
            )
            if guard.fired or deadline.expired() or timed_out:
                raise timeout_error(name, timeout_seconds) from None
            raise connection_error(name, f"{parts.hostname}:{port}", error) from None


def _text(response: requests.Response) -> str:
    """What came with the status; a receiver that has answered may close when it likes."""
    try:
        body: bytes = response.raw.read(MOST_BYTES, decode_content=True) or b""
    except (urllib3.exceptions.HTTPError, OSError):
        return ""
    return body.decode("utf-8", "replace")


def forbidden_reason(url: str) -> str:
    """Why nothing may be sent to the URL's host as it resolves now, "" when something may.

    A name that cannot be resolved in RESOLVE_SECONDS is not judged: it is again at each use.
    """
    host = urlsplit(url).hostname or ""
    try:
        _permitted(host, 80)
    except ForbiddenAddress:
        return f"{host} {REFUSED}."
    except OSError:
        return ""
    return ""


def _permitted(host: str, port: int) -> list[str]:
    """The addresses of the name that may be connected to, in the resolver's order.

    Raises ForbiddenAddress when it has others only, and socket.gaierror for none.
    """
    allowed = networks(settings.OUTBOUND_ALLOWED_NETWORKS)
    addresses = _resolved(host, port)
    permitted = [address for address in addresses if is_allowed(address, allowed)]
    if not permitted:
        raise ForbiddenAddress(host)
    return permitted


def _resolved(host: str, port: int) -> list[str]:
    """Raises socket.gaierror, also when the resolver knows no deadline of its own."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="resolve")
    asked = pool.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        found = asked.result(RESOLVE_SECONDS)
    except TooLate:
        raise socket.gaierror(f"not resolved within {RESOLVE_SECONDS:.0f} s") from None
    except UnicodeError:
        raise socket.gaierror("no host name") from None
    finally:
        pool.shutdown(wait=False)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _connected(connection: Any, connect: Any) -> socket.socket:
    """A socket to one of the addresses that were checked; the certificate is the name's."""
    name = connection._dns_host
    error: Exception | None = None
    try:
        addresses = _permitted(name, connection.port)
    except socket.gaierror as unresolved:
        raise urllib3.exceptions.NameResolutionError(name, connection, unresolved) from unresolved
    try:
        for address in addresses:
            connection._dns_host = address
            try:
                made: socket.socket = connect()
            except NewConnectionError as refused:
                error = refused
            else:
                return made
    finally:
        connection._dns_host = name
    assert error is not None
    raise error


class _CheckedHTTP(GuardedHTTP):
    def _new_conn(self) -> socket.socket:
        return _connected(self, super()._new_conn)


class _CheckedHTTPS(GuardedHTTPS):
    def _new_conn(self) -> socket.socket:
        return _connected(self, super()._new_conn)


class _CheckedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _CheckedHTTP


class _CheckedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _CheckedHTTPS


class _CheckedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _CheckedHTTPPool,
            "https": _CheckedHTTPSPool,
        }


def _session() -> requests.Session:
    """Made for one POST: a kept connection may have been closed, and a POST is never repeated."""
    session = requests.Session()
    session.trust_env = False  # no proxy, no .netrc: what is configured is what is sent to
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("http://", _CheckedAdapter())
    session.mount("https://", _CheckedAdapter())
    return session
