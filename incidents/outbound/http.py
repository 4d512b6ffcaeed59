"""HTTP to telemetry servers: pooled, bounded in time and size, failures in plain words."""

from __future__ import annotations

import json
import os
import random
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from threading import Lock
from typing import Any, NoReturn
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import requests
import urllib3

from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import (
    BackendError,
    connection_error,
    status_error,
    timeout_error,
)
from incidents.outbound.guard import GuardedAdapter, cut_at

MAX_BYTES = 50 * 1024 * 1024
LONG_QUERY = 2000
"""Parameters longer than this (characters) go as a POST form: proxies cut long URLs."""

_POOL_CONNECTIONS = 2048
"""Connections kept for one server, more than CORRELATION_SLOTS (at most 200) analyses of eight
queries each have open at once: one that does not fit back would be thrown away and opened anew.
Places in the pool cost nothing until they are used. It does not block: a wait for a place would
know no deadline."""

MOST_SERIES = 20_000
"""Series of one answer that are read. Parsed, a series weighs a hundred times its bytes, so the
byte limit alone would let ten analyses hold gigabytes."""

_SERIES = {b'"metric"': "series", b'"stream"': "streams", b'"traceID"': "traces"}
_CHUNK = 64 * 1024
_REDIRECTS = 3
_RETRY_PAUSE_SECONDS = (0.05, 0.15)
_FLEETING_STATUS = (500, 502, 503, 504)

_sessions: dict[tuple[int, str], requests.Session] = {}
_sessions_lock = Lock()


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes

    @property
    def is_html(self) -> bool:
        head = self.body[:200].lstrip().lower()
        return head.startswith((b"<!doctype", b"<html", b"<head", b"<body"))


def _session(base_url: str) -> requests.Session:
    """The pooled session of this process for a base URL; it holds no credentials, no cookies."""
    key = (os.getpid(), base_url)
    with _sessions_lock:
        if key not in _sessions:
            session = requests.Session()
            session.trust_env = False  # no proxy, no .netrc: what is configured is what is asked
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            session.mount("http://", GuardedAdapter(pool_maxsize=_POOL_CONNECTIONS))
            session.mount("https://", GuardedAdapter(pool_maxsize=_POOL_CONNECTIONS))
            _sessions[key] = session
        return _sessions[key]


