"""What exported cases say beyond the tables: `exact`, workload states, columns of spans.

With it the case ranks like the analysis it was exported from; without it, as any other case.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from correlation.telemetry import Series, Span, Telemetry, WorkloadState

_SOURCES = {
    "logs": ("log_source", "log_query"),
    "spans": ("trace_source", "trace_query", "traces_unbiased"),
}
"""Fields of Telemetry that say where rows came from, by what they say it of."""

NEEDED = frozenset(
    {"as_of", "baseline", "window", "roles", "columns", "log_baseline_seconds"}
    | {"log_window_seconds"}
    | {name for names in _SOURCES.values() for name in names}
)


@dataclass(frozen=True, eq=False)
class Exact:
    """`told` is `exact` of incident.json; `workloads` those of workloads.json."""

    told: Mapping[str, Any]
    workloads: tuple[WorkloadState, ...]

    def refined(self, directory: Path, read: Any) -> Any:
        """The recording `read` from the tables, with exact series and whole spans."""
        series = _series(directory, self) if read.series else ()
        spans = _spans(directory, read.spans) if read.spans else ()
        return replace(read, series=series, spans=spans)

    def shown(
        self,
        telemetry: Telemetry,
        *,
        whole: bool,
        moved: bool,
        edges: tuple[tuple[str, str], ...],
    ) -> Telemetry:
        """`telemetry` as it was exported: origins, roles, states and, unless `moved`, windows.

        `whole`: nothing after a horizon is left out; `edges` are the dependency graph's.
        """
        told = self.told
        telemetry = replace(
            telemetry,
            series=tuple(self._named(one) for one in telemetry.series),
            edges=edges,
            roles=dict(told["roles"]),
            workloads=tuple(s for s in self.workloads if whole or s.at <= telemetry.as_of),
        )
        for rows, names in _SOURCES.items():
            if getattr(telemetry, rows):
                telemetry = replace(telemetry, **{name: told[name] for name in names})
        if moved:
            return telemetry
        begin, end = told["window"]
        as_of = told["as_of"] if whole else telemetry.as_of
        return replace(
            telemetry,
            as_of=as_of,
            baseline=tuple(told["baseline"]),
            window=(begin, end if whole else max(telemetry.as_of, begin + 1.0)),
            log_baseline_seconds=told["log_baseline_seconds"],
            log_window_seconds=told["log_window_seconds"] if whole else telemetry.as_of - begin,
        )

    def _named(self, series: Series) -> Series:
        column = self.told["columns"].get(series.query)
        return replace(series, **column) if column else series


def read_exact(directory: Path, incident: Mapping[str, Any]) -> Exact | None:
    """The additions of the case in `directory`, None for a case without; raises ValueError."""
    told = incident.get("exact")
    if told is None:
        return None
    lacking = (NEEDED - told.keys()) if isinstance(told, dict) else NEEDED
    if lacking:
        raise ValueError(f"exact lacks {', '.join(sorted(lacking))}")
    path = directory / "workloads.json"
    states = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return Exact(told, tuple(_state(one) for one in states))


def _series(directory: Path, exact: Exact) -> tuple[Series, ...]:
    """The columns as they were exported; `query` is the column's name until `shown`."""
    with gzip.open(directory / "metrics.csv.gz", "rt", newline="", encoding="utf-8") as stream:
        rows = csv.reader(stream)
        header = next(rows)
        table = np.array([[float(cell or "nan") for cell in row] for row in rows], dtype=float)
    found = []
    for n, name in enumerate(header[1:], start=1):
        column = exact.told["columns"][name]
        cells = table[:, n] if table.size else np.empty(0)
        there = np.isfinite(cells)
        times = table[there, 0] if table.size else np.empty(0)
        found.append(Series(times=times, values=cells[there], **{**column, "query": name}))
    return tuple(found)


def _spans(directory: Path, spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """The spans with what the further columns say, row by row."""
    path = directory / "traces.csv.gz"
    with gzip.open(path, "rt", newline="", encoding="utf-8") as stream:
        rows: list[dict[str, Any]] = list(csv.DictReader(stream))
    return tuple(
        replace(
            span,
            kind=row["kind"],
            peer=row["peer"],
            message=row["message"],
            sampled_as=row["sampled_as"],
            attributes=_pairs(row["attributes"]),
        )
        for span, row in zip(spans, rows, strict=True)
    )


def _state(told: Mapping[str, Any]) -> WorkloadState:
    given = {f.name: told[f.name] for f in fields(WorkloadState) if f.name in told}
    return WorkloadState(**{**given, "attributes": tuple(map(tuple, given["attributes"]))})


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(k), str(v)) for k, v in json.loads(text)) if text else ()
