"""Two TraceQL metrics queries: requests served and how long they took, by service.

Where traces are sampled the rates are those of the sample; ratios and quantiles hold as far as
the sampling is blind to what happened. A server without metrics says so in a note.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from correlation.backends.tempo import TempoClient, TraceMetrics
from correlation.sources import Query, Reply, Scope, Source, windows
from correlation.telemetry import Floats, Series
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError

STEP_SECONDS = 15.0
SETTLE_SECONDS = 15.0
"""Rates of the newest moments are not looked at: spans arrive after they end, in batches."""

SELECTOR_CHARACTERS = 4000
SERVICE = "resource.service.name"

Grid = tuple[int, int, int]
"""(start, end, step) in whole seconds, start and end multiples of the step."""


def selection(scope: Scope) -> str:
    """The TraceQL condition of the scope's services; any named service when none is known.

    A lone affected service without known dependencies is no neighbourhood: its cause may be
    anywhere, so everything is asked for, as it is when the list is too long to send.
    """
    known = scope.services | {service for edge in scope.edges for service in edge}
    if scope.target:
        known |= {scope.target}
    pattern = ".+"
    if len(known) >= 2 and (scope.services or scope.edges):
        names = {name for service in known for name in scope.names_of(service, "tempo")}
        listed = "|".join(_literal(name) for name in sorted(names))
        pattern = listed if len(listed) <= SELECTOR_CHARACTERS else pattern
    return f'{SERVICE} =~ "{pattern}"'


def metric_queries(client: TempoClient, source: Source, scope: Scope) -> dict[str, Query]:
    """Request rate and error ratio in one query, p95 latency in another."""
    served = f"{{ (kind = server || kind = consumer) && {selection(scope)} }}"
    rates = f"{served} | rate() by ({SERVICE}, status)"
    times = f"{served} | quantile_over_time(duration, .95) by ({SERVICE})"
    grid = _grid(source, scope)
    names = tuple((name, scope.names_of(name, "tempo")) for name in sorted(scope.found_as))
    return {
        "request rates of traces": Query(
            partial(_ask, client, scope, source.slug, rates, grid, _rates), (rates, grid, names)
        ),
        "latency of traces": Query(
            partial(_ask, client, scope, source.slug, times, grid, _latency), (times, grid, names)
        ),
    }


def _grid(source: Source, scope: Scope) -> Grid:
    step = max(1, round(source.number("step_seconds", STEP_SECONDS)))
    asked = windows(scope)
    start = math.floor(asked.baseline[0] / step) * step
    end = math.floor(asked.window[1] / step) * step
    return start, max(end, start + step), step


Reading = Callable[[TraceMetrics, Scope, str, str, Grid], tuple[Series, ...]]


def _ask(
    client: TempoClient,
    scope: Scope,
    slug: str,
    query: str,
    grid: Grid,
    read: Reading,
    deadline: Deadline,
) -> Reply:
    start, end, step = grid
    try:
        answer = client.metrics(query, start, end, step, deadline)
    except BackendError as error:
        if error.status in (400, 404, 422, 501) or "processor" in error.detail:
            return Reply(notes=("it has no metrics of traces",))
        raise
    return Reply(series=read(answer, scope, slug, query, grid), dropped=answer.dropped)


def _rates(
    answer: TraceMetrics, scope: Scope, slug: str, query: str, grid: Grid
) -> tuple[Series, ...]:
    """Request rate, and the failed share wherever there were requests."""
    start, end, step = grid
    times = np.arange(start, end + step / 2, step, dtype=float)
    nothing = np.zeros(times.size)
    total: dict[str, Floats] = {}
    failed: dict[str, Floats] = {}
    for one in answer.series:
        name = one.labels.get(SERVICE) or one.labels.get("service.name") or ""
        if not name:
            continue
        service = scope.service_named(name, "tempo")
        places = np.rint((one.times - start) / step).astype(int)
        inside = (places >= 0) & (places < times.size)
        counted = np.zeros(times.size)
        counted[places[inside]] = one.values[inside]
        total[service] = total.get(service, nothing) + counted
        bad = one.labels.get("status") in ("error", "2")
        failed[service] = failed.get(service, nothing) + (counted if bad else nothing)
    series = []
    settled = times <= end - SETTLE_SECONDS
    for service in sorted(total):
        some = total[service] > 0.0
        ratio = failed[service][some] / total[service][some]
        series.append(
            Series(service, "error_ratio", times[some], ratio, "up", "ratio", None, slug, query)
        )
        rate = total[service][settled]
        series.append(
            Series(service, "request_rate", times[settled], rate, "both", "1/s", None, slug, query)
        )
    return tuple(one for one in series if one.times.size)


def _latency(
    answer: TraceMetrics, scope: Scope, slug: str, query: str, grid: Grid
) -> tuple[Series, ...]:
    """p95 in seconds where there were requests; of several names of one service the slowest."""
    slowest: dict[str, dict[float, float]] = {}
    for one in answer.series:
        name = one.labels.get(SERVICE) or one.labels.get("service.name") or ""
        if not name:
            continue
        points = slowest.setdefault(scope.service_named(name, "tempo"), {})
        for at, value in zip(one.times.tolist(), one.values.tolist(), strict=True):
            if value > 0.0 and grid[0] <= at <= grid[1]:
                points[at] = max(points.get(at, 0.0), value)
    series = []
    for service, points in sorted(slowest.items()):
        if points:
            times, values = np.array(sorted(points.items())).T
            series.append(
                Series(service, "latency_p95", times, values, "up", "s", None, slug, query)
            )
    return tuple(series)


def _literal(text: str) -> str:
    """A literal for RE2 within double quotes: metacharacters escaped, then backslashes again."""
    escaped = "".join("\\" + c if c in r"\.+*?()|[]{}^$" else c for c in text)
    return escaped.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
