"""A storm of alerts on the product's own web process, which is killed in it.

Runs where DATABASE_URL and REDIS_URL are given, as tests/test_stack.py does.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import psycopg
import pytest
import requests

from tests.servers.stack import Stack
from tests.test_stack import NO_TELEMETRY

SENDERS = 8
BEFORE_THE_KILL = 40
"""Deliveries answered before the server is killed."""


@pytest.fixture
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Migrated, with its web process up; nothing else runs."""
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        pytest.skip("separate processes: DATABASE_URL and REDIS_URL are not set")
    made = Stack.in_folder(tmp_path_factory.mktemp("storm"), **NO_TELEMETRY)
    try:
        migrated = made.run("migrate", made.command("migrate"))
        assert migrated.returncode == 0, migrated.stderr
        made.start("web")
        made.await_healthy("web")
        yield made
    finally:
        made.kill()


class Storm:
    """Senders that each deliver one new alert after the other until the server is gone."""

    def __init__(self, stack: Stack) -> None:
        self.answered: list[str] = []
        self.enough = threading.Event()
        self._url = f"{stack.web_url}/api/intake/alertmanager"
        self._headers = {"Authorization": f"Bearer {stack.settings['ALERTMANAGER_TOKEN']}"}
        self._threads = [
            threading.Thread(target=self._send, args=(f"sender-{n}",)) for n in range(SENDERS)
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _send(self, name: str) -> None:
        number = 0
        while True:
            number += 1
            pod = f"{name}-{number}"
            labels = {"alertname": "Storm", "service": "ledger", "pod": pod}
            alert = {"status": "firing", "labels": labels, "fingerprint": pod}
            try:
                answer = requests.post(
                    self._url, json={"alerts": [alert]}, headers=self._headers, timeout=60
                )
            except requests.ConnectionError:
                return
            if answer.status_code == 202:
                self.answered.append(pod)
            if len(self.answered) >= BEFORE_THE_KILL:
                self.enough.set()


def test_every_alert_answered_2xx_survives_the_killing_of_the_server(stack: Stack) -> None:
    storm = Storm(stack)
    assert storm.enough.wait(120)

    os.killpg(stack.running["web"].child.pid, signal.SIGKILL)
    storm.join()

    with psycopg.connect(stack.environment("web")["DATABASE_URL"]) as connection:
        kept = connection.execute(
            "SELECT labels->>'pod', count(*) FROM incidents_alert WHERE name = 'Storm' GROUP BY 1"
        ).fetchall()
        waiting = connection.execute(
            "SELECT count(*) FROM incidents_alertoccurrence AS o "
            "JOIN incidents_delivery AS d ON d.id = o.delivery_id WHERE d.state = 'queued'"
        ).fetchone()
    pods = dict(kept)
    assert [pod for pod in storm.answered if pod not in pods] == []
    assert set(pods.values()) == {1}
    # each waits for grouping, which was not there to take any
    assert waiting == (len(pods),)
