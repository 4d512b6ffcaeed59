"""Receivers on real sockets that answer as they are told to, or do not."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True)
class Answer:
    """What a receiver does with one request.

    `how` is answer, hang (says nothing until it is closed), close (without an answer),
    cut (in the middle of its body) or drip (a byte of its head now and then).
    """

    status: int = 200
    body: str = "ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    how: str = "answer"


@dataclass(frozen=True)
class Received:
    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"]


class Receiver(ThreadingHTTPServer):
    """Does `answers` one after the other, and then answers 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer] = []
        self.received: list[Received] = []
        self.closing = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/in"
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()
        self._thread.join()

    @property
    def keys(self) -> list[str]:
        return [one.key for one in self.received]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append(Received(self.path, headers, content))
        answer = self.server.answers.pop(0) if self.server.answers else Answer()
        getattr(self, f"_{answer.how}")(answer)

    def do_GET(self) -> None:
        self.do_POST()

    def _answer(self, answer: Answer) -> None:
        self._head(answer, len(answer.body.encode()))
        self.wfile.write(answer.body.encode())

    def _cut(self, answer: Answer) -> None:
        self._head(answer, len(answer.body.encode()) + 100)
        self.wfile.write(answer.body.encode())
        self._close(answer)

    def _hang(self, answer: Answer) -> None:
        self.server.closing.wait()

    def _close(self, answer: Answer) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _drip(self, answer: Answer) -> None:
        while not self.server.closing.wait(0.05):
            self.wfile.write(b"H")
            self.wfile.flush()

    def _head(self, answer: Answer, length: int) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Length", str(length))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Mailbox:
    """Takes letters. `refusals` answers a recipient or the content with an SMTP error."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.refusals: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if "content" in self.refusals:
            return self.refusals.pop("content")
        self.letters.append(envelope)
        return "250 OK"


class MailServer:
    """An SMTP server with a mailbox, on a port of its own."""

    def __init__(self) -> None:
        self.mailbox = Mailbox()
        self._controller = Controller(self.mailbox, hostname="127.0.0.1", port=_free_port())
        self._controller.start()
        self.port = self._controller.port

    def stop(self) -> None:
        self._controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
