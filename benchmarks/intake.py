"""Alerts stored a second, beside the raw views: python -m benchmarks.intake

    --seconds 6       how long each measurement sends
    --rounds 3        how often each is repeated; medians count
    --stored 1000000  instead: an empty database against one with so many alerts, by turns

Starts PostgreSQL with fsync on, the product under gunicorn as docker/gunicorn.conf.py has it (two
workers) and the raw views of benchmarks.raw.intake the same way, and sends to each in turn from
eight connections. Rates are of this machine under whatever load it has; ratios of the same run
and CPU time are what to compare. Last, the embedded product's own figure.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from benchmarks.load.filling import fill
from benchmarks.load.site import ROOT, Site, manage, served
from benchmarks.raw import intake as raw
from benchmarks.raw.sender import send
from tests.servers import postgres, studio, valkey

CONNECTIONS = 8
SOURCE = "bench"
REGISTER = ("register_token", SOURCE, "--scope", "intake", "--token-env", "BENCH_TOKEN")
ADDRESS = f"/api/intake/alertmanager?source={SOURCE}"
MOST_STATEMENTS = 4
SLOWEST_WITH_STORED = 1.15
SAME = 0.97  # medians of a few seconds are not closer than that


@dataclass(frozen=True)
class Aim:
    """Least ratio to the raw view, most CPU-ms an alert (docs/alert-intake.md).

    `raw_cpu_ms` is what the raw view took on the machine the CPU aim was set on: a machine on
    which it takes twice as much is judged by the ratio of the two.
    """

    words: str
    raw_path: str
    size: int
    ratio: float
    cpu_ms: float
    raw_cpu_ms: float

    @property
    def cpu_ratio(self) -> float:
        return self.cpu_ms / self.raw_cpu_ms


AIMS = (
    Aim("single", "/single", 1, 0.5, 1.8, 0.92),
    Aim("20 a request", "/batch", 20, 0.4, 0.3, 0.13),
)


@dataclass(frozen=True)
class Measured:
    rate: float
    cpu_ms: float
    refused: int
    cut: int


@dataclass(frozen=True)
class Production:
    """A server of databases and a broker; `environment` is without the database."""

    url: str
    shared: tuple[int, ...]
    environment: dict[str, str]
    token: str
    folder: Path

    @contextmanager
    def product(self, name: str) -> Iterator[tuple[Site, psycopg.Connection]]:
        """The product on an empty database of that name."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        url = urlsplit(self.url)._replace(path=f"/{name}").geturl()
        (self.folder / f"metrics-{name}").mkdir()
        environment = self.environment | {
            "DATABASE_URL": url,
            "PROMETHEUS_MULTIPROC_DIR": str(self.folder / f"metrics-{name}"),
        }
        manage(environment, "migrate", "--verbosity", "0")
        manage(environment, *REGISTER)
        with (
            psycopg.connect(url, autocommit=True) as connection,
            served("reliability_studio.wsgi", environment, self.shared, self.folder) as site,
        ):
            measure(site, ADDRESS, self.token, 1, 0.5)  # imports, connections, the source
            yield site, connection

    def statements(self, connection: psycopg.Connection) -> dict[str, list[int]]:
        """Of 1 and 20 alerts, new and again: [first of a process, later ones]."""
        url = urlsplit(self.url)._replace(path=f"/{connection.info.dbname}").geturl()
        command = [sys.executable, "-m", "benchmarks.load.statements"]
        environment = self.environment | {"DATABASE_URL": url, "BENCH_SOURCE": SOURCE}
        done = subprocess.run(  # noqa: S603
            command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE
        )
        found: dict[str, list[int]] = json.loads(done.stdout.splitlines()[-1])
        return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.intake")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stored", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        with production(folder) as place:
            if asked.stored:
                stored_or_empty(place, asked.stored, asked.seconds, asked.rounds)
                return
            beside_raw(place, asked.seconds, asked.rounds)
        embedded(folder / "embedded", asked.seconds)


@contextmanager
def production(folder: Path) -> Iterator[Production]:
    for part in ("database", "broker"):
        (folder / part).mkdir(mode=0o700)
    token = f"rst_{secrets.token_urlsafe(32)}"
    with ExitStack() as stack:
        database = postgres.start(folder / "database", durable=True)
        stack.callback(database.stop)
        broker = valkey.start(folder / "broker")
        stack.callback(broker.stop)
        environment = os.environ | {
            "REDIS_URL": broker.url,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "STUDIO_DIR": str(folder / "state"),
            "BENCH_TOKEN": token,
            # nobody groups here: what is stored may wait
            "INTAKE_MAX_WAITING": "100000000",
        }
        shared = (database.process.pid, broker.process.pid)
        yield Production(database.url, shared, environment, token, folder)


def beside_raw(place: Production, seconds: float, rounds: int) -> None:
    with place.product("studio") as (ours, connection):
        connection.execute(raw.TABLES.encode())
        url = urlsplit(place.url)._replace(path="/studio").geturl()
        environment = place.environment | {"DATABASE_URL": url}
        with served("benchmarks.raw.intake", environment, place.shared, place.folder) as theirs:
            for aim in AIMS:
                measure(theirs, aim.raw_path, "", aim.size, 0.5)
                compare(aim, ours, theirs, place.token, connection, seconds, rounds)
        for kind, taken in place.statements(connection).items():
            said = (
                f"SQL statements of a request, {kind}: {taken[1]} (first of a process {taken[0]})"
            )
            print(f"{said}  {verdict(max(taken) <= MOST_STATEMENTS, f'at most {MOST_STATEMENTS}')}")


