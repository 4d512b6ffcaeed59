"""LogQL over the lab's log store: streams of lines, and counts and rates of them.

Log queries take start <= time < end; a metric's window is (t - range, t], as in Loki.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.logql_lines import Labels, processed
from lab.logql_syntax import parse
from lab.logql_tree import Aggregation, LogQLError, LogQuery, MetricQuery, Unsupported
from lab.logstore import Entry, LogStore
from lab.promql_aggregate import aggregate, grouping
from lab.promql_vector import Floats, Integers, LabelKey, Mask, Vector, key_of, show

__all__ = ["LogQLError", "Statistics", "Unsupported", "metrics", "parse", "streams"]

Streams = list[tuple[Labels, list[Entry]]]


@dataclass(slots=True)
class Statistics:
    """What a query read: lines and bytes looked at, lines that passed the pipeline."""

    lines: int = 0
    bytes: int = 0
    kept: int = 0


def _passing(
    store: LogStore, query: LogQuery, start_ns: int, end_ns: int, statistics: Statistics
) -> list[tuple[Labels, Entry]]:
    passed = []
    for labels, entries in store.select(query.matchers, start_ns, end_ns):
        for entry in entries:
            statistics.lines += 1
            statistics.bytes += len(entry.line.encode())
            known = processed(labels, entry, query.stages)
            if known is not None:
                passed.append((known, entry))
    statistics.kept += len(passed)
    return passed


def streams(
    store: LogStore,
    query: LogQuery,
    start_ns: int,
    end_ns: int,
    limit: int,
    forward: bool,
    statistics: Statistics,
) -> Streams:
    """Lines of [start_ns, end_ns), at most `limit` over all streams, grouped by label set.

    `forward` gives the oldest lines, oldest first; otherwise the newest, newest first.
    """
    passed = _passing(store, query, start_ns, end_ns, statistics)
    passed.sort(key=lambda found: found[1].at_ns, reverse=not forward)
    grouped: dict[LabelKey, list[Entry]] = {}
    for labels, entry in passed[:limit]:
        grouped.setdefault(key_of(labels), []).append(entry)
    return [(dict(key), grouped[key]) for key in sorted(grouped)]


def metrics(
    store: LogStore, query: MetricQuery, steps_ns: Integers, statistics: Statistics
) -> Vector:
    """Evaluate at each of `steps_ns`; series are sorted by labels, windows without lines absent.

    Raises LogQLError when a line that counts could not be parsed, as Loki does.
    """
    start_ns = int(steps_ns[0]) - query.range_ns + 1
    passed = _passing(store, query.logs, start_ns, int(steps_ns[-1]) + 1, statistics)
    first, *rest = query.aggregations or [Aggregation("none")]
    if first.op != "sum" or first.grouped:
        _refuse_errors(passed)
    # A sum of counts is the count of all: lines are grouped at once, not by every label.
    by = grouping(first.names, first.without) if first.op == "sum" else dict
    groups: dict[LabelKey, list[Entry]] = {}
    for labels, entry in passed:
        groups.setdefault(key_of(by(labels)), []).append(entry)
    rows = [(dict(key), *_counted(groups[key], query, steps_ns)) for key in groups]
    vector = Vector.of_rows(rows, len(steps_ns))
    for aggregation in rest if first.op in ("sum", "none") else query.aggregations:
        parameter = aggregation.parameter
        limits = None if parameter is None else np.full(len(steps_ns), parameter)
        group_of = grouping(aggregation.names, aggregation.without)
        with np.errstate(all="ignore"):
            vector = aggregate(aggregation.op, vector, group_of, limits)
    order = sorted(range(len(vector.labels)), key=lambda row: key_of(vector.labels[row]))
    ordered = [vector.labels[row] for row in order]
    return Vector(ordered, vector.values[order], vector.present[order], ordered=True)


def _refuse_errors(passed: list[tuple[Labels, Entry]]) -> None:
    for labels, _ in passed:
        kind = labels.get("__error__")
        if kind:
            raise LogQLError(
                f"pipeline error: '{kind}' for series: '{show(labels)}'.\n"
                "Use a label filter to intentionally skip this error. "
                f'(e.g | __error__!="{kind}").\n'
                'To skip all potential errors you can match empty errors.(e.g __error__="")\n'
                "The label filter can also be specified after unwrap. "
                '(e.g | unwrap latency | __error__="" )\n'
            )


def _counted(entries: list[Entry], query: MetricQuery, steps_ns: Integers) -> tuple[Floats, Mask]:
    entries = sorted(entries, key=lambda entry: entry.at_ns)
    times = np.array([entry.at_ns for entry in entries], dtype=np.int64)
    low = np.searchsorted(times, steps_ns - query.range_ns, side="right")
    high = np.searchsorted(times, steps_ns, side="right")
    if query.function.startswith("bytes"):
        sizes = [len(entry.line.encode()) for entry in entries]
        total = np.concatenate([[0], np.cumsum(sizes)])
        values = (total[high] - total[low]).astype(np.float64)
    else:
        values = (high - low).astype(np.float64)
    if query.function in ("rate", "bytes_rate"):
        values = values / (query.range_ns / 1e9)
    return values, high > low
