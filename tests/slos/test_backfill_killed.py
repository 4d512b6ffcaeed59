"""manage.py backfill_slos as a process that is killed while its source answers, and run again."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab import prometheus_api
from lab.tsdb import Tsdb
from slos.burn import DAY, HOUR
from tests.correlation.conftest import Answer, Backend
from tests.servers import rows, studio
from tests.servers.rows import Row

END = 1_790_000_000.0 // HOUR * HOUR
DAYS, SCRAPE = 3, 60
PATIENCE_SECONDS = 600.0
SET_UP = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from correlation.models import DataSource
from incidents.models import Service
from slos.models import SLO
DataSource.objects.create(slug="source", kind="prometheus", url={url!r}, by_default=True,
    timeout_seconds=60.0, options={{"step_seconds": {scrape}}})
SLO.objects.create(name="answers", service=Service.objects.create(slug="a", name="a"), target=0.99,
    period="1d", indicator={{"kind": "ratio", "total": 'requests_total{{service="a"}}',
    "bad": 'failures_total{{service="a"}}'}})
"""
QUERIES = {
    "rows": "SELECT at, seconds, good, total, present, counted_seconds, consistent, excluded "
    "FROM slos_slosample ORDER BY seconds, at",
    "snapshots": "SELECT at, status, quality, sli, budget_remaining, burn_rates, error "
    "FROM slos_slosnapshot ORDER BY at",
}


class Source:
    """A Prometheus of some days that can fall silent in the middle of an answer."""

    def __init__(self) -> None:
        self.tsdb = Tsdb(2 * DAYS * DAY)
        for number in range(DAYS * 1440):
            at = END - DAYS * DAY + number * SCRAPE
            self.tsdb.append("requests_total", {"service": "a"}, at, 1000.0 + 60 * number)
            self.tsdb.append("failures_total", {"service": "a"}, at, 10.0 + number // 7)
        self.asked = 0
        self.silent_from = 0
        self.reached, self.released = threading.Event(), threading.Event()

    def respond(self, path: str, params: dict[str, list[str]]) -> Answer:
        self.asked += 1
        if self.asked == self.silent_from:
            self.reached.set()
            self.released.wait(PATIENCE_SECONDS)
        return prometheus_api.respond(self.tsdb, "POST", path, params)


@pytest.fixture
def source(backend: Backend) -> Iterator[Source]:
    found = Source()
    backend.respond = found.respond
    yield found
    found.released.set()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def run(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(*arguments), cwd=studio.ROOT, env=dict(environment), capture_output=True,
        text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def contents(environment: Mapping[str, str]) -> dict[str, list[Row]]:
    return {name: rows.ask(environment, query) for name, query in QUERIES.items()}


def test_backfill_that_was_killed_is_finished_by_the_next_as_if_nothing_had_been(
    tmp_path: Path, backend: Backend, source: Source
) -> None:
    span = [datetime.fromtimestamp(at, UTC).isoformat() for at in (END - DAYS * DAY, END)]
    history = ("backfill_slos", "--from", span[0], "--to", span[1])
    unbroken = studio.environment(tmp_path / "unbroken")
    (tmp_path / "unbroken").mkdir()
    run(unbroken, "shell", "--no-imports", "-c", SET_UP.format(url=backend.url, scrape=SCRAPE))
    broken = studio.environment(tmp_path / "broken")
    rows.copy(unbroken, broken)
    run(unbroken, *history)
    queries = source.asked

    source.silent_from = queries + queries // 2
    child = subprocess.Popen(
        command(*history), cwd=studio.ROOT, env=broken, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert source.reached.wait(PATIENCE_SECONDS)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    source.released.set()
    halfway = rows.count(broken, "slos_slosample WHERE seconds = 300")
    asked = source.asked
    said = run(broken, *history)

    every = len(contents(unbroken)["rows"]) - DAYS * 24
    assert child.returncode == -signal.SIGKILL
    assert 0 < halfway < every
    assert f"Five-minute rows stored: {every - halfway}.\n" in said.stdout
    assert f"{DAYS}/{DAYS} pieces" in said.stderr
    assert source.asked - asked < queries  # what is there is not asked again
    assert contents(broken) == contents(unbroken)
