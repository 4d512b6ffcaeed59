"""Asks a Prometheus which alerts fired when, in pieces that servers answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from correlation.backends.prometheus import PrometheusClient
from incidents.backfill.histories import Firing, Runs
from incidents.outbound.deadline import Deadline

FIRING = 'ALERTS{alertstate="firing"}'
POINTS = 2000
"""Of one request; servers refuse above 11,000."""


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
        answer = client.query_range(
            FIRING, start, end, step, Deadline(client.http.timeout_seconds * 2)
        )
        for warning in answer.warnings:
            warn(warning)
        for series in answer.series:
            runs.feed(series.labels, series.times.tolist())
        done()
    return runs.firings(asked[-1][1]) if asked else []
