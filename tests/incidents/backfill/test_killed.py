"""manage.py backfill_incidents as a process that is killed halfway, and run again."""

from __future__ import annotations

import csv
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers import rows, studio
from tests.servers.rows import Row

DAY = datetime(2026, 5, 1, tzinfo=UTC)
INCIDENTS = 150
READ_BEFORE_THE_KILL = 500
"""Bytes of what it says: it waits to be read, so that it cannot be done by then."""
SMALLEST_PIPE_BYTES = 4096
SERVICES = ("checkout", "payment", "ledger")

# ids are made anew, and when a row was written is not what it says; all else is to be equal
QUERIES = {
    "incidents": "SELECT number, title, description, severity, status, source, environment, "
    "started_at, detected_at, resolved_at, correlation_key, revision "
    "FROM incidents_incident ORDER BY number",
    "series": "SELECT identity, name, labels, firing, received_count "
    "FROM incidents_alert ORDER BY identity",
    "firings": "SELECT i.number, a.identity, o.started_at, o.claimed_started_at, o.resolved_at, "
    "o.end_told_at, o.joined_by FROM incidents_alertoccurrence AS o "
    "JOIN incidents_alert AS a ON a.id = o.alert_id "
    "JOIN incidents_incident AS i ON i.id = o.incident_id ORDER BY 1, 3, 2",
    "status": "SELECT i.number, c.from_status, c.to_status, c.at, c.reason "
    "FROM incidents_statuschange AS c "
    "JOIN incidents_incident AS i ON i.id = c.incident_id ORDER BY 1, 4, 3",
    "timeline": "SELECT i.number, e.seq, e.kind, e.title, e.body, e.occurred_at "
    "FROM timeline_timelineevent AS e "
    "JOIN incidents_incident AS i ON i.id = e.incident_id ORDER BY 1, 2",
    "sealed": "SELECT count(*) FROM timeline_timelineanchor WHERE sealed_at IS NOT NULL",
    "numbers": "SELECT * FROM incidents_numbersequence ORDER BY 1",
}


def write(path: Path) -> Path:
    """Incidents of two to four firings, two hours after each other."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["starts_at", "ends_at", "alertname", "service", "severity"])
        for number in range(INCIDENTS):
            begin = DAY + timedelta(hours=2 * number)
            for firing in range(2 + number % 3):
                starts_at = begin + timedelta(minutes=firing)
                ends_at = starts_at + timedelta(minutes=10 + firing)
                name, service = f"Alert{firing}", SERVICES[number % len(SERVICES)]
                times = [starts_at.isoformat(), ends_at.isoformat()]
                out.writerow([*times, name, service, "high"])
    return path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def run(environment: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        command(*arguments), cwd=studio.ROOT, env=dict(environment), capture_output=True,
        text=True, stdin=subprocess.DEVNULL, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_and_kill(environment: Mapping[str, str], *arguments: str) -> int:
    """Its exit code after SIGKILL in the middle of what it has to say."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, SMALLEST_PIPE_BYTES)
    child = subprocess.Popen(
        command(*arguments), cwd=studio.ROOT, env=dict(environment), stdout=writer,
        stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writer)
    try:
        heard = 0
        while heard < READ_BEFORE_THE_KILL and (said := os.read(reader, 100)):
            heard += len(said)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        os.close(reader)
    return child.returncode


def contents(environment: Mapping[str, str]) -> dict[str, list[Row]]:
    return {name: rows.ask(environment, query) for name, query in QUERIES.items()}


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="pipes of a set size: not Linux")
def test_import_that_was_killed_is_finished_by_the_next_as_if_nothing_had_been(
    tmp_path: Path,
) -> None:
    history = ("backfill_incidents", "--file", str(write(tmp_path / "history.csv")))
    unbroken = studio.environment(tmp_path / "unbroken")
    (tmp_path / "unbroken").mkdir()
    run(unbroken, "migrate", "--verbosity", "0")
    broken = studio.environment(tmp_path / "broken")
    rows.copy(unbroken, broken)

    run(unbroken, *history)
    code = run_and_kill(broken, *history)
    halfway = rows.count(broken, "incidents_incident")
    said = run(broken, *history)

    assert code == -signal.SIGKILL
    assert 0 < halfway < INCIDENTS
    assert said.endswith(f"  {INCIDENTS - halfway} made\n  {halfway} there already\n")
    assert contents(broken) == contents(unbroken)
