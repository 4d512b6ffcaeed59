"""What a Loki answers to one query of an analysis: lines, counts of error lines, patterns."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from correlation.backends.loki import LokiClient
from correlation.logs.labels import service_of
from correlation.sources import Reply, Scope
from correlation.telemetry import Floats, Series
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError

logger = logging.getLogger(__name__)


def ask_lines(
    client: LokiClient,
    scope: Scope,
    label: str,
    name: str,
    query: str,
    span: tuple[float, float],
    limit: int,
    deadline: Deadline,
) -> Reply:
    answer = client.lines(query, *span, deadline, limit=limit)
    partial = list(answer.warnings)
    if answer.truncated and not name.startswith("routine"):
        partial.append(f"{name} log lines were cut at the newest {limit}")
    lines = (
        replace(line, service=scope.service_named(service_of({label: line.service}, label), "loki"))
        for line in answer.lines
    )
    return Reply(lines=tuple(lines), partial=tuple(partial))


def ask_counts(
    client: LokiClient,
    scope: Scope,
    query: str,
    over: tuple[float, float, float],
    labels: Sequence[str],
    slug: str,
    deadline: Deadline,
) -> Reply:
    """Error lines a second by service; Loki leaves zeros out, here they are put in."""
    first, last, step = over
    answer = client.query_range(query, first, last, step, deadline)
    times = np.arange(first, last + step / 2, step)
    counts: dict[str, Floats] = {}
    for vector in answer.series:
        named = next((label for label in labels if vector.labels.get(label)), "")
        service = scope.service_named(service_of(vector.labels, named), "loki")
        if not service:
            continue
        places = np.round((vector.times - first) / step).astype(int)
        inside = (places >= 0) & (places < times.size)
        np.add.at(
            counts.setdefault(service, np.zeros(times.size)), places[inside], vector.values[inside]
        )
    series = [
        Series(service, "error_log_rate", times, lines / step, "up", "1/s", None, slug, query)
        for service, lines in sorted(counts.items())
    ]
    return Reply(series=tuple(series), dropped=answer.dropped, partial=answer.warnings)


def ask_patterns(
    client: LokiClient,
    selector: str,
    span: tuple[float, float],
    step: float,
    deadline: Deadline,
) -> Reply:
    """A hint: without it nothing is missing, and a source that failed it has not answered."""
    try:
        return Reply(patterns=client.patterns(selector, *span, step, deadline))
    except BackendError as error:
        logger.debug("no log patterns: %s", error)
        return Reply(requests=0)