class HttpSource:
    """One server under a base URL. Every call takes the deadline it must not outlive.

    `timeout_seconds` bounds one attempt; `verify` is True, False or a CA bundle's path,
    `client_certificate` the paths of a certificate and its key.
    `user:password@` in the URL becomes a header and never appears in a message.
    Raises ValueError for an address that is no http(s) URL.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 5.0,
        verify: bool | str = True,
        client_certificate: tuple[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
        retries: int = 1,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the address must begin with http:// or https:// and name a host")
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise ValueError("the port in the address is not a number up to 65535") from None
        self.name = name
        self.address = f"{parts.hostname}:{port}"
        netloc = parts.netloc.rpartition("@")[2]
        self.base_url = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))
        self.timeout_seconds = timeout_seconds
        self.verify = verify
        self.client_certificate = client_certificate
        self.max_bytes = max_bytes
        self.retries = retries
        self._headers = {"Accept": "application/json", **(headers or {})}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + b64encode(pair.encode()).decode()

    def get_json(
        self,
        path: str,
        params: Mapping[str, Any],
        deadline: Deadline,
        *,
        headers: Mapping[str, str] | None = None,
        form: bool = False,
    ) -> Any:
        """The parsed body of a 2xx answer; POSTs a form when `form` and the query is long.

        Raises BackendError for everything else, with the server's own message when it gave one.
        """
        post = form and sum(len(str(value)) for value in params.values()) > LONG_QUERY
        answer = self.fetch("POST" if post else "GET", path, params, deadline, headers=headers)
        if answer.status >= 300:
            raise status_error(self.name, answer.status, _said(answer))
        return self._json(answer)

    def fetch(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        deadline: Deadline,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One answer of any status; retries connection errors and 5xx within the deadline."""
        left = self.retries
        while True:
            pause = random.uniform(*_RETRY_PAUSE_SECONDS)
            last = left <= 0
            try:
                answer = self._once(method, path, params, deadline, headers)
                if last or answer.status not in _FLEETING_STATUS or deadline.remaining() <= pause:
                    return answer
            except BackendError as error:
                if last or not error.fleeting or deadline.remaining() <= pause:
                    raise
            left -= 1
            time.sleep(pause)

    def bad_body(self, why: str) -> NoReturn:
        """Refuses an answer whose shape is not the API's; `why` follows the server's name."""
        raise BackendError("bad_body", why, source=self.name)

    def _json(self, answer: Answer) -> Any:
        if not answer.body.strip():
            self.bad_body("answered nothing (an empty body)")
        if answer.is_html:
            self.bad_body("answered HTML, not JSON")
        for mark, what in _SERIES.items():
            if (count := answer.body.count(mark)) > MOST_SERIES:
                raise BackendError(
                    "too_large",
                    f"answered about {count} {what}, more than the {MOST_SERIES} that are read: "
                    "narrow what is asked with the data source's options",
                    source=self.name,
                    status=answer.status,
                )
        try:
            return json.loads(answer.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            self.bad_body("answered something that is not JSON")

    def _once(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        deadline: Deadline,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        limit = deadline.sooner(self.timeout_seconds)
        allowed = max(limit.remaining(), 0.001)
        url = self.base_url + path
        carried: dict[str, Any] = {"data" if method == "POST" else "params": dict(params)}
        with cut_at(limit) as guard:
            try:
                for _ in range(_REDIRECTS + 1):
                    wait = max(limit.remaining(), 0.001)
                    with _session(self.base_url).request(
                        method,
                        url,
                        headers={**self._headers, **(headers or {})},
                        timeout=(wait, wait),
                        verify=self.verify,
                        cert=self.client_certificate,
                        stream=True,
                        allow_redirects=False,
                        **carried,
                    ) as response:
                        if not response.is_redirect:
                            kind = response.headers.get("content-type", "")
                            body = self._read(response, limit)
                            if guard.fired:  # cut while reading: what came may look complete
                                raise TimeoutError("deadline")
                            return Answer(response.status_code, kind, body)
                        url = self._redirected(method, response)
                    carried = {} if method == "GET" else carried
                raise BackendError("http", "redirects in a circle", source=self.name)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                timed_out = isinstance(
                    error, (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
                )
                if guard.fired or limit.expired() or timed_out:
                    raise timeout_error(self.name, allowed) from None
                raise connection_error(self.name, self.address, error) from None

    def _read(self, response: requests.Response, limit: Deadline) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            size += len(chunk)
            if size > self.max_bytes:
                raise BackendError(
                    "too_large",
                    f"answered more than {self.max_bytes / 1e6:.3g} MB, the rest was not read",
                    source=self.name,
                    status=response.status_code,
                )
            if limit.expired():
                raise TimeoutError("deadline")
            chunks.append(chunk)
        return b"".join(chunks)

    def _redirected(self, method: str, response: requests.Response) -> str:
        """The address to follow: the same server only, or its https; forms by 307/308.

        Credentials go along, and another port may be another program's.
        """
        target = urljoin(response.url, response.headers["location"])
        old, new = urlsplit(response.url), urlsplit(target)
        same = (old.scheme, old.netloc) == (new.scheme, new.netloc)
        secured = (old.scheme, new.scheme) == ("http", "https")
        usual = old.port in (None, 80) and new.port in (None, 443)
        if not (same or (secured and usual and old.hostname == new.hostname)) or (
            method == "POST" and response.status_code not in (307, 308)
        ):
            raise BackendError(
                "http",
                f"answered {response.status_code} (redirect to {new.hostname}), not followed",
                source=self.name,
                status=response.status_code,
            )
        return target


def _said(answer: Answer) -> str:
    """The server's own message in an error answer: JSON `error`/`message`, or plain text."""
    if answer.is_html:
        return ""
    text = answer.body[:4096].decode("utf-8", "replace").strip()
    if "json" in answer.content_type or text.startswith("{"):
        try:
            body = json.loads(answer.body)
        except (ValueError, RecursionError):
            return ""
        said = (body.get("error") or body.get("message")) if isinstance(body, dict) else None
        return said if isinstance(said, str) else ""
    return text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
