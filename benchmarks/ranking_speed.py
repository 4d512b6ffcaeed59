"""How long a ranking takes, stage by stage, and how that grows with the number of services.

    python -m benchmarks.ranking_speed [--sizes 50,100,200,500,1000]

A made-up system, the same in every run: services in layers of a call graph, each with ten signals
of 60 samples, 100 log lines and 10 sampled traces; one of them fails two thirds through. Gathering
is not part of it. Seconds are processor time of one core, the best of several runs; the n-sigma
baseline on the same telemetry in the same run says how fast the machine is. Stages are the
functions `correlation.ranking` calls, by their share of a profiled run.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # one core is what is promised; read when numpy is imported

import numpy as np  # noqa: E402

from correlation import ranking  # noqa: E402
from correlation.evaluation.baselines import nsigma_ranking  # noqa: E402
from correlation.telemetry import SIGNAL_UNITS, LogLine, Series, Span, Telemetry  # noqa: E402

SIZES = (50, 100, 200, 500, 1000)
POINTS, STEP_SECONDS = 60, 15.0
LINES_EACH, TRACES_EACH = 100, 10
TARGET_MS = 150.0
START = 1_800_000_000.0
LEVELS = {
    "error_ratio": 0.002, "latency_p50": 0.03, "latency_p95": 0.08, "latency_mean": 0.04,
    "request_rate": 20.0, "cpu": 0.2, "cpu_saturation": 0.3, "memory": 2e8,
    "memory_saturation": 0.5, "replicas_ready": 1.0,
}  # fmt: skip
FANOUT = 3
"""Callees of each service: service n calls 3n+1, 3n+2 and 3n+3."""

CALLED = 0.7
SPANS_EACH = 20
"""At most, in a trace: a request of a large system does not visit all of it."""

VERBS = ("accepted", "refused", "retried", "stored", "dropped", "closed", "opened")
THINGS = ("order", "payment", "session", "request", "batch", "lease", "upload")


def main() -> None:
    parser = argparse.ArgumentParser(description="How long a ranking takes.")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    sizes = [int(size) for size in parser.parse_args().sizes.split(",")]
    first: float | None = None
    for size in sizes:
        rounds = 10 if size <= 100 else 2
        given = [system(size, seed) for seed in range(rounds)]
        telemetry = given[0]
        ours, theirs = _best(ranking.rank, given), _best(nsigma_ranking, given)
        first = first or ours / size
        named = ranking.rank(telemetry).causes
        print(
            f"{size:5} services {len(telemetry.series):6} series {len(telemetry.logs):7} lines "
            f"{TRACES_EACH * size:6} traces {len(telemetry.spans):7} spans: {ours * 1e3:8.1f} ms "
            f"= {ours / theirs:5.1f} x n-sigma, {ours / size / first:4.2f} x the first per service"
            f" (first: {named[0].service if named else 'nobody'})"
        )
        if size == sizes[0]:
            verdict = "within" if ours * 1e3 <= TARGET_MS else "above"
            print(f"      {verdict} the {TARGET_MS:.0f} ms meant for 50 services")
            _stages(telemetry, ours)


def system(services: int, seed: int = 7) -> Telemetry:
    """Telemetry of a system with this many services, the middle one failing since START."""
    rng = np.random.default_rng(seed)
    names = [f"service-{n:04}" for n in range(services)]
    calls = [
        (n, m)
        for n in range(services)
        for m in range(FANOUT * n + 1, FANOUT * n + FANOUT + 1)
        if m < services
    ]
    faulty = services // 2
    suffering = {faulty}
    for caller, callee in reversed(calls):
        if callee in suffering:
            suffering.add(caller)
    first = START - 40 * STEP_SECONDS
    end = first + (POINTS - 1) * STEP_SECONDS
    spans = _spans(names, calls, first, end, faulty, rng)
    return Telemetry(
        target=names[0],
        started_at=START,
        as_of=end,
        baseline=(first, START - 60.0),
        window=(START - 60.0, end),
        series=tuple(_series(names, first, suffering, rng)),
        logs=tuple(_lines(names, spans, first, end, names[faulty], rng)),
        edges=tuple((names[a], names[b]) for a, b in calls),
        spans=tuple(spans),
        log_source="logs",
        log_baseline_seconds=START - 60.0 - first,
        log_window_seconds=end - START + 60.0,
        trace_source="traces",
        traces_unbiased=True,
    )


def _series(
    names: list[str], first: float, suffering: set[int], rng: np.random.Generator
) -> list[Series]:
    times = first + STEP_SECONDS * np.arange(POINTS)
    found = []
    for n, name in enumerate(names):
        for signal, level in LEVELS.items():
            unit, direction = SIGNAL_UNITS[signal]
            values = level * (1.0 + 0.1 * rng.standard_normal(POINTS))
            if n in suffering and (signal.startswith("latency") or signal == "error_ratio"):
                values = np.where(times >= START, 5.0 * values, values)
            if signal == "replicas_ready":
                values = np.ones(POINTS)
            found.append(Series(name, signal, times, np.abs(values), direction, unit))
    return found


def _lines(
    names: list[str], spans: list[Span], first: float, end: float, faulty: str,
    rng: np.random.Generator,
) -> list[LogLine]:  # fmt: skip
    """Half of the lines belong to a sampled span, as those of a request do."""
    found = []
    starts = np.sort(rng.uniform(first, end, LINES_EACH * len(names)))
    for at in starts:
        number = int(rng.integers(10**6))
        name, trace, identity = names[int(rng.integers(len(names)))], "", ""
        if number % 2:
            span = spans[number % len(spans)]
            name, at, trace, identity = span.service, span.start, span.trace_id, span.span_id
        verb, thing = VERBS[number // 2 % len(VERBS)], THINGS[number // 14 % len(THINGS)]
        level = "info"
        message = f"{thing} {number} {verb} from 10.0.{number % 250}.7 in {at % 900:.0f} ms"
        if name == faulty and at >= START and number % 3:
            message, level = f"{thing} {number} failed: no stock in shelf {number % 77}", "error"
        clock = f"2027-01-15T{int(at) // 3600 % 24:02}:{int(at) // 60 % 60:02}:{at % 60:06.3f}Z"
        written = f"{clock} {level.upper()} [worker-{number % 8}] shop.{thing.title()} - {message}"
        found.append(LogLine(name, float(at), written, level, trace, identity))
    return sorted(found, key=lambda line: line.at)


def _spans(
    names: list[str], calls: list[tuple[int, int]], first: float, end: float, faulty: int,
    rng: np.random.Generator,
) -> list[Span]:  # fmt: skip
    """Each trace enters at service 0 and makes each possible call with a chance of CALLED."""
    callees: dict[int, list[int]] = {}
    for caller, callee in calls:
        callees.setdefault(caller, []).append(callee)
    found: list[Span] = []

    def visit(n: int, trace: str, parent: str, at: float, first_span: int) -> float:
        identity = f"{len(found):016x}"
        place = len(found)
        own = float(rng.lognormal(-5.0, 0.3)) + (0.3 if n == faulty and at >= START else 0.0)
        found.append(Span(trace, identity, parent, names[n], f"GET /{n}/{{id}}", "server", at, own))
        inside = own
        for callee in callees.get(n, ()):
            if rng.uniform() < CALLED and len(found) - first_span < SPANS_EACH:
                inside += 0.001 + visit(callee, trace, identity, at + inside, first_span)
        found[place] = replace(found[place], seconds=inside)
        return inside

    for number in range(TRACES_EACH * len(names)):
        visit(0, f"{number:032x}", "", float(rng.uniform(first, end - 5.0)), len(found))
    return found


def _best(run: Callable[[Telemetry], object], given: list[Telemetry]) -> float:
    """Least processor seconds over telemetry seen for the first time, after one warming up."""
    taken = []
    for telemetry in given:
        began = time.process_time()
        run(telemetry)
        taken.append(time.process_time() - began)
    return min(taken[1:])


def _stages(telemetry: Telemetry, seconds: float) -> None:
    profile = cProfile.Profile()
    profile.runcall(ranking.rank, telemetry)
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    here = ranking.__file__
    spent: Counter[str] = Counter()
    total = 0.0
    for (file, _, function), (*_, cumulative, callers) in stats.items():
        if (file, function) == (here, "rank"):
            total = cumulative
        if file == here:
            continue
        inside = sum(row[3] for (caller, _, _), row in callers.items() if caller == here)
        if inside and file.endswith(".py"):
            spent[f"{Path(file).stem}.{function}"] += inside
    for name, inside in spent.most_common(10):
        print(f"      {inside / total * seconds * 1e3:8.1f} ms  {name}")


if __name__ == "__main__":
    main()
