"""Reads what one directory of a labelled incident recorded: metrics, log lines, spans, edges.

Files that are not there are empty, a blank cell is no sample. The format is that of
docs/accuracy.md. Whatever is there must be readable: BadCase names the file, the row and the field.
"""

from __future__ import annotations

import csv
import gzip
import math
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from correlation.evaluation.columns import reading, split
from correlation.telemetry import Floats, LogLine, Series, Span

csv.field_size_limit(sys.maxsize)

FAILED = frozenset({"ERROR", "2", "STATUS_CODE_ERROR"})
"""What a span's status says when it failed."""


class BadCase(ValueError):
    """A case that cannot be read; the text names the file and what is wrong."""


@dataclass(frozen=True, eq=False)
class Recording:
    """What one directory holds, as it is; times in epoch seconds."""

    series: tuple[Series, ...] = ()
    lines: tuple[LogLine, ...] = ()
    spans: tuple[Span, ...] = ()


def read_recording(directory: Path, step_seconds: float) -> Recording:
    """Metrics, logs and traces of one directory; what is not there is empty."""
    return Recording(_metrics(directory, step_seconds), _lines(directory), _spans(directory))


def read_edges(directory: Path) -> tuple[tuple[str, str], ...]:
    """(caller, callee) of graph.csv, in order, once each."""
    edges = {(row.text("caller"), row.text("callee")) for row in _rows(directory, "graph")}
    return tuple(sorted(edges))


@dataclass(frozen=True)
class _Row:
    """One row of a table and where it stands, for the error that names it."""

    path: Path
    number: int
    cells: dict[str, str]

    def text(self, field: str) -> str:
        value = self.cells.get(field)
        if value is None:
            raise BadCase(f"{self.path}: row {self.number}: {field} is missing")
        return value

    def time(self, field: str, a_second: float) -> float:
        """A finite number of units, `a_second` of which make one, as seconds."""
        text = self.text(field)
        try:
            value = float(text) / a_second
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise BadCase(f"{self.path}: row {self.number}: {field} must be a number, not {text!r}")
        return value


def _metrics(directory: Path, step_seconds: float) -> tuple[Series, ...]:
    header, table, path = _table(directory)
    if not table.size:
        return ()
    if header[0] != "time":
        raise BadCase(f"{path}: the first column must be time, not {header[0]!r}")
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


def _table(directory: Path) -> tuple[list[str], Floats, Path]:
    """Header and numbers (rows x columns, NaN for a blank) of metrics.csv[.gz]."""
    rows = _cells(directory, "metrics")
    path, _, header = next(rows, (directory, 0, []))
    numbers = []
    for path, line, cells in rows:
        if len(cells) != len(header):
            raise BadCase(f"{path}: row {line} has {len(cells)} cells, the header {len(header)}")
        try:
            numbers.append([float(cell) if cell else math.nan for cell in cells])
        except ValueError:
            field, cell = next(
                pair for pair in zip(header, cells, strict=True) if not _is_number(pair[1])
            )
            raise BadCase(f"{path}: row {line}: {field} must be a number, not {cell!r}") from None
        if not math.isfinite(numbers[-1][0]):
            raise BadCase(f"{path}: row {line}: time must be a number, not {cells[0]!r}")
    return header, np.array(numbers, dtype=float).reshape(-1, max(len(header), 1)), path


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True


def _lines(directory: Path) -> tuple[LogLine, ...]:
    return tuple(
        LogLine(
            service=row.text("service"),
            at=row.time("timestamp", 1e9),
            message=row.text("message"),
            level=(row.cells.get("level") or "").lower(),
            trace_id=row.cells.get("traceID") or "",
            span_id=row.cells.get("spanID") or "",
        )
        for row in _rows(directory, "logs")
    )


def _spans(directory: Path) -> tuple[Span, ...]:
    return tuple(
        Span(
            trace_id=row.text("traceID"),
            span_id=row.text("spanID"),
            parent_id=row.text("parentSpanID"),
            service=row.text("serviceName"),
            operation=row.text("operationName"),
            kind="",
            start=row.time("startTime", 1e6),
            seconds=row.time("duration", 1e6),
            failed=(row.cells.get("status") or "").upper() in FAILED,
        )
        for row in _rows(directory, "traces")
    )


def _rows(directory: Path, name: str) -> Iterator[_Row]:
    rows = _cells(directory, name)
    _, _, header = next(rows, (directory, 0, []))
    for path, number, cells in rows:
        yield _Row(path, number, dict(zip(header, cells, strict=False)))


def _cells(directory: Path, name: str) -> Iterator[tuple[Path, int, list[str]]]:
    """(file, row number from 1, cells) of name.csv.gz or name.csv, the header first."""
    path = directory / f"{name}.csv.gz"
    if not path.exists():
        path = directory / f"{name}.csv"
    if not path.exists():
        return
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", newline="", encoding="utf-8") as stream:
                yield from ((path, n, row) for n, row in enumerate(csv.reader(stream), 1) if row)
        else:
            with path.open(newline="", encoding="utf-8") as stream:
                yield from ((path, n, row) for n, row in enumerate(csv.reader(stream), 1) if row)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise BadCase(f"{path}: {error}") from error
