"""What the lab's inbox received, as its page shows it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MOST_SHOWN = 20


@dataclass(frozen=True)
class Letter:
    at: datetime
    summary: str
    key: str


def letters(received: Iterable[Mapping[str, Any]]) -> list[Letter]:
    """Each as one line: a CloudEvent's summary, a chat message's text, else how it begins."""
    return [_letter(one) for one in list(received)[:MOST_SHOWN]]


def _letter(one: Mapping[str, Any]) -> Letter:
    body = str(one["body"])
    try:
        read = json.loads(body)
    except ValueError:
        read = None
    data = read.get("data") if isinstance(read, dict) else None
    said = (data.get("summary") if isinstance(data, dict) else None) or (
        read.get("text") if isinstance(read, dict) else None
    )
    summary = said if isinstance(said, str) else body[:200]
    key = str(one["headers"].get("Idempotency-Key", ""))
    return Letter(datetime.fromisoformat(one["at"]), summary, key)
