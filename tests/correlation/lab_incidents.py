"""The lab's faults as Telemetry, through the product's own query profile, without HTTP."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from correlation.metrics import profiles
from correlation.telemetry import Change, LogLine, Series, Telemetry
from lab import promql
from lab.faults import FAULTS, Fault, custom_fault
from lab.logstore import LogStore
from lab.simulation import Simulation
from lab.tsdb import Tsdb

END = 1_800_000_000.0
ROLES = {"postgres": "database", "redis": "cache", "queue": "queue"}
LEAD_SECONDS = 300.0
LOG_BASELINE_SECONDS = 600.0


@dataclass(frozen=True)
class Recorded:
    """One run of the lab: every signal of the default profile, every line, and the truth."""

    series: tuple[Series, ...]
    lines: tuple[LogLine, ...]
    fault_at: float
    fault: Fault | None
    earlier: tuple[Change, ...] = ()


def custom(**payload: object) -> Fault:
    """The custom fault of POST /lab/fail."""
    return custom_fault(payload)[0]


def record(
    fault: str | Fault | None, seed: int, *, healthy_seconds: float = 1300.0,
    fault_seconds: float = 125.0, step: float = 5.0, rate_window: float = 30.0,
) -> Recorded:  # fmt: skip
    """Simulate health, then `fault` for `fault_seconds` up to END."""
    chosen = FAULTS[fault] if isinstance(fault, str) else fault
    start, fault_at = END - fault_seconds - healthy_seconds, END - fault_seconds
    tsdb, logs = Tsdb(), LogStore()
    simulation = Simulation(seed, start, tsdb, logs)
    simulation.fast_forward(fault_at)
    if chosen is not None:
        simulation.start_fault(chosen)
    simulation.fast_forward(END)
    deploys = [Change("old", "catalogue", "deploy", fault_at - 200.0, "catalogue v9")]
    if chosen is not None and chosen.change:
        shown = chosen.change
        deploys.append(
            Change("new", shown["service"], shown["kind"], fault_at, shown["description"])
        )
    return Recorded(
        tuple(_series(tsdb, start, step, rate_window)), tuple(_lines(logs)), fault_at, chosen,
        tuple(deploys),
    )  # fmt: skip


def telemetry_at(
    recorded: Recorded, since: float, *, detected_after: float = 20.0, target: str | None = None
) -> Telemetry:
    """What the product would see `since` seconds after the fault began."""
    as_of = recorded.fault_at + since
    started = min(as_of, recorded.fault_at + detected_after)
    begin = started - LEAD_SECONDS
    cut = tuple(
        replace(one, times=one.times[one.times <= as_of], values=one.values[one.times <= as_of])
        for one in recorded.series
        if one.times[0] <= as_of
    )
    return Telemetry(
        target=target,
        started_at=started,
        as_of=as_of,
        baseline=(min(float(one.times[0]) for one in cut), begin),
        window=(begin, as_of),
        series=cut,
        logs=tuple(
            line for line in recorded.lines if begin - LOG_BASELINE_SECONDS <= line.at <= as_of
        ),
        edges=tuple(sorted({(one.service, one.peer) for one in cut if one.peer})),
        changes=tuple(change for change in recorded.earlier if change.at <= as_of),
        roles=dict(ROLES),
        log_source="lab-loki",
        log_query='{namespace="shop"}',
        log_baseline_seconds=LOG_BASELINE_SECONDS,
        log_window_seconds=as_of - begin,
    )


def _series(tsdb: Tsdb, start: float, step: float, rate_window: float) -> list[Series]:
    found = []
    first = float(np.ceil((start + 90.0) / step) * step)
    for row in profiles.load(profiles.DEFAULT_PROFILE).queries(rate_window):
        for labels, points in promql.range_query(tsdb, row.query, first, END, step):
            sampled = [(at, value) for at, value in points if np.isfinite(value)]
            service = labels.get(row.service_label)
            if not service or not sampled:
                continue
            times, values = np.array(sampled).T
            peer = labels.get(row.peer_label) if row.peer_label else None
            found.append(
                Series(service, row.signal, times, values, row.direction, row.unit, peer,
                       "lab-prometheus", row.query)
            )  # fmt: skip
    return found


def _lines(logs: LogStore) -> list[LogLine]:
    start, end = int((END - 1400.0) * 1e9), int((END + 1.0) * 1e9)
    return [
        LogLine(labels.get("app", ""), entry.at_ns / 1e9, entry.line, labels.get("level", ""))
        for labels, entries in logs.select([], start, end)
        for entry in entries
    ]
