"""Asks a Prometheus which alerts fired when, in pieces that servers answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from correlation.backends.prometheus import PrometheusClient, QueryAnswer
from incidents.backfill.histories import Firing, Runs
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError

FIRING = 'ALERTS{alertstate="firing"}'
POINTS = 2000
"""Of one request; servers refuse above 11,000."""
FEWEST_POINTS = 50
"""A piece that is too much is asked for in halves, down to about so many points each."""
TOO_MUCH = ("timeout", "too_large", "limit")
TOO_MUCH_STATUS = (422, 503, 504)
"""Prometheus: too many samples for one query, or timed out; a proxy that timed out."""


def pieces(start: float, end: float, step: float) -> list[tuple[float, float]]:
    """(first, last) moments to ask for, epoch seconds on whole steps: the same moments whenever
    and in whatever pieces one asks, so the same firings are seen to begin at the same time."""
    first, last = math.ceil(start / step), math.floor(end / step)
    return [
        (number * step, min(number + POINTS - 1, last) * step)
        for number in range(first, last + 1, POINTS)
    ]


def firings(
    client: PrometheusClient,
    asked: list[tuple[float, float]],
    step: float,
    labels: Mapping[str, str],
    warn: Callable[[str], object],
    done: Callable[[], object],
) -> list[Firing]:
    """The firings within the pieces; `labels` are what Prometheus adds when it sends alerts.

    `warn` hears that an answer may be partial, `done` is called after each piece. Raises
    BackendError when a piece cannot be had: nothing is concluded from the others.
    """
    runs = Runs(step, labels)
    for start, end in asked:
        for answer in _answers(client, start, end, step):
            for warning in answer.warnings:
                warn(warning)
            for series in answer.series:
                runs.feed(series.labels, series.times.tolist())
        done()
    return runs.firings(asked[-1][1]) if asked else []


def _answers(
    client: PrometheusClient, start: float, end: float, step: float
) -> Iterator[QueryAnswer]:
    """What there is from `start` to `end`, in time order: in a storm a piece may be too much."""
    deadline = Deadline(client.http.timeout_seconds * 2)
    try:
        yield client.query_range(FIRING, start, end, step, deadline)
        return
    except BackendError as error:
        half = (round((end - start) / step) + 1) // 2
        if half < FEWEST_POINTS or not _too_much(error):
            raise
    yield from _answers(client, start, start + (half - 1) * step, step)
    yield from _answers(client, start + half * step, end, step)


def _too_much(error: BackendError) -> bool:
    return error.kind in TOO_MUCH or error.status in TOO_MUCH_STATUS
