"""Alerts stored a second, beside the raw views: python -m benchmarks.intake [seconds]

Starts PostgreSQL with fsync on, the product under gunicorn as docker/gunicorn.conf.py has it (two
workers) and the raw views of benchmarks.raw.intake the same way, and sends to each in turn from
eight connections. Rates are of this machine under whatever load it has; ratios of the same run
and CPU time are what to compare. Last, the embedded product's own figure.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.raw import intake as raw
from benchmarks.raw.sender import Outcome, send
from reliability_studio import children
from tests.servers import free_port, postgres, studio, valkey

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 6.0
ROUNDS = 3
CONNECTIONS = 8
SOURCE = "bench"
REGISTER = ("register_token", SOURCE, "--scope", "intake", "--token-env", "BENCH_TOKEN")
GUNICORN = (sys.executable, "-m", "gunicorn", "-c", "docker/gunicorn.conf.py")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Site:
    """A server to send to: its address, its process and those that work for it."""

    port: int
    pids: tuple[int, ...]

    def cpu_seconds(self) -> float:
        return sum(_cpu_seconds(pid) for pid in _families(self.pids))


@dataclass(frozen=True)
class Measured:
    alerts_per_second: float
    cpu_ms: float
    refused: int


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        production(folder, seconds)
        embedded(folder / "embedded", seconds)


def production(folder: Path, seconds: float) -> None:
    for part in ("database", "broker", "metrics"):
        (folder / part).mkdir(mode=0o700)
    database = postgres.start(folder / "database", durable=True)
    broker = valkey.start(folder / "broker")
    token = f"rst_{secrets.token_urlsafe(32)}"
    environment = os.environ | {
        "DATABASE_URL": database.url,
        "REDIS_URL": broker.url,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "STUDIO_DIR": str(folder / "state"),
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "BENCH_TOKEN": token,
    }
    shared = (database.process.pid, broker.process.pid)
    try:
        manage(environment, "migrate", "--verbosity", "0")
        manage(environment, *REGISTER)
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(raw.TABLES)
            with (
                served("reliability_studio.wsgi", environment, shared, folder) as ours,
                served("benchmarks.raw.intake", environment, shared, folder) as theirs,
            ):
                compare(ours, theirs, token, connection, seconds)
    finally:
        broker.stop()
        database.stop()


def compare(
    ours: Site, theirs: Site, token: str, connection: psycopg.Connection, seconds: float
) -> None:
    intake = f"/api/intake/alertmanager?source={SOURCE}"
    for words, path, size in (("single", "/single", 1), ("20 a request", "/batch", 20)):
        measured: dict[str, list[Measured]] = {"raw": [], "new": [], "again": []}
        for _ in range(ROUNDS):
            measured["raw"].append(measure(theirs, path, "", size, seconds))
            before = stored(connection)
            new = measure(ours, intake, token, size, seconds)
            measured["new"].append(new)
            lost = round(new.alerts_per_second * seconds) - (stored(connection) - before)
            measured["again"].append(measure(ours, intake, token, size, seconds, repeat=True))
            if lost:
                print(f"{words}: {lost} alerts of 2xx answers are not in the database")
        base = statistics.median(one.alerts_per_second for one in measured["raw"])
        for kind, runs in measured.items():
            rate = statistics.median(one.alerts_per_second for one in runs)
            cpu = statistics.median(one.cpu_ms for one in runs)
            refused = sum(one.refused for one in runs)
            print(
                f"{words:>12} {kind:>5}: {rate:7.0f} alerts/s, {rate / base:4.2f} of raw, "
                f"{cpu:5.3f} CPU-ms an alert (server, database, broker), {refused} not 2xx"
            )


def measure(
    site: Site, path: str, token: str, size: int, seconds: float, *, repeat: bool = False
) -> Measured:
    before = site.cpu_seconds()
    outcome: Outcome = send(site.port, path, token, size, seconds, CONNECTIONS, repeat=repeat)
    used = site.cpu_seconds() - before
    alerts = outcome.accepted * size
    return Measured(alerts / seconds, 1000 * used / max(alerts, 1), outcome.refused)


def embedded(folder: Path, seconds: float) -> None:
    """The product in one process on SQLite: intake, workers and beat share it."""
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    token = f"rst_{secrets.token_urlsafe(32)}"
    directory = {"STUDIO_DIR": str(folder), "BENCH_TOKEN": token}
    manage(environment | directory, "migrate", "--verbosity", "0")
    manage(environment | directory, *REGISTER)
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    running = studio.start(folder)
    try:
        running.await_ready()
        site = Site(running.port, (running.process.pid,))
        for words, size in (("single", 1), ("20 a request", 20)):
            found = measure(site, f"/api/intake/alertmanager?source={SOURCE}", token, size, seconds)
            print(
                f"{words:>12} embedded: {found.alerts_per_second:5.0f} alerts/s, "
                f"{found.cpu_ms:5.3f} CPU-ms an alert (grouping included), {found.refused} not 2xx"
            )
    finally:
        running.stop()


@contextmanager
def served(
    module: str, environment: dict[str, str], shared: tuple[int, ...], folder: Path
) -> Iterator[Site]:
    """gunicorn with the module's application, on a free port, once it accepts."""
    port = free_port()
    with (folder / f"{module}.log").open("wb") as log:
        process = children.start(
            [*GUNICORN, f"{module}:application"],
            cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env=environment | {"WEB_BIND": f"127.0.0.1:{port}", "WEB_WORKERS": "2"},
        )  # fmt: skip
    try:
        send(port, "/health", "", 1, 0.5, CONNECTIONS)  # connections and imports
        yield Site(port, (process.pid, *shared))
    finally:
        children.stop(process, stop_signal=signal.SIGTERM, patience_seconds=30)


def manage(environment: dict[str, str], *words: str) -> None:
    subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=environment, check=True)  # noqa: S603


def stored(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM incidents_alert").fetchone()
    return int(row[0]) if row else 0


def _families(pids: tuple[int, ...]) -> set[int]:
    """The processes and all below them."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            fields = _stat(int(entry.name))
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = set[int](), list(pids)
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        waiting += parents.get(pid, [])
    return found


def _cpu_seconds(pid: int) -> float:
    """Of the process and those it has waited for."""
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / TICKS if fields else 0.0


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


if __name__ == "__main__":
    print(json.dumps({"seconds": SECONDS, "rounds": ROUNDS, "connections": CONNECTIONS}))
    main()
