"""A real HTTP server on loopback that misbehaves in one chosen way, for the fault matrix."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STATUSES = {"401": 401, "403": 403, "404": 404, "429": 429, "500": 500}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyServer

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.server.requests.append((self.command, self.path, dict(self.headers)))
        try:
            self._misbehave(self.server.mode)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_POST = do_GET  # noqa: N815 - the name http.server looks for

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _misbehave(self, mode: str) -> None:
        if mode in STATUSES:
            self._send(STATUSES[mode], b"no luck", "text/plain")
        elif mode == "hang":
            self.server.released.wait(30)
            self.close_connection = True
        elif mode == "drip":
            self._headers(200, "application/json", 1_000_000)
            self._drip(b'{"status": "success", "data": ')
        elif mode == "drip-headers":
            self._drip(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        elif mode == "truncated":
            self._headers(200, "application/json", 1_000_000)
            self.wfile.write(b'{"status": "success", "data": {"resultType": ')
            self.close_connection = True
        elif mode == "huge":
            self._headers(200, "application/json", 2**40)
            block = b" " * 65536
            while not self.server.released.is_set():
                self.wfile.write(block)
        elif mode == "redirect":
            self.send_response(302)
            self.send_header("Location", "http://elsewhere.invalid/api")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif mode == "flaky" and len(self.server.requests) == 1:
            self._send(503, b"starting", "text/plain")
        else:
            self._send(200, self.server.bodies[mode], "application/json")

    def _headers(self, status: int, kind: str, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self._headers(status, kind, len(body))
        self.wfile.write(body)

    def _drip(self, start: bytes) -> None:
        self.wfile.write(start)
        while not self.server.released.is_set():
            self.wfile.write(b" ")
            time.sleep(0.05)
        self.close_connection = True


class FaultyServer(ThreadingHTTPServer):
    """`mode` names the misbehaviour; `requests` collects (method, path, headers)."""

    daemon_threads = True

    def __init__(self, mode: str, bodies: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mode = mode
        self.bodies = bodies
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.released = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up, or spoke TLS to us, is what these tests are about."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


def envelope(result_type: str, result: list[Any]) -> bytes:
    """The success envelope of Prometheus and Loki."""
    data = {"resultType": result_type, "result": result}
    return json.dumps({"status": "success", "data": data}).encode()


BODIES = {
    "null": b"null",
    "nan-number": b'{"status": "success", "data": NaN, "items": NaN, "traces": NaN}',
    "html": b"<!DOCTYPE html><html><body>Sign in</body></html>",
    "not-json": b"all good",
    "wrong-json": b'{"hits": []}',
    "empty": b"",
    "flaky": envelope("vector", []),
    "nan": envelope(
        "matrix", [{"metric": {"service": "checkout"}, "values": [[1000, "NaN"], [1015, "+Inf"]]}]
    ),
}


@contextmanager
def faulty_server(mode: str, bodies: dict[str, bytes] | None = None) -> Iterator[FaultyServer]:
    server = FaultyServer(mode, {**BODIES, **(bodies or {})})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def refused_url() -> str:
    """An address on loopback where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
