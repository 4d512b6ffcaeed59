"""The product as a process, killed in the middle of its work."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from lab import loki_api, prometheus_api
from tests.correlation.conftest import NO_SERIES, Answer, Backend
from tests.correlation.lab_backend import recording
from tests.servers import studio

INCIDENTS = 10
PATIENCE_SECONDS = 240.0


@pytest.fixture
def backend() -> Iterator[Backend]:
    server = Backend()
    yield server
    server.close()


@pytest.fixture
def running(tmp_path: Path, backend: Backend) -> Iterator[studio.Studio]:
    """The product against `backend`, with the shop's catalogue and an admin `ada`."""
    started = studio.start(
        tmp_path / "state",
        PROMETHEUS_URL=backend.url,
        LOKI_URL=backend.url,
        CORRELATION_DEADLINE_SECONDS="300",
        # of the runs that die; with a broker, others' leases are waited for
        CORRELATION_LEASE_SECONDS="45",
        ADA_PASSWORD="correct horse battery",
    )
    started.await_ready()
    manage(started, "create_user", "ada", "--email", "ada@example.com", "--role", "admin",
           "--password-env", "ADA_PASSWORD")  # fmt: skip
    manage(started, "shell", "-v", "0", "-c", "from incidents.demo import seed; seed()")
    # a busy machine works longer at ten analyses' queries than a source may take
    patient = "from correlation.models import DataSource as D; D.objects.update(timeout_seconds=60)"
    manage(started, "shell", "-v", "0", "-c", patient)
    yield started
    started.process.kill()
    started.process.wait()


def manage(running: studio.Studio, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=studio.ROOT,
        env=running.environment,
        check=True,
        capture_output=True,
    )


def sign_in(url: str) -> requests.Session:
    session = requests.Session()
    answer = session.post(
        f"{url}/api/auth/login", json={"username": "ada", "password": "correct horse battery"}
    )
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return session


def until(condition: Callable[[], bool], state: Callable[[], object] = str) -> None:
    """Wait for it; `state` is what a failure shows."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen in time: {state()}"
        time.sleep(0.2)


def test_ten_analyses_in_flight_survive_kill_minus_nine(
    running: studio.Studio, backend: Backend
) -> None:
    recorded = recording("pool-exhaustion")
    slow = True
    answers: dict[str, Answer] = {}
    evaluating = threading.Lock()

    def respond(path: str, params: dict[str, list[str]]) -> Answer:
        if slow:
            time.sleep(8)
            return NO_SERIES
        if not path.startswith("/loki") and "end" in params:
            # nothing follows the recording's end: ten analyses then ask the same, answered once
            params["end"] = [str(min(float(params["end"][0]), recorded.end_at))]
        asked = f"{path} {sorted(params.items())}"
        with evaluating:
            if asked not in answers:
                api: Any = loki_api if path.startswith("/loki") else prometheus_api
                store: Any = recorded.logs if api is loki_api else recorded.tsdb
                answers[asked] = api.respond(store, "GET", path, params)
        return answers[asked]

    backend.respond = respond
    session = sign_in(running.url)
    started_at = datetime.fromtimestamp(recorded.fault_at or 0, UTC).isoformat()
    ids = [
        session.post(
            f"{running.url}/api/incidents",
            json={
                "title": f"Storefront fails {n}",
                "severity": "critical",
                "service": "frontend",
                "started_at": started_at,
                "allow_duplicate": True,
            },
        ).json()["id"]
        for n in range(INCIDENTS)
    ]

    def analysis(incident: str) -> dict[str, Any]:
        answer = session.get(f"{running.url}/api/incidents/{incident}/correlations").json()
        found: dict[str, Any] = answer["analysis"]
        return found

    def statuses() -> list[str]:
        """Of the runs that were in flight."""
        return [
            session.get(f"{running.url}/api/incidents/{pk}/correlations?analysis={run}").json()[
                "analysis"
            ]["status"]
            for pk, run in in_flight.items()
        ]

    in_flight: dict[str, str] = {}

    def all_run() -> bool:
        for pk in ids:
            newest = analysis(pk)
            if newest["status"] == "running" and newest["reason"] == "opened":
                in_flight.setdefault(pk, newest["id"])
        return len(in_flight) == INCIDENTS

    until(all_run)
    first = [in_flight[pk] for pk in ids]
    running.process.kill()
    running.process.wait()
    slow = False
    running.environment["CORRELATION_LEASE_SECONDS"] = "330"  # a busy machine works longer
    again = running.start_again()
    try:
        again.await_ready()
        until(lambda: statuses() == ["done"] * INCIDENTS, statuses)

        events = [
            [event["kind"] for event in session.get(
                f"{running.url}/api/incidents/{pk}/timeline").json()]
            for pk in ids
        ]  # fmt: skip
        attempts = [
            session.get(f"{running.url}/api/incidents/{pk}/correlations?analysis={run}").json()[
                "analysis"
            ]["attempt"]
            for pk, run in zip(ids, first, strict=True)
        ]
    finally:
        again.process.kill()
        again.process.wait()

    assert [kinds.count("root_cause_identified") for kinds in events] == [1] * INCIDENTS
    assert [kinds.count("correlation_analysis_started") for kinds in events] == [1] * INCIDENTS
    assert attempts == [2] * INCIDENTS
