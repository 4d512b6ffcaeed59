"""Hundreds of SLOs evaluated in a pass, against a real Prometheus: python -m benchmarks.slos

    --slos 500      how many, two for each service
    --days 30       of stored five-minute rows
    --passes 6      minutes evaluated one after the other

PostgreSQL with fsync on and a Prometheus with six hours and a half of two pods a service, scraped
every 15 s, on the machine that evaluates. Prints for each pass the queries sent and the seconds,
how they part between source and database, and beside it the same numbers asked one by one: each
part of each SLO and window a query of its own. FAIL where a pass takes longer than 20 s, or a
shape more than three queries a window.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.load import objectives
from benchmarks.load.site import manage
from tests.servers import ServerError, postgres
from tests.servers.prometheus import blocks_of, running_prometheus

HISTORY_SECONDS = 6.5 * 3600
AIM_SECONDS = 20.0
MOST_QUERIES = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.slos")
    parser.add_argument("--slos", type=int, default=500)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--passes", type=int, default=6)
    parser.add_argument("--profile", action="store_true", help="where a pass spends its time")
    asked = parser.parse_args()
    end = time.time() // 300 * 300
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        try:
            with database(folder), measured(folder, asked.slos, end) as url:
                run(asked, url, end)
        except ServerError as error:
            print(f"not run: {error}")
            sys.exit(1)


@contextmanager
def database(folder: Path) -> Iterator[None]:
    """PostgreSQL, migrated, as the one that the product uses in this process."""
    (folder / "database").mkdir(mode=0o700)
    server = postgres.start(folder / "database", durable=True)
    try:
        os.environ.pop("REDIS_URL", None)
        os.environ |= {
            "DATABASE_URL": server.url,
            "STUDIO_DIR": str(folder),
            "SECRET_KEY": secrets.token_urlsafe(48),
            "DJANGO_SETTINGS_MODULE": "reliability_studio.settings",
        }
        manage(dict(os.environ), "migrate", "--verbosity", "0")
        yield
    finally:
        server.stop()


@contextmanager
def measured(folder: Path, slos: int, end: float) -> Iterator[str]:
    """The URL of a Prometheus that has scraped the services of so many SLOs until `end`."""
    text = folder / "history.om"
    with text.open("w") as out:
        samples = objectives.write_history(out, -(-slos // 2), HISTORY_SECONDS, end)
    data = folder / "prometheus"
    data.mkdir()
    blocks_of(text, data)
    text.unlink()
    print(f"{samples} samples in Prometheus", flush=True)
    with running_prometheus(data=data) as url:
        yield url


def run(asked: argparse.Namespace, url: str, end: float) -> None:
    import django

    django.setup()
    from correlation.data_sources.catalogue import source_of
    from correlation.models import DataSource
    from slos.evaluating.evaluation import evaluate
    from slos.models import SLO

    objectives.make_slos(asked.slos, url)
    stored = objectives.store_rows(asked.days, end - 600)
    print(f"{asked.slos} SLOs, {stored} stored rows of {asked.days:g} days", flush=True)
    source = source_of(DataSource.objects.get(slug="bench"))
    shapes = queries_by_window(source)
    seconds, failed = [], 0
    profile = cProfile.Profile()
    for number in reversed(range(asked.passes)):
        at = end - 60.0 * number
        before = usage()
        began = time.perf_counter()
        done = profile.runcall(evaluate, at) if asked.profile else evaluate(at)
        seconds.append(time.perf_counter() - began)
        failed += done.failed
        print(
            f"pass {asked.passes - number}: {done.evaluated} evaluated, {done.failed} failed, "
            f"{done.queries} queries, {done.stored} rows stored, {seconds[-1]:.2f} s "
            f"(own processor time {usage() - before:.2f} s, load {os.getloadavg()[0]:.1f})",
            flush=True,
        )
    numbers = SLO.objects.exclude(sli=None).count()
    firing = SLO.objects.filter(status="critical").count()
    worst_shape = max(shapes.values())
    print(f"{numbers} SLOs with an SLI, {firing} critical; queries by window and shape:")
    for (window, shape), count in sorted(shapes.items()):
        print(f"  {window:>6} {shape}: {count}")
    one_by_one(source, asked.slos, end)
    if asked.profile:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(40)
    held = max(seconds) < AIM_SECONDS and worst_shape <= MOST_QUERIES and not failed
    print(
        f"{asked.slos} SLOs: {statistics.median(seconds):.2f} s a pass, {max(seconds):.2f} s at "
        f"most (under {AIM_SECONDS:g}), {worst_shape} queries a shape and window (at most "
        f"{MOST_QUERIES})  {'PASS' if held else 'FAIL'}"
    )


def usage() -> float:
    found = os.times()
    return found.user + found.system


def queries_by_window(source: Any) -> dict[tuple[str, str], int]:
    """Distinct queries of a pass by window and shape of SLI."""
    from slos.evaluating.asking import scrape_seconds
    from slos.evaluating.questions import SHORT_WINDOWS, piece_plan, plan
    from slos.models import SLO
    from slos.promql import duration_of

    found: dict[tuple[str, str], set[str]] = {}
    kinds = {slo.pk: slo.indicator["kind"] for slo in SLO.objects.all()}
    indicators = {
        slo.pk: slo.definition().indicator
        for slo in SLO.objects.select_related("service", "data_source")
    }
    scrape = scrape_seconds(source)
    plans = {duration_of(window): plan(indicators, window, scrape) for window in SHORT_WINDOWS}
    plans["piece"] = piece_plan(indicators, 240.0, scrape)
    for window, made in plans.items():
        for pk, parts in made.parts.items():
            asks = {part.ask.query for part in (parts.part, parts.total, parts.scrapes) if part}
            found.setdefault((window, kinds[pk]), set()).update(asks)
    return {key: len(asks) for key, asks in found.items()}


def one_by_one(source: Any, slos: int, at: float) -> None:
    """The same windows asked for each SLO alone, as many at once as a pass does."""
    from slos.evaluating import asking
    from slos.evaluating.questions import SHORT_WINDOWS
    from slos.models import SLO

    began, queries, failed = time.perf_counter(), 0, 0
    for slo in SLO.objects.select_related("service", "data_source"):
        indicators = {slo.pk: slo.definition().indicator}
        counted = asking.count(source, indicators, SHORT_WINDOWS, at, 300.0)
        queries += counted.queries
        failed += len(counted.errors)
    print(
        f"one by one: {queries} queries, {failed} failed, "
        f"{time.perf_counter() - began:.2f} s for what the source is asked",
        flush=True,
    )


if __name__ == "__main__":
    main()
