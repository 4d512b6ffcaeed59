"""Storms of alerts in which a process of the product is killed.

Web, worker and beat as separate processes where DATABASE_URL and REDIS_URL are given, as in
tests/test_stack.py; the embedded server on SQLite where they are not.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.servers import rows
from tests.servers.rows import ask, count
from tests.servers.stack import Stack
from tests.servers.storm import SENDERS, Storm
from tests.servers.studio import ROOT, Studio, start
from tests.test_stack import NO_TELEMETRY

SERVICES = ("ledger", "checkout", "search")
BEFORE_THE_KILL = 40
AFTER_THE_KILL = 40
"""Alerts answered before a process is killed, and after it is started again."""
PATIENCE_SECONDS = 240.0
"""A lost worker's deliveries are taken up when its lease of 30 s is over."""

Environment = Mapping[str, str]


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Its database is what each test begins with; none of its processes is ever started."""
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        pytest.skip("separate processes: DATABASE_URL and REDIS_URL are not set")
    made = Stack.in_folder(tmp_path_factory.mktemp("migrated"), **NO_TELEMETRY)
    done = made.run("migrate", made.command("migrate"))
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def stack(migrated: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """With a migrated database of its own; nothing runs yet."""
    made = Stack.in_folder(tmp_path_factory.mktemp("storm"), **migrated.settings)
    rows.copy(migrated.environment("web"), made.environment("web"))
    try:
        yield made
    finally:
        made.kill()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Studio]:
    """`manage.py studio`, ready; it takes STORM_TOKEN from its environment for deliveries."""
    if os.environ.get("DATABASE_URL"):
        pytest.skip("the embedded server on SQLite: DATABASE_URL is set")
    token = "rst_" + secrets.token_hex(24)
    made = start(tmp_path / "state", STORM_TOKEN=token)
    try:
        made.await_ready()
        register = ["register_token", "storm", "--scope", "intake", "--token-env", "STORM_TOKEN"]
        subprocess.run(
            [sys.executable, "manage.py", *register], cwd=ROOT, env=made.environment, check=True
        )
        yield made
    finally:
        made.process.kill()
        made.process.wait()


def start_all(stack: Stack, *names: str) -> None:
    for name in names:
        stack.start(name)
    for name in names:
        stack.await_healthy(name)


def kill(stack: Stack, name: str) -> None:
    os.killpg(stack.running[name].child.pid, signal.SIGKILL)
    stack.running[name].child.wait()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def is_grouping(environment: Environment) -> bool:
    return count(environment, "incidents_delivery WHERE state = 'grouping'") > 0


def all_are_grouped(environment: Environment) -> bool:
    return count(environment, "incidents_delivery WHERE state IN ('queued', 'grouping')") == 0


def stored(environment: Environment) -> dict[str, tuple[int, int, int]]:
    """How many series, firings and incidents there are of each alert, by its label `pod`."""
    series: dict[str, set[str]] = {}
    firings: dict[str, set[str]] = {}
    incidents: dict[str, set[str]] = {}
    for labels, alert, occurrence, incident in ask(
        environment,
        "SELECT alert.labels, alert.id, occurrence.id, occurrence.incident_id "
        "FROM incidents_alert AS alert "
        "LEFT JOIN incidents_alertoccurrence AS occurrence ON occurrence.alert_id = alert.id "
        "WHERE alert.name = 'Storm'",
    ):
        pod = (labels if isinstance(labels, dict) else json.loads(labels))["pod"]
        for found, pk in ((series, alert), (firings, occurrence), (incidents, incident)):
            found.setdefault(pod, set()).update([str(pk)] if pk is not None else [])
    return {pod: (len(series[pod]), len(firings[pod]), len(incidents[pod])) for pod in series}


def assert_all_grouped_once(environment: Environment, storm: Storm) -> None:
    """What was answered is there, once, in one open incident a service."""
    kept = stored(environment)
    incidents = count(environment, "incidents_incident WHERE status <> 'resolved'")

    assert [pod for pod in storm.answered if pod not in kept] == []
    assert {pod: found for pod, found in kept.items() if found != (1, 1, 1)} == {}
    assert incidents == len(SERVICES)
    assert count(environment, "incidents_delivery WHERE state <> 'done'") == 0


def test_every_alert_answered_2xx_survives_the_killing_of_the_server(stack: Stack) -> None:
    """Nothing groups here: all of it waits."""
    start_all(stack, "web")
    storm = Storm(stack.web_url, stack.settings["ALERTMANAGER_TOKEN"], SERVICES)
    answered = storm.await_answers(BEFORE_THE_KILL, PATIENCE_SECONDS)

    kill(stack, "web")
    storm.stop()

    web = stack.environment("web")
    kept = stored(web)
    assert answered
    assert [pod for pod in storm.answered if pod not in kept] == []
    assert set(kept.values()) == {(1, 1, 0)}
    assert count(web, "incidents_delivery WHERE state = 'queued'") == len(kept)


def test_nothing_is_acknowledged_while_the_database_is_gone(stack: Stack) -> None:
    web = stack.environment("web")
    name = rows.name_of(web)
    start_all(stack, "web")
    storm = Storm(stack.web_url, stack.settings["ALERTMANAGER_TOKEN"], SERVICES)
    try:
        before = storm.await_answers(BEFORE_THE_KILL, PATIENCE_SECONDS)
        rows.beside(
            web,
            f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        )
        answers = storm.await_refusals(SENDERS, PATIENCE_SECONDS)
        rows.beside(web, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        after = storm.await_answers(AFTER_THE_KILL, PATIENCE_SECONDS)
    finally:
        storm.stop()

    kept = stored(web)
    assert (before, after) == (True, True)
    assert set(answers) == {(503, "database-unavailable", "5")}
    assert [pod for pod in storm.answered if pod not in kept] == []
    assert set(kept.values()) == {(1, 1, 0)}


def test_every_alert_is_grouped_once_after_the_killing_of_worker_and_beat(stack: Stack) -> None:
    """The worker dies with deliveries in hand; senders go on meanwhile."""
    victims = ("worker-studio", "beat")
    start_all(stack, "web", "worker-studio", "beat")
    storm = Storm(stack.web_url, stack.settings["ALERTMANAGER_TOKEN"], SERVICES)
    web = stack.environment("web")
    try:
        before = storm.await_answers(BEFORE_THE_KILL, PATIENCE_SECONDS)
        until(lambda: is_grouping(web))
        for name in victims:
            kill(stack, name)
        after = storm.await_answers(AFTER_THE_KILL, PATIENCE_SECONDS)
    finally:
        storm.stop()
    waiting = not all_are_grouped(web)

    start_all(stack, *victims)
    until(lambda: all_are_grouped(web))

    assert (before, after, waiting) == (True, True, True)
    assert_all_grouped_once(web, storm)


def test_every_alert_is_grouped_once_after_the_killing_of_the_embedded_server(
    embedded: Studio,
) -> None:
    """Web, workers and beat are one process; senders try until it is there again."""
    storm = Storm(embedded.url, embedded.environment["STORM_TOKEN"], SERVICES)
    ours = embedded.environment
    again = None
    try:
        before = storm.await_answers(BEFORE_THE_KILL, PATIENCE_SECONDS)
        until(lambda: is_grouping(ours))
        embedded.process.kill()
        embedded.process.wait()
        again = embedded.start_again()
        again.await_ready()
        after = storm.await_answers(AFTER_THE_KILL, PATIENCE_SECONDS)
        storm.stop()
        until(lambda: all_are_grouped(ours))
        unfinished = "correlation_analysis WHERE status IN ('queued', 'running')"
        until(lambda: count(ours, unfinished) == 0)

        assert (before, after) == (True, True)
        assert_all_grouped_once(ours, storm)
        assert count(ours, "correlation_analysis WHERE status = 'failed'") == 0
    finally:
        storm.stop()
        if again is not None:
            again.process.kill()
            again.process.wait()
