"""Writes what an analysis ranked as a labelled case: the directory `case_files` reads.

The tables are those of docs/accuracy.md, and any reader of that format can rank them. What those
tables have no place for is added where such a reader does not look: `exact` in incident.json (what
each column is, roles, windows), workloads.json, and further columns of traces.csv.gz. `not_carried`
in incident.json names what is lost all the same.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from correlation.telemetry import Series, Telemetry

SPAN_EXTRAS = ("kind", "peer", "message", "sampled_as", "attributes")
_UNIT_WORDS = {"s": "s", "bytes": "bytes", "cores": "cores"}


def write_case(
    directory: Path, telemetry: Telemetry, label: Mapping[str, Any], about: Mapping[str, Any]
) -> list[str]:
    """Write the case, replacing one that is there; what its files could not carry, in words.

    `label` becomes label.json, `about` is added to incident.json.
    """
    directory.mkdir(parents=True, exist_ok=True)
    columns = _columns(telemetry.series)
    lost = not_carried(telemetry)
    _json(
        directory / "incident.json",
        {
            "start": telemetry.started_at,
            "service": telemetry.target,
            "step": _step(telemetry.series),
            **about,
            "exact": _exact(telemetry, columns),
            "not_carried": lost,
        },
    )
    _json(directory / "label.json", label)
    _table(directory / "metrics.csv.gz", *_metrics(columns))
    _table(
        directory / "logs.csv.gz",
        ["timestamp", "service", "level", "message", "traceID", "spanID"],
        (
            [_units(line.at, 10**9), line.service, line.level, line.message, line.trace_id,
             line.span_id]
            for line in telemetry.logs
        ),
    )  # fmt: skip
    _table(
        directory / "traces.csv.gz",
        ["traceID", "spanID", "parentSpanID", "serviceName", "operationName", "startTime",
         "duration", "status", *SPAN_EXTRAS],
        (
            [span.trace_id, span.span_id, span.parent_id, span.service, span.operation,
             _units(span.start, 10**6), _units(span.seconds, 10**6),
             "ERROR" if span.failed else "", span.kind, span.peer, span.message, span.sampled_as,
             json.dumps(span.attributes) if span.attributes else ""]
            for span in telemetry.spans
        ),
    )  # fmt: skip
    _table(directory / "graph.csv", ["caller", "callee"], telemetry.edges)
    _json(directory / "changes.json", [asdict(change) for change in telemetry.changes])
    _json(directory / "workloads.json", [asdict(state) for state in telemetry.workloads])
    return lost


def not_carried(telemetry: Telemetry) -> list[str]:
    """What the case's files have no place for; times of lines and spans are rounded besides."""
    lost = []
    if telemetry.log_patterns:
        lost.append(f"{len(telemetry.log_patterns)} log patterns counted by the log store")
    if telemetry.missing:
        lost.append("which sources were missing")
    return lost


def _exact(telemetry: Telemetry, columns: Mapping[str, Series]) -> dict[str, Any]:
    return {
        "as_of": telemetry.as_of,
        "baseline": list(telemetry.baseline),
        "window": list(telemetry.window),
        "log_baseline_seconds": telemetry.log_baseline_seconds,
        "log_window_seconds": telemetry.log_window_seconds,
        "log_source": telemetry.log_source,
        "log_query": telemetry.log_query,
        "trace_source": telemetry.trace_source,
        "trace_query": telemetry.trace_query,
        "traces_unbiased": telemetry.traces_unbiased,
        "roles": dict(telemetry.roles),
        "columns": {
            name: {
                "service": one.service,
                "signal": one.signal,
                "peer": one.peer,
                "direction": one.direction,
                "unit": one.unit,
                "source": one.source,
                "query": one.query,
            }
            for name, one in columns.items()
        },
    }


def _columns(series: Sequence[Series]) -> dict[str, Series]:
    """Each series under a column's name whose words say what it is, in their order."""
    named: dict[str, Series] = {}
    for one in series:
        words = [*([one.peer] if one.peer else []), *one.signal.split("_")]
        if _UNIT_WORDS.get(one.unit, words[-1]) not in words:
            words.append(_UNIT_WORDS[one.unit])
        name = plain = f"{one.service}_{'-'.join(words).replace('_', '-')}"
        twins = 1
        while name in named:
            twins += 1
            name = f"{plain}-{twins}"
        named[name] = one
    return named


def _metrics(columns: Mapping[str, Series]) -> tuple[list[str], Iterable[list[str]]]:
    times = sorted({at for one in columns.values() for at in one.times.tolist()})
    cells = [
        dict(zip(one.times.tolist(), one.values.tolist(), strict=True)) for one in columns.values()
    ]
    rows = (
        [repr(at), *(repr(column[at]) if at in column else "" for column in cells)] for at in times
    )
    return ["time", *columns], rows


def _step(series: Sequence[Series]) -> float | None:
    longest = max(series, key=lambda one: one.times.size, default=None)
    if longest is None or longest.times.size < 2:
        return None
    return float(np.median(np.diff(longest.times)))


def _units(seconds: float, a_second: int) -> int:
    """Whole units, from the number as it is: seconds x 10^9 as a float would be 128 ns off."""
    return round(Fraction(seconds) * a_second)


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    data = text.getvalue().encode("utf-8", "replace")  # lone surrogates have no UTF-8
    # no time of writing inside: the same case is the same bytes
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")
