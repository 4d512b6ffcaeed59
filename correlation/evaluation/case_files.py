"""Reads one labelled incident from its directory: series, log lines, spans, graph, changes.

Files that a case does not have are absent, a blank cell is no sample. The format is that of
docs/accuracy.md. The label is read by `label_of`, which nothing but the scoring calls.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from correlation.evaluation.columns import reading, split
from correlation.evaluation.exact import Exact, read_exact
from correlation.telemetry import Change, LogLine, Series, Span

csv.field_size_limit(sys.maxsize)


class BadCase(ValueError):
    """A case that cannot be read; the text names the file and what is wrong."""


@dataclass(frozen=True, eq=False)
class Recording:
    """What one directory holds, as it is; times in epoch seconds."""

    series: tuple[Series, ...] = ()
    lines: tuple[LogLine, ...] = ()
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, eq=False)
class Case:
    """An incident: when it was noticed, at which service, what was recorded, what was healthy."""

    name: str
    directory: Path
    start: float
    service: str | None
    step_seconds: float
    recorded: Recording
    healthy: Recording
    edges: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]
    healthy_name: str = ""
    exact: Exact | None = None


@dataclass(frozen=True)
class Label:
    """The truth: `change` is an id, "none", or None where the question does not arise."""

    system: str
    service: str
    fault_type: str
    change: str | None
    innocent: frozenset[str]


def find_cases(roots: list[Path]) -> list[Path]:
    """Every directory with an incident.json below the roots, once each, by path."""
    found = {path.parent.resolve() for root in roots for path in root.rglob("incident.json")}
    return sorted(found)


def read_case(directory: Path) -> Case:
    """The case in `directory`; raises BadCase."""
    told = _json(directory / "incident.json")
    if not isinstance(told, dict) or not isinstance(told.get("start"), (int, float)):
        raise BadCase(f"{directory / 'incident.json'}: start must be a number of seconds")
    step = float(told.get("step") or 0.0)
    recorded = read_recording(directory, step)
    try:
        exact = read_exact(directory, told)
        recorded = recorded if exact is None else exact.refined(directory, recorded)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise BadCase(f"{directory / 'incident.json'}: {error}") from error
    baseline = told.get("baseline")
    where = (directory / str(baseline)).resolve() if baseline else None
    return Case(
        name=f"{directory.parent.name}/{directory.name}",
        directory=directory,
        start=float(told["start"]),
        service=told.get("service") or None,
        step_seconds=step or _usual_step(recorded.series),
        recorded=recorded,
        healthy=_shared_recording(where, step) if where else Recording(),
        edges=tuple(sorted({(row["caller"], row["callee"]) for row in _rows(directory, "graph")})),
        changes=_changes(directory / "changes.json"),
        healthy_name=str(where) if where else "",
        exact=exact,
    )


def label_of(directory: Path) -> Label:
    """The truth about a case; raises BadCase."""
    told = _json(directory / "label.json")
    service = told.get("root_cause_service") if isinstance(told, dict) else None
    if not isinstance(service, str) or not service:
        raise BadCase(f"{directory / 'label.json'}: root_cause_service must be a text")
    return Label(
        system=str(told.get("system") or directory.parent.name),
        service=service,
        fault_type=str(told.get("fault_type") or ""),
        change=told.get("root_cause_change"),
        innocent=frozenset(told.get("decoys") or ()),
    )


def read_recording(directory: Path, step_seconds: float) -> Recording:
    """Metrics, logs and traces of one directory; what is not there is empty."""
    return Recording(_metrics(directory, step_seconds), _lines(directory), _spans(directory))


@lru_cache(maxsize=4)
def _shared_recording(directory: Path, step_seconds: float) -> Recording:
    if not directory.is_dir():
        raise BadCase(f"{directory}: there is no such baseline")
    return read_recording(directory, step_seconds)


def _metrics(directory: Path, step_seconds: float) -> tuple[Series, ...]:
    path = directory / "metrics.csv.gz"
    if not path.exists():
        return ()
    with gzip.open(path, "rt", newline="", encoding="utf-8") as stream:
        rows = csv.reader(stream)
        header = next(rows)
        table = np.array(
            [[float(cell) if cell else np.nan for cell in row] for row in rows], dtype=float
        ).reshape(-1, len(header))
    table = table[np.argsort(table[:, 0], kind="stable")]
    times = table[:, 0]
    step = step_seconds or (float(np.median(np.diff(times))) if times.size > 1 else 60.0)
    series = []
    for column, name in enumerate(header[1:], start=1):
        service, signal = split(name)
        there = np.isfinite(table[:, column])
        if not service or not there.any():
            continue
        raw = table[there, column]
        read = reading(signal, raw, step)
        series.append(
            Series(
                service=service,
                signal=read.signal,
                times=times[there],
                values=read.values(raw),
                direction=read.direction,
                unit=read.unit,
                source="metrics",
                query=name,
            )
        )
    return tuple(series)


def _lines(directory: Path) -> tuple[LogLine, ...]:
    return tuple(
        LogLine(
            service=row["service"],
            at=float(row["timestamp"]) / 1e9,
            message=row["message"],
            level=(row.get("level") or "").lower(),
            trace_id=row.get("traceID") or "",
            span_id=row.get("spanID") or "",
        )
        for row in _rows(directory, "logs")
    )


def _spans(directory: Path) -> tuple[Span, ...]:
    return tuple(
        Span(
            trace_id=row["traceID"],
            span_id=row["spanID"],
            parent_id=row["parentSpanID"],
            service=row["serviceName"],
            operation=row["operationName"],
            kind="",
            start=float(row["startTime"]) / 1e6,
            seconds=float(row["duration"]) / 1e6,
            failed=(row.get("status") or "").upper() in ("ERROR", "2", "STATUS_CODE_ERROR"),
        )
        for row in _rows(directory, "traces")
    )


def _changes(path: Path) -> tuple[Change, ...]:
    if not path.exists():
        return ()
    return tuple(
        Change(
            id=str(told["id"]),
            service=told.get("service") or "",
            kind=told.get("kind") or "",
            at=float(told["at"]),
            title=told.get("title") or "",
            diff=told.get("diff") or "",
            files=tuple(told.get("files") or ()),
            commit=told.get("commit") or "",
        )
        for told in _json(path)
    )


def _rows(directory: Path, name: str) -> Iterator[dict[str, str]]:
    packed, plain = directory / f"{name}.csv.gz", directory / f"{name}.csv"
    if packed.exists():
        with gzip.open(packed, "rt", newline="", encoding="utf-8") as stream:
            yield from csv.DictReader(stream)
    elif plain.exists():
        with plain.open(newline="", encoding="utf-8") as stream:
            yield from csv.DictReader(stream)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadCase(f"{path}: {error}") from error


def _usual_step(series: tuple[Series, ...]) -> float:
    longest = max(series, key=lambda one: one.times.size, default=None)
    if longest is None or longest.times.size < 2:
        return 60.0
    return float(np.median(np.diff(longest.times)))
