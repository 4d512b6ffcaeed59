"""Lists and pages with many rows beside a database of a few pages: python -m benchmarks.lists

    --incidents 10000 --alerts 100000   how many are stored
    --times 30                          how often each address is asked

Both databases are asked by turns, on PostgreSQL and on SQLite, every address of the URL conf that
answers GET and the filters of FILTERED. Prints the statements each takes and p50 and p95.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from benchmarks.load.site import ROOT, manage
from reliability_studio import children
from tests.servers import postgres

SLOWEST = 2.0
FEW = (400, 4000)
"""Incidents and alerts of the other database: a page is full under every filter, so both answer
with as much, and it holds little more."""
FLOOR_SECONDS = 0.005  # what a ratio of two quick answers is not held to
FILTERED = (
    "/?status=active",
    "/?severity=critical",
    "/?service=service-7",
    "/?q=checkout",
    "/?q=nothing-like-it",
    "/alerts?q=HighErrorRate7",
    "/alerts?q=nothing-like-it",
    "/alerts?service=service-7",
    "/alerts/deliveries?state=unaccepted",
    "/alerts/deliveries?state=done",
    "/api/incidents?open=true",
    "/api/incidents?service=service-7",
    "/api/incidents?severity=critical&status=open",
    "/api/incidents?started_after=2020-01-01T00:00:00Z",
    "/api/incidents?q=checkout",
    "/api/incidents?q=nothing-like-it",
    "/api/incidents?limit=200",
    "/api/alerts?firing=true",
    "/api/alerts?service=service-7",
    "/api/alerts?q=HighErrorRate7",
    "/api/alerts?q=nothing-like-it",
    "/api/deliveries?state=failed",
    "/api/deliveries?state=done",
    "/api/changes?service=service-7",
)


class Asker:
    """A process that asks one installation."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = children.start(
            [sys.executable, "-m", "benchmarks.load.asker"],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def say(self, asked: dict[str, Any]) -> Any:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise SystemExit("the process that asks ended")
        return json.loads(answer)

    def end(self) -> None:
        children.stop(self._process, patience_seconds=10)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.lists")
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--only", choices=("postgresql", "sqlite"))
    asked = parser.parse_args()
    clean = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    clean["SECRET_KEY"] = secrets.token_urlsafe(48)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        if asked.only != "sqlite":
            (folder / "database").mkdir(mode=0o700)
            server = postgres.start(folder / "database")
            try:
                compare("postgresql", environments(clean, folder, server.url), asked)
            finally:
                server.stop()
        if asked.only != "postgresql":
            compare("sqlite", environments(clean, folder, ""), asked)


def environments(clean: dict[str, str], folder: Path, url: str) -> list[dict[str, str]]:
    """Of two new installations: one stays almost empty, one is filled."""
    found = []
    for name in ("few", "many"):
        state = folder / f"{name}-{'server' if url else 'file'}"
        state.mkdir()
        environment = clean | {"STUDIO_DIR": str(state)}
        if url:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())
            environment["DATABASE_URL"] = urlsplit(url)._replace(path=f"/{name}").geturl()
        manage(environment, "migrate", "--verbosity", "0")
        found.append(environment)
    return found


@contextmanager
def askers(of: list[dict[str, str]]) -> Iterator[list[Asker]]:
    with ExitStack() as stack:
        found = []
        for environment in of:
            found.append(Asker(environment))
            stack.callback(found[-1].end)
        yield found


def compare(words: str, of: list[dict[str, str]], asked: argparse.Namespace) -> None:
    with askers(of) as (few, many):
        for asker, incidents, alerts in (
            (few, *FEW),
            (many, asked.incidents, asked.alerts),
        ):
            stored = asker.say({"fill": {"incidents": incidents, "alerts": alerts}})
            print(f"{words}: {stored}", flush=True)
        paths = [few.say({"addresses": True}), many.say({"addresses": True})]
        pairs = [(route, paths[0][route], paths[1][route]) for route in paths[0]]
        pairs += [(address, address, address) for address in FILTERED]
        failed = 0
        for route, of_few, of_many in pairs:
            failed += one(words, route, (few, of_few), (many, of_many), asked.times)
        print(f"{words}: {len(pairs)} addresses, {failed} FAIL", flush=True)


def one(
    words: str, route: str, few: tuple[Asker, str], many: tuple[Asker, str], times: int
) -> bool:
    """Print one line; whether it misses the aim."""
    counted = [asker.say({"count": address}) for asker, address in (few, many)]
    if any(answer["status"] != 200 for answer in counted):
        return False  # nothing is read there
    queries = [answer["queries"] for answer in counted]
    seconds: list[list[float]] = [[], []]
    for turn in range(times):
        # by turns, and each first as often as the other: what else the machine does meets both
        for place in (turn % 2, 1 - turn % 2):
            asker, address = (few, many)[place]
            seconds[place].append(asker.say({"time": address}))
    p50 = [_at(0.5, sorted(each)) for each in seconds]
    p95 = [_at(0.95, sorted(each)) for each in seconds]
    fast = p95[1] <= max(SLOWEST * p95[0], FLOOR_SECONDS)
    held = queries[0] == queries[1] and fast
    print(
        f"{words:>10} {route[:58]:<58} {queries[0]:>2} -> {queries[1]:>2} statements, p50 "
        f"{1000 * p50[0]:6.1f} -> {1000 * p50[1]:6.1f} ms ({p50[1] / p50[0]:4.2f}), p95 "
        f"{1000 * p95[0]:6.1f} -> {1000 * p95[1]:6.1f} ms ({p95[1] / p95[0]:4.2f})"
        f"  {'PASS' if held else 'FAIL'}",
        flush=True,
    )
    return not held


def _at(share: float, ordered: list[float]) -> float:
    """The nearest rank: the smallest that so many are not above."""
    return ordered[math.ceil(share * len(ordered)) - 1]


if __name__ == "__main__":
    main()
