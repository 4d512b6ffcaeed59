"""Identifiers that sort by the time they were made."""

from __future__ import annotations

import secrets
import time
import uuid


def time_ordered() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562): milliseconds since 1970, then 74 random bits.

    New rows land at the end of their indexes, so inserting stays as cheap as the table grows.
    """
    milliseconds = time.time_ns() // 1_000_000
    low = secrets.randbits(74)
    number = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (low >> 62) << 64
    return uuid.UUID(int=number | 0b10 << 62 | low & (1 << 62) - 1)
