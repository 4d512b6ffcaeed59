"""The lab's faults as Telemetry, through the product's own query profile, without HTTP."""

from __future__ import annotations

import numpy as np

from correlation import profiles
from correlation.telemetry import LogLine, Series, Telemetry
from lab import promql
from lab.simulation import Recording, run

END = 1_800_000_000.0
ROLES = {"postgres": "database", "redis": "cache", "queue": "queue"}
LEAD_SECONDS = 300.0


def record(fault: str | None, seed: int, healthy: float = 1500.0, fault_for: float = 125.0) -> Recording:
    return run(seed, healthy, fault, fault_for, END)


def series_of(recording: Recording, step: float, window: float) -> list[Series]:
    """Every signal of the default profile over the whole recording."""
    found = []
    for row in profiles.load(profiles.DEFAULT_PROFILE).queries(window):
        start = np.ceil((recording.start_at + 90.0) / step) * step
        answer = promql.range_query(recording.tsdb, row.query, start, recording.end_at, step)
        for labels, points in answer:
            times = np.array([t for t, v in points if np.isfinite(v)])
            values = np.array([v for _, v in points if np.isfinite(v)])
            service = labels.get(row.service_label)
            peer = labels.get(row.peer_label) if row.peer_label else None
            if service and times.size:
                found.append(
                    Series(service, row.signal, times, values, row.direction, row.unit, peer,
                           "lab-prometheus", row.query)
                )  # fmt: skip
    return found


def lines_of(recording: Recording) -> list[LogLine]:
    start, end = int((recording.end_at - 1500) * 1e9), int((recording.end_at + 1) * 1e9)
    found = []
    for labels, entries in recording.logs.select([], start, end):
        for entry in entries:
            found.append(
                LogLine(labels.get("app", ""), entry.at_ns / 1e9, entry.line, labels.get("level", ""))
            )
    return found


def telemetry_at(
    series: list[Series], lines: list[LogLine], fault_at: float, since: float,
    detected_after: float = 20.0, target: str | None = None,
) -> Telemetry:  # fmt: skip
    """What the product would see `since` seconds after `fault_at`."""
    as_of = fault_at + since
    started = min(as_of, fault_at + detected_after)
    cut = []
    for one in series:
        keep = one.times <= as_of
        if keep.any():
            cut.append(
                Series(one.service, one.signal, one.times[keep], one.values[keep], one.direction,
                       one.unit, one.peer, one.source, one.query)
            )  # fmt: skip
    edges = {(one.service, one.peer) for one in cut if one.peer}
    begin = started - LEAD_SECONDS
    return Telemetry(
        target=target,
        started_at=started,
        as_of=as_of,
        baseline=(min(float(one.times[0]) for one in cut), begin),
        window=(begin, as_of),
        series=tuple(cut),
        logs=tuple(line for line in lines if begin - 600.0 <= line.at <= as_of),
        edges=tuple(sorted((a, b) for a, b in edges if b)),
        roles=dict(ROLES),
        log_source="lab-loki",
        log_query='{namespace="shop"}',
        log_baseline_seconds=600.0,
        log_window_seconds=as_of - begin,
    )
