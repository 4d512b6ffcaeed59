"""A worker that is killed with kill -9 while a message of its is on the wire."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.incidents.notify.receiving import Answer, Receiver
from tests.servers import rows, studio

PATIENCE_SECONDS = 600.0
SET_UP = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from incidents import lifecycle
from incidents.models import NotificationChannel, NotificationRule, Service
channel = NotificationChannel.objects.create(name="ops", kind="webhook", url={url!r},
    timeout_seconds=60.0)
rule = NotificationRule.objects.create(name="all", events=["opened", "acknowledged"])
rule.channels.set([channel])
service = Service.objects.create(slug="checkout", name="Checkout")
opened = lifecycle.open_incident(title="Checkout fails", severity="high", services=[service])
lifecycle.acknowledge(incident_id=opened.incident.pk, actor=None)
"""
SEND = """
from incidents.models import NotificationChannel
from incidents.notify.deliveries import release_leases, run_channel
release_leases()  # as the embedded server does at its start
run_channel(NotificationChannel.objects.get().pk)
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


def command(code: str) -> list[str]:
    return [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]


def run(environment: Mapping[str, str], code: str) -> None:
    done = subprocess.run(
        command(code), cwd=studio.ROOT, env=dict(environment), capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def kill_while_sending(environment: Mapping[str, str], receiver: Receiver) -> int:
    """Its return code; the receiver has the message, and has not answered."""
    child = subprocess.Popen(
        command(SEND), cwd=studio.ROOT, env=dict(environment), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not receiver.received:
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    return child.returncode


def states(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    found = rows.ask(
        environment, "SELECT key, state FROM incidents_notificationdelivery ORDER BY id"
    )
    return [(str(key).replace("-", ""), str(state)) for key, state in found]


def test_message_of_a_killed_worker_arrives_under_its_key(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.answers = [Answer(how="hang")]
    environment = studio.environment(tmp_path, OUTBOUND_ALLOWED_NETWORKS="127.0.0.0/8")
    run(environment, SET_UP.format(url=receiver.url))

    ended = kill_while_sending(environment, receiver)
    meanwhile = [state for _key, state in states(environment)]
    run(environment, SEND)

    after = states(environment)
    (opened, _), (acknowledged, _) = after
    tries = rows.ask(environment, "SELECT outcome FROM incidents_notificationattempt ORDER BY id")
    assert (ended, meanwhile) == (-signal.SIGKILL, ["sending", "pending"])
    assert [state for _key, state in after] == ["sent", "sent"]
    assert [key.replace("-", "") for key in receiver.keys] == [opened, opened, acknowledged]
    assert [outcome for (outcome,) in tries] == ["lost", "sent", "sent"]
