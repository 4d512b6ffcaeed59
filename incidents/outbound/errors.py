"""The one failure a telemetry client raises, in words for the reader."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Literal

import requests
import urllib3

Kind = Literal["refused", "dns", "tls", "timeout", "http", "bad_body", "too_large", "limit"]

STATUS_WORDS = {
    400: "bad request",
    401: "unauthorized: check the credentials or the tenant",
    403: "forbidden: these credentials may not read this",
    404: "not found: check the address and its path",
    413: "request too large",
    422: "the query could not be executed",
    429: "too many requests",
    500: "internal error",
    502: "bad gateway",
    503: "service unavailable",
    504: "gateway timeout",
}

_USERINFO = re.compile(r"//[^/\s@]+@")
_TEXT_LIMIT = 200


class BackendError(Exception):
    """A telemetry server could not be asked, or its answer could not be used.

    `source` is the server's name ("Prometheus"), `detail` says what happened without naming
    it ("answered 500 (internal error)"), `status` is the HTTP status if there was one,
    `fleeting` whether asking again at once may help, `requests` how many questions it stands for.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        source: str = "",
        status: int | None = None,
        fleeting: bool = False,
        requests: int = 1,
    ) -> None:
        super().__init__(f"{source}: {detail}" if source else detail)
        self.kind = kind
        self.detail = detail
        self.source = source
        self.status = status
        self.fleeting = fleeting
        self.requests = requests


def plain(text: str) -> str:
    """A server's own words, fit to show: one line, bounded, without `user:password@`."""
    line = _USERINFO.sub("//", " ".join(text.replace("\x00", "").split()))
    return line if len(line) <= _TEXT_LIMIT else line[: _TEXT_LIMIT - 1] + "…"


def status_error(source: str, status: int, said: str) -> BackendError:
    """The error for an HTTP status of 300 and above; `said` is the server's message or ""."""
    words = STATUS_WORDS.get(status, "server error" if status >= 500 else "unexpected")
    detail = f"answered {status} ({words})"
    if said and said.lower() not in words:
        detail += f": {plain(said)}"
    limited = status == 429 or (status == 400 and re.search("exceed|limit|maximum", said))
    return BackendError("limit" if limited else "http", detail, source=source, status=status)


def timeout_error(source: str, seconds: float) -> BackendError:
    return BackendError("timeout", f"did not answer within {seconds:.2g} s", source=source)


def connection_error(source: str, address: str, error: Exception) -> BackendError:
    """Plain words for what requests, urllib3 or the socket raised; their text is not shown.

    requests wraps urllib3, which wraps the system's error: the innermost one decides.
    """
    chain = list(causes(error))

    def has(*types: type[BaseException]) -> bool:
        return any(isinstance(link, types) for link in chain)

    for link in chain:
        if isinstance(link, ssl.SSLCertVerificationError):
            why = plain(link.verify_message or "certificate not trusted")
            return BackendError("tls", f"certificate of {address} refused: {why}", source=source)
    if has(ssl.SSLError, requests.exceptions.SSLError):
        said = " ".join(str(link) for link in chain).lower()
        http = "wrong_version" in said or "wrong version" in said or "record layer" in said
        why = "the server does not speak TLS (is it http://?)" if http else "handshake failed"
        return BackendError("tls", f"no TLS connection to {address}: {why}", source=source)
    if has(urllib3.exceptions.NameResolutionError, socket.gaierror):
        host = address.rpartition(":")[0]
        return BackendError(
            "dns", f"the name {host} could not be resolved", source=source, fleeting=True
        )
    if has(ConnectionRefusedError):
        return BackendError(
            "refused", f"connection refused by {address}", source=source, fleeting=True
        )
    if has(urllib3.exceptions.IncompleteRead, requests.exceptions.ChunkedEncodingError):
        return BackendError("bad_body", "the answer was cut short", source=source, fleeting=True)
    if has(urllib3.exceptions.DecodeError, requests.exceptions.ContentDecodingError):
        return BackendError("bad_body", "the answer could not be decompressed", source=source)
    if has(urllib3.exceptions.ProtocolError, ConnectionResetError, BrokenPipeError):
        return BackendError(
            "refused",
            f"{address} closed the connection without an answer",
            source=source,
            fleeting=True,
        )
    for link in chain:
        if isinstance(link, OSError) and link.errno and link.strerror:
            return BackendError(
                "refused",
                f"no connection to {address}: {link.strerror.lower()}",
                source=source,
                fleeting=True,
            )
    return BackendError("refused", f"no connection to {address}", source=source)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it wraps (cause, context, urllib3's `reason`, args)."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        link = waiting.pop(0)
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [getattr(link, "reason", None), link.__cause__, link.__context__, *link.args]
