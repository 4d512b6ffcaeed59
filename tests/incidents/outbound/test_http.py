"""The connections of a process: kept for the next query, however many run at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import responses

from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from incidents.outbound.http import HttpSource

AT_ONCE = 80  # ten analyses of eight queries each


class Crowded(ThreadingHTTPServer):
    """Answers when AT_ONCE requests have come in together, and counts connections."""

    daemon_threads = True
    request_queue_size = 2 * AT_ONCE

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.together = threading.Barrier(AT_ONCE)
        self.connections = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Crowded

    def do_GET(self) -> None:
        self.server.together.wait(30)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Crowded]:
    crowded = Crowded()
    thread = threading.Thread(target=crowded.serve_forever, daemon=True)
    thread.start()
    yield crowded
    crowded.shutdown()
    crowded.server_close()
    thread.join()


def test_connections_of_ten_analyses_are_kept_for_the_next_ten(
    server: Crowded, caplog: pytest.LogCaptureFixture
) -> None:
    source = HttpSource("Prometheus", f"http://127.0.0.1:{server.server_port}", timeout_seconds=30)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _round in range(3):
            answers = pool.map(lambda _: source.get_json("/", {}, Deadline(30)), range(AT_ONCE))
            assert list(answers) == [{}] * AT_ONCE

    assert server.connections == AT_ONCE
    assert [r.getMessage() for r in caplog.records if "pool is full" in r.getMessage()] == []


@pytest.mark.parametrize(
    ("location", "followed"),
    [
        ("/prometheus/", True),
        ("http://prometheus.test:9090/prometheus/", True),
        ("http://prometheus.test:9999/", False),
        ("https://prometheus.test:9090/", False),
        ("http://elsewhere.test:9090/", False),
    ],
)
@responses.activate
def test_redirect_is_followed_on_the_same_server_only(location: str, followed: bool) -> None:
    source = HttpSource(
        "Prometheus", "http://prometheus.test:9090", headers={"Authorization": "Bearer s3cret"}
    )
    responses.get("http://prometheus.test:9090/api", status=302, headers={"Location": location})
    responses.get("http://prometheus.test:9090/prometheus/", json={})

    if followed:
        assert source.get_json("/api", {}, Deadline(5)) == {}
    else:
        with pytest.raises(BackendError, match="not followed"):
            source.get_json("/api", {}, Deadline(5))
