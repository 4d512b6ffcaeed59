"""Histories in files: JSON as Alertmanager writes alerts, or CSV. See docs/backfill.md."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from incidents.backfill.histories import Firing
from incidents.intake.limits import too_large
from incidents.intake.received import LONGEST_ADDRESS, Unacceptable, clean, moment, text, texts

ANNOTATION = "annotation."
NOT_LABELS = ("starts_at", "ends_at", "generator_url")


@dataclass(frozen=True)
class Contents:
    """`refused` says of each entry that cannot be taken where it stands and why."""

    firings: list[Firing]
    refused: list[str]


def read(path: Path, now: datetime) -> Contents:
    """The firings in a .json or .csv file.

    Raises OSError, and Unacceptable for a file that is neither or cannot be read whole.
    """
    readers = {".json": _json, ".csv": _csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise Unacceptable(f"{path.name}: is neither a .json nor a .csv file")
    firings, refused = [], []
    try:
        for where, entry in reader(path):
            try:
                firings.append(_firing(entry, where, now))
            except Unacceptable as problem:
                refused.append(str(problem))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError, csv.Error) as problem:
        raise Unacceptable(f"{path.name}: cannot be read: {problem}") from None
    return Contents(firings, refused)


def _json(path: Path) -> Iterator[tuple[str, Any]]:
    body = json.loads(path.read_text("utf-8-sig"))
    alerts = body.get("alerts") if isinstance(body, dict) else body
    if not isinstance(alerts, list):
        raise Unacceptable(f"{path.name}: is no list of alerts, nor an object with `alerts`")
    for position, item in enumerate(alerts):
        yield f"alerts[{position}]", item


def _csv(path: Path) -> Iterator[tuple[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, strict=True, skipinitialspace=True)
        columns = rows.fieldnames or ()
        if "starts_at" not in columns:
            raise Unacceptable(f"{path.name}: has no column starts_at")
        if twice := sorted(name for name, times in Counter(columns).items() if name and times > 1):
            raise Unacceptable(f"{path.name}: has the column {twice[0]} more than once")
        for row in rows:
            where = f"line {rows.line_num}"
            if None in row or None in row.values():
                yield where, None
            else:
                yield where, _of_row(row)


def _of_row(row: Mapping[str, str]) -> dict[str, Any]:
    """A CSV row as the JSON form has it; an empty cell is a label that is not there."""
    filled = {name: value for name, value in row.items() if name and value}
    return {
        "labels": {
            name: value
            for name, value in filled.items()
            if name not in NOT_LABELS and not name.startswith(ANNOTATION)
        },
        "annotations": {
            name.removeprefix(ANNOTATION): value
            for name, value in filled.items()
            if name.startswith(ANNOTATION)
        },
        "startsAt": row["starts_at"],
        "endsAt": row.get("ends_at", ""),
        "generatorURL": row.get("generator_url", ""),
    }


def _firing(item: Any, where: str, now: datetime) -> Firing:
    if not isinstance(item, dict):
        raise Unacceptable(f"{where}: is no alert, or has not one cell for each column")
    labels = texts(item.get("labels"), f"{where}.labels")
    if not labels:
        raise Unacceptable(f"{where}.labels: is empty")
    annotations = texts(item.get("annotations") or {}, f"{where}.annotations")
    fingerprint = clean(text(item.get("fingerprint")))
    if problem := too_large(labels, annotations, fingerprint):
        raise Unacceptable(f"{where}: {problem}")
    starts = moment(item.get("startsAt"), f"{where}.startsAt")
    if starts is None or starts > now:
        raise Unacceptable(f"{where}.startsAt: is missing or in the future")
    ends = moment(item.get("endsAt"), f"{where}.endsAt")
    # with a status that is not resolved, endsAt is when it would be over without a repeat
    if item.get("status", "resolved") != "resolved" or (ends is not None and ends > now):
        ends = None
    if ends is not None and ends < starts:
        raise Unacceptable(f"{where}.endsAt: is before startsAt")
    return Firing(
        labels=labels,
        starts_at=starts,
        ends_at=ends,
        annotations=annotations,
        generator_url=text(item.get("generatorURL"))[:LONGEST_ADDRESS],
        fingerprint=fingerprint,
    )
