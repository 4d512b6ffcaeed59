"""Reads one labelled incident from its directory: when, where, what was recorded, what changed.

Only incident.json is required. The format is that of docs/accuracy.md. The label is read by
`label_of`, which nothing but the scoring calls.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from correlation.evaluation.exact import Exact, read_exact
from correlation.evaluation.recordings import BadCase, Recording, read_edges, read_recording
from correlation.telemetry import Change, Series


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
    """The truth: `service` is None where nothing was wrong.

    `change` is an id, "none", or None where the question does not arise; `innocent` are the ids
    of changes that had no part in it.
    """

    system: str
    service: str | None
    fault_type: str
    change: str | None
    innocent: frozenset[str]


def find_cases(roots: list[Path]) -> list[Path]:
    """Every directory with an incident.json below the roots, once each, by path."""
    found = {path.parent.resolve() for root in roots for path in root.rglob("incident.json")}
    return sorted(found)


def read_case(directory: Path) -> Case:
    """The case in `directory`; raises BadCase."""
    path = directory / "incident.json"
    told = _object(path)
    start, step = _number(path, told, "start"), _number(path, told, "step", 0.0)
    if step < 0.0:
        raise BadCase(f"{path}: step must be a number of seconds above 0")
    recorded = read_recording(directory, step)
    try:
        exact = read_exact(directory, told)
        recorded = recorded if exact is None else exact.refined(directory, recorded)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise BadCase(f"{path}: {error}") from error
    baseline = _text(path, told, "baseline")
    where = (directory / baseline).resolve() if baseline else None
    if where and not where.is_dir():
        raise BadCase(f"{path}: baseline: there is no directory {where}")
    return Case(
        name=f"{directory.parent.name}/{directory.name}",
        directory=directory,
        start=start,
        service=_text(path, told, "service") or None,
        step_seconds=step or _usual_step(recorded.series),
        recorded=recorded,
        healthy=_shared_recording(where, step) if where else Recording(),
        edges=read_edges(directory),
        changes=_changes(directory / "changes.json"),
        healthy_name=str(where) if where else "",
        exact=exact,
    )


def label_of(directory: Path) -> Label:
    """The truth about a case; raises BadCase."""
    path = directory / "label.json"
    told = _object(path)
    if "root_cause_service" not in told:
        raise BadCase(f"{path}: root_cause_service is missing (null: nothing was wrong)")
    decoys, change = told.get("decoys") or [], told.get("root_cause_change")
    if not isinstance(decoys, list):
        raise BadCase(f"{path}: decoys must be a list of ids")
    return Label(
        system=_text(path, told, "system") or directory.parent.name,
        service=_text(path, told, "root_cause_service") or None,
        fault_type=_text(path, told, "fault_type"),
        change=None if change is None else str(change),
        innocent=frozenset(str(one) for one in decoys),
    )


def start_of(directory: Path) -> float:
    """When the incident in `directory` was noticed, epoch seconds; raises BadCase."""
    path = directory / "incident.json"
    return _number(path, _object(path), "start")


_shared_recording = lru_cache(maxsize=4)(read_recording)
"""A healthy recording is read once for the cases that refer to it."""


def _changes(path: Path) -> tuple[Change, ...]:
    if not path.exists():
        return ()
    told = _json(path)
    if not isinstance(told, list):
        raise BadCase(f"{path}: must be a list of changes")
    return tuple(_change(f"{path}: change {n}", one) for n, one in enumerate(told, 1))


def _change(where: str, told: Any) -> Change:
    if not isinstance(told, dict):
        raise BadCase(f"{where}: must be an object")
    if not told.get("id"):
        raise BadCase(f"{where}: id is missing")
    files = told.get("files") or []
    if not isinstance(files, list):
        raise BadCase(f"{where}: files must be a list of paths")
    return Change(
        id=str(told["id"]),
        service=_text(where, told, "service"),
        kind=_text(where, told, "kind"),
        at=_number(where, told, "at"),
        title=_text(where, told, "title"),
        diff=_text(where, told, "diff"),
        files=tuple(str(one) for one in files),
        commit=_text(where, told, "commit"),
    )


def _object(path: Path) -> dict[str, Any]:
    told = _json(path)
    if not isinstance(told, dict):
        raise BadCase(f"{path}: must be an object")
    return told


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadCase(f"{path}: {error}") from error


def _number(
    where: Path | str, told: Mapping[str, Any], field: str, default: float | None = None
) -> float:
    value = told.get(field)
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadCase(f"{where}: {field} must be a number of seconds")
    return float(value)


def _text(where: Path | str, told: Mapping[str, Any], field: str) -> str:
    """The text under `field`, "" where there is none."""
    value = told.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadCase(f"{where}: {field} must be a text")
    return value


def _usual_step(series: tuple[Series, ...]) -> float:
    longest = max(series, key=lambda one: one.times.size, default=None)
    if longest is None or longest.times.size < 2:
        return 60.0
    return float(np.median(np.diff(longest.times)))
