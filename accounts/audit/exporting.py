"""The audit as a file: CSV for spreadsheets, JSON lines for everything else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from accounts.audit.models import AuditEntry
from accounts.audit.recording import plain, record
from accounts.csv_rows import csv_text
from accounts.streaming import streamed

AT_ONCE = 500
COLUMNS = (
    "seq",
    "at",
    "action",
    "actor_kind",
    "actor_name",
    "actor",
    "token",
    "address",
    "request_id",
    "via",
    "target_type",
    "target_id",
    "target_name",
    "reason",
    "before",
    "after",
    "previous",
    "digest",
)
TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


def export(
    request: HttpRequest,
    found: QuerySet[AuditEntry],
    shape: str,
    filters: Mapping[str, Any],
) -> StreamingHttpResponse:
    """The entries, oldest first, as `shape` (a key of TYPES); itself an entry of the audit,
    which the file does not hold."""
    chunks = {"csv": _as_csv, "jsonl": _as_json_lines}[shape](_batches(found))
    record("audit.exported", None, None, {"as": shape, **plain(filters)})
    name = f"audit.{shape}"
    return streamed(request, chunks, content_type=TYPES[shape], filename=name)


def as_json(entry: AuditEntry) -> dict[str, Any]:
    said: dict[str, Any] = plain({**entry.entry(), "previous": entry.previous})
    return {**said, "digest": entry.digest}


def _batches(found: QuerySet[AuditEntry]) -> Iterator[Sequence[AuditEntry]]:
    """Up to the newest there is now: a chain that grows meanwhile does not delay the end."""
    newest = AuditEntry.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    return _read(found.filter(seq__lte=newest).order_by("seq"))


def _read(found: QuerySet[AuditEntry]) -> Iterator[Sequence[AuditEntry]]:
    last = 0
    while batch := list(found.filter(seq__gt=last)[:AT_ONCE]):
        yield batch
        last = batch[-1].seq


def _as_csv(batches: Iterator[Sequence[AuditEntry]]) -> Iterator[str]:
    yield csv_text([COLUMNS])
    for batch in batches:
        yield csv_text([[_cell(as_json(entry)[name]) for name in COLUMNS] for entry in batch])


def _as_json_lines(batches: Iterator[Sequence[AuditEntry]]) -> Iterator[str]:
    for batch in batches:
        lines = (json.dumps(as_json(entry), ensure_ascii=False) for entry in batch)
        yield "".join(f"{line}\n" for line in lines)


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return value
