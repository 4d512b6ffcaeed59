"""A ranking as one canonical text: what "the same answer, byte for byte" means. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from correlation.telemetry import Ranking


def canonical(ranking: Ranking) -> str:
    """JSON with sorted keys and no spaces; floats in their shortest exact form."""
    return json.dumps(asdict(ranking), sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    """SHA-256 of the text, 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def differences(before: str, now: str) -> list[tuple[str, Any, Any]]:
    """Where two canonical texts differ: (path such as `causes[0].confidence`, before, now)."""
    return list(_differences("", json.loads(before), json.loads(now)))


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()
"""Stands where one of the two has nothing."""


def _differences(path: str, before: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted(before.keys() | now.keys()):
            inner = f"{path}.{key}" if path else key
            yield from _differences(inner, before.get(key, ABSENT), now.get(key, ABSENT))
    elif isinstance(before, list) and isinstance(now, list):
        for n in range(max(len(before), len(now))):
            pair = [items[n] if n < len(items) else ABSENT for items in (before, now)]
            yield from _differences(f"{path}[{n}]", *pair)
    elif before is not now and (type(before), before) != (type(now), now):
        yield path, before, now
