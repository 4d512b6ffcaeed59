import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from lab.alerts import Alert
from lab.webhooks import Dispatcher, Group, body, fingerprint

CONTRACTS = Path(__file__).parents[1] / "contracts" / "alertmanager"
LABELS = {
    "alertname": "PaymentErrorBudgetBurn",
    "namespace": "prod",
    "service": "checkout",
    "severity": "critical",
}


def make_alert(ended_at: float | None = None) -> Alert:
    return Alert(LABELS, {"summary": "s"}, "http://p/graph", 1000.0, 1010.0, 1005.0, ended_at)


class Receiver:
    def __init__(self) -> None:
        self.got: queue.Queue[tuple[str | None, dict[str, Any]]] = queue.Queue()
        self.statuses: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.got.put((self.headers["Authorization"], payload))
                self.send_response(outer.statuses.pop(0) if outer.statuses else 202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return None

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/api/intake/alertmanager"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_fingerprint_is_alertmanagers_own() -> None:
    assert fingerprint(LABELS) == "8911fcadee84a8bd"  # webhook_resolved.json


def test_body_has_the_keys_of_a_real_one() -> None:
    group = Group({"alertname": "A", "service": "checkout"}, {"f": make_alert()})
    real = json.loads((CONTRACTS / "webhook_resolved.json").read_text())["request"]["body"]

    made = body(group)

    assert set(made) == set(real)
    assert set(made["alerts"][0]) == set(real["alerts"][0])  # type: ignore[index]
    assert made["groupKey"] == '{}:{alertname="A", service="checkout"}'
    assert made["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"  # type: ignore[index]


def test_dispatcher_retries_until_taken_then_sends_the_resolution(receiver: Receiver) -> None:
    receiver.statuses = [503, 202]
    dispatcher = Dispatcher(receiver.url, "secret")
    dispatcher.start()
    alert = make_alert()
    dispatcher.take([alert])

    refused = receiver.got.get(timeout=20)
    taken = receiver.got.get(timeout=20)
    alert.ended_at = 1020.0
    dispatcher.take([alert])
    resolved = receiver.got.get(timeout=30)
    dispatcher.stop()

    assert refused == taken
    assert (taken[0], taken[1]["status"]) == ("Bearer secret", "firing")
    assert resolved[1]["status"] == "resolved"
    assert resolved[1]["alerts"][0]["endsAt"] == "1970-01-01T00:17:00.000Z"


def test_dispatcher_says_nothing_of_an_alert_that_ended_untold(receiver: Receiver) -> None:
    dispatcher = Dispatcher(receiver.url, "")
    alert = make_alert()
    dispatcher.take([alert])
    alert.ended_at = 1020.0
    dispatcher.take([make_alert(ended_at=1020.0)])
    dispatcher.start()
    other = Alert({**LABELS, "alertname": "Other"}, {}, "", 1.0, 1.0, 1.0)
    dispatcher.take([other])

    first = receiver.got.get(timeout=20)
    dispatcher.stop()

    assert first[1]["groupLabels"]["alertname"] == "Other"
