"""The metric queries of one analysis: one range query a signal, all services at once."""

from __future__ import annotations

from functools import partial

from correlation import profiles
from correlation.backends.prometheus import PrometheusClient
from correlation.deadline import Deadline
from correlation.profiles import ProfileQuery
from correlation.sources import Query, Reply, Scope, Source, grid, http_arguments, windows
from correlation.telemetry import Series

STEP_SECONDS = 15.0
WINDOW_SECONDS = 60.0
MAX_BYTES = 16_000_000


def metric_queries(source: Source, scope: Scope) -> dict[str, Query]:
    """The queries to send to a Prometheus, by signal; raises ValueError for bad options.

    Each covers baseline and incident window. The rate window is never shorter than the step,
    or samples between two points would be lost.
    """
    client = PrometheusClient(
        source.url,
        **http_arguments(source),
        max_bytes=int(source.number("max_bytes", MAX_BYTES)),
    )
    asked = windows(scope)
    span = (asked.baseline[0], asked.window[1])
    start, end, step = grid(span, source.number("step_seconds", STEP_SECONDS))
    rate_window = max(source.number("window_seconds", WINDOW_SECONDS), step)
    profile = profiles.load(source.text("profile", profiles.DEFAULT_PROFILE))
    return {
        row.signal: Query(
            partial(_ask, client, row, (start, end, step), source.slug),
            (row.query, start, end, step),
        )
        for row in profile.queries(rate_window)
    }


def _ask(
    client: PrometheusClient,
    row: ProfileQuery,
    over: tuple[float, float, float],
    slug: str,
    deadline: Deadline,
) -> Reply:
    answer = client.query_range(row.query, *over, deadline)
    series = [
        Series(
            service=vector.labels[row.service_label],
            signal=row.signal,
            times=vector.times,
            values=vector.values,
            direction=row.direction,
            unit=row.unit,
            peer=vector.labels[row.peer_label] if row.peer_label else None,
            source=slug,
            query=row.query,
        )
        for vector in answer.series
        if vector.labels.get(row.service_label)
        and (row.peer_label is None or vector.labels.get(row.peer_label))
    ]
    return Reply(series=tuple(series), dropped=answer.dropped, partial=answer.warnings)