def compare(
    aim: Aim,
    ours: Site,
    theirs: Site,
    token: str,
    connection: psycopg.Connection,
    seconds: float,
    rounds: int,
) -> None:
    runs: dict[str, list[Measured]] = {"raw": [], "new": [], "again": []}
    lost = 0
    for _ in range(rounds):
        runs["raw"].append(measure(theirs, aim.raw_path, "", aim.size, seconds))
        before = stored(connection)
        new = measure(ours, ADDRESS, token, aim.size, seconds)
        runs["new"].append(new)
        # one that was cut off may have been stored: only too few are lost
        lost += max(0, round(new.rate * seconds) - (stored(connection) - before))
        runs["again"].append(measure(ours, ADDRESS, token, aim.size, seconds, repeat=True))
    rates = {kind: statistics.median(run.rate for run in of) for kind, of in runs.items()}
    cpu = {kind: statistics.median(run.cpu_ms for run in of) for kind, of in runs.items()}
    for kind, of in runs.items():
        ratio, refused = rates[kind] / rates["raw"], sum(run.refused for run in of)
        cut = sum(run.cut for run in of)
        print(
            f"{aim.words:>12} {kind:>5}: {rates[kind]:6.0f} alerts/s, {ratio:4.2f} of raw, "
            f"{cpu[kind]:5.3f} CPU-ms an alert (server, database, broker; "
            f"{cpu[kind] / cpu['raw']:4.2f} of raw), {refused} not 2xx, {cut} cut off"
        )
    refused = sum(run.refused for kind in ("new", "again") for run in runs[kind])
    for held, words in (
        (rates["new"] >= aim.ratio * rates["raw"], f"new alerts at least {aim.ratio} of raw"),
        (rates["again"] >= SAME * rates["new"], "repeats no slower than new alerts"),
        (
            cpu["new"] <= aim.cpu_ratio * cpu["raw"],
            f"CPU at most {aim.cpu_ratio:.2f} of raw ({aim.cpu_ms} ms where raw takes "
            f"{aim.raw_cpu_ms})",
        ),
        (cpu["new"] <= aim.cpu_ms, f"at most {aim.cpu_ms} CPU-ms an alert on this machine"),
        (lost == 0, f"zero lost ({lost})"),
        (refused == 0, f"zero answers but 2xx ({refused})"),
    ):
        print(f"{aim.words:>12} {verdict(held, words)}")


def stored_or_empty(place: Production, alerts: int, seconds: float, rounds: int) -> None:
    """How much slower intake is with so many alerts stored, two databases by turns."""
    with place.product("without") as (empty, _), place.product("with_stored") as (full, connection):
        print(f"storing {alerts} alerts", flush=True)
        fill(connection, SOURCE, alerts)
        for aim in AIMS:
            for again in (False, True):
                runs: dict[Site, list[Measured]] = {empty: [], full: []}
                for turn in range(rounds):
                    for site in (empty, full) if turn % 2 else (full, empty):
                        runs[site].append(
                            measure(site, ADDRESS, place.token, aim.size, seconds, repeat=again)
                        )
                rate = [statistics.median(run.rate for run in of) for of in runs.values()]
                cpu = [statistics.median(run.cpu_ms for run in of) for of in runs.values()]
                # of the turn that both took one after the other: the machine drifts meanwhile
                turns = zip(runs[empty], runs[full], strict=True)
                slower = statistics.median(one.rate / other.rate for one, other in turns)
                held = verdict(slower <= SLOWEST_WITH_STORED, f"at most {SLOWEST_WITH_STORED}")
                print(
                    f"{aim.words:>12} {'again' if again else 'new':>5}: empty {rate[0]:6.0f} "
                    f"alerts/s, {cpu[0]:5.3f} CPU-ms; {alerts} stored {rate[1]:6.0f} alerts/s, "
                    f"{cpu[1]:5.3f} CPU-ms; {slower:4.2f} times slower, CPU {cpu[1] / cpu[0]:4.2f}"
                    f"  {held}",
                    flush=True,
                )


def verdict(held: bool, aim: str) -> str:
    return f"{'PASS' if held else 'FAIL'}: {aim}"


def measure(
    site: Site, path: str, token: str, size: int, seconds: float, *, repeat: bool = False
) -> Measured:
    before = site.cpu_seconds()
    outcome = send(site.port, path, token, size, seconds, CONNECTIONS, repeat=repeat)
    used = site.cpu_seconds() - before
    alerts = outcome.accepted * size
    return Measured(alerts / seconds, 1000 * used / max(alerts, 1), outcome.refused, outcome.cut)


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
        for aim in AIMS:
            found = measure(site, ADDRESS, token, aim.size, seconds)
            print(
                f"{aim.words:>12} embedded: {found.rate:5.0f} alerts/s, {found.cpu_ms:5.3f} "
                f"CPU-ms an alert (grouping included), {found.refused} not 2xx"
            )
    finally:
        running.stop()


def stored(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM incidents_alert").fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    main()
