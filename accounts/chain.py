"""Hash chain: canonical text of an entry, and the digest that links it to the one before.

The text is stored and hashed as stored: JSON read back from a database may differ (PostgreSQL
returns 1e22 as an integer and -0.0 as 0.0).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

START = ""  # what the first entry's digest is linked to
ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


class Link(Protocol):
    """A stored entry of a chain: `entry()` is what its columns say."""

    seq: Any
    canonical: Any
    previous: Any
    digest: Any

    def entry(self) -> dict[str, Any]: ...


def canonical(entry: Mapping[str, Any]) -> str:
    """JSON text with sorted keys and no spaces: equal entries give equal text.

    Aware datetimes become RFC 3339 in UTC with microseconds and Z, UUID and Decimal text; NUL
    characters are dropped. Raises ValueError for NaN, infinities, naive datetimes, keys that
    collide once NUL is dropped, and TypeError for anything else JSON has no word for.
    """
    return ENCODER.encode(_plain(entry))


def digest(previous: str, canonical_text: str) -> str:
    """SHA-256 hex of the previous entry's digest (START for the first), a newline, the text."""
    return hashlib.sha256(f"{previous}\n{canonical_text}".encode()).hexdigest()


def _plain(value: Any) -> Any:
    if type(value) is str and value.isascii() and "\x00" not in value:
        return value  # nearly all there is
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        # lone surrogates cannot be stored or hashed as UTF-8
        return str(value).replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value!r} is not a number")
        return str(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        plain: dict[str, Any] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"key {key!r} is not text")
            name = _plain(key)
            if name in plain:
                raise ValueError(f"two keys are {name!r}")
            plain[name] = _plain(item)
        return plain
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical form")
