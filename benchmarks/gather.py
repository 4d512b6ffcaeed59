"""Gathering from all four sources: how many requests, and how long beside its slowest source.

Servers in a process of their own answer every request after a set delay, for 3, 30 and 300
services. Printed for each: the requests one analysis sends to each source, the time each source
takes when it is asked alone (its own chain of calls), the time all four take together, and the
ratio of the two; then the requests that a storm of analyses costs beside one.

    python -m benchmarks.gather
"""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from correlation import shared_answers
from correlation.gather import gather
from correlation.sources import Scope, Source
from tests.servers.telemetry import sources_at, telemetry_server

COUNTS = (3, 30, 300)
DELAYS = {"prometheus": 0.08, "loki": 0.15, "tempo": 0.12, "kubernetes": 0.1}
ROUNDS = 5
STORM = 200
SLOTS = 10


def main() -> None:
    for count in COUNTS:
        ours, theirs = multiprocessing.Pipe()
        server = multiprocessing.Process(target=_serve, args=(theirs, count), daemon=True)
        server.start()
        try:
            with tempfile.TemporaryDirectory() as directory:
                _measure(ours.recv(), count, Path(directory))
        finally:
            ours.send("stop")
            server.join(10)


def _serve(pipe: Connection, count: int) -> None:
    with telemetry_server([f"service-{n:03}" for n in range(count)], DELAYS) as server:
        pipe.send(server.url)
        pipe.recv()


def _measure(url: str, count: int, directory: Path) -> None:
    sources = sources_at(url, directory)
    names = [f"service-{n:03}" for n in range(count)]
    now = float(int(time.time()))
    scope = Scope(
        target=names[0],
        started_at=now - 60.0,
        as_of=now,
        services=frozenset(names),
        edges=tuple(pairwise(names)),
    )
    _timed(scope, sources)  # connections, imports
    _asked(url)
    _timed(scope, sources)
    requests = _asked(url)
    alone = {
        source.kind: statistics.median(_timed(scope, [source]) for _ in range(ROUNDS))
        for source in sources
    }
    together = statistics.median(_timed(scope, sources) for _ in range(ROUNDS))
    slowest = max(alone, key=lambda kind: alone[kind])
    print(f"{count} services")
    for kind, seconds in alone.items():
        print(f"  {kind:<11} {requests[kind]:>4} requests  {seconds:6.2f} s alone")
    ratio = together / alone[slowest]
    print(f"  all four    {together:6.2f} s = {ratio:.2f} x {slowest} alone")
    _asked(url)
    shared_answers.forget()
    with ThreadPoolExecutor(SLOTS) as pool:
        list(pool.map(lambda _: gather(scope, sources), range(STORM)))
    stormed = sum(_asked(url).values())
    one = sum(requests.values())
    print(f"  storm of {STORM}: {stormed} requests = {stormed / one:.1f} x one analysis\n")


def _timed(scope: Scope, sources: Sequence[Source]) -> float:
    shared_answers.forget()
    began = time.monotonic()
    _, statuses = gather(scope, sources)
    took = time.monotonic() - began
    for status in statuses:
        if status.status not in ("ok", "not_configured"):
            raise SystemExit(f"{status.slug}: {status.status}: {status.detail}")
    return took


def _asked(url: str) -> Counter[str]:
    """Requests by source since the last call."""
    with urllib.request.urlopen(f"{url}/requests/all", timeout=10) as response:  # noqa: S310
        return Counter(kind for kind, _ in json.load(response))


if __name__ == "__main__":
    main()
