"""Incidents to analyse, and a real HTTP server in place of Prometheus."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.models import Role, User
from correlation import shared_answers
from incidents import lifecycle
from incidents.models import Incident, Service

Answer = tuple[int, str, bytes]
Respond = Callable[[str, dict[str, list[str]]], Answer]
NO_SERIES = (
    200,
    "application/json",
    json.dumps({"status": "success", "data": {"resultType": "matrix", "result": []}}).encode(),
)


@pytest.fixture(autouse=True)
def no_shared_answers() -> Iterator[None]:
    """Each test asks for itself: no answer and no moment of another test's."""
    shared_answers.forget()
    yield
    shared_answers.forget()


@pytest.fixture
def sam(db: None) -> User:
    """A responder."""
    return User.objects.create(
        username="sam", email="sam@example.com", role=Role.RESPONDER, password="!"
    )


@pytest.fixture
def page(client: Client, sam: User) -> Client:
    """A browser in which `sam` is signed in."""
    client.force_login(sam)
    return client


@pytest.fixture
def make_incident(db: None) -> Callable[..., Incident]:
    def make(title: str = "Checkout fails", slug: str = "checkout", **arguments: Any) -> Incident:
        service, _ = Service.objects.get_or_create(slug=slug, defaults={"name": slug})
        arguments.setdefault("severity", "high")
        return lifecycle.open_incident(
            title=title, services=[service], allow_duplicate=True, **arguments
        ).incident

    return make


class Backend:
    """A telemetry server whose answers a test decides."""

    def __init__(self) -> None:
        self.respond: Respond = lambda path, params: NO_SERIES
        self.asked: list[str] = []
        backend = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(urlsplit(self.path).query)

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                self._answer(self.rfile.read(length).decode())

            def _answer(self, query: str) -> None:
                path = urlsplit(self.path).path
                backend.asked.append(path)
                status, kind, body = backend.respond(path, parse_qs(query))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(OSError):  # the client may have given up, or be dead
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def backend() -> Iterator[Backend]:
    server = Backend()
    yield server
    server.close()
