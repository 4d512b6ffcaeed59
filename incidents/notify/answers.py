"""What a receiver's answer means, and how long to wait before the next attempt; no I/O."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

Outcome = Literal["sent", "failed", "refused"]

REFUSALS = (400, 413, 422)
"""What is sent again the same will be refused the same."""
THROTTLED = (429, 503)
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 900.0


@dataclass(frozen=True)
class Result:
    """How one attempt ended. `failed` is worth another, `refused` is not.

    `status_code` is the receiver's (HTTP or SMTP), None where there was none; `said` what it
    answered or what went wrong, one line; `retry_after_seconds` what it asked for.
    """

    outcome: Outcome
    said: str
    seconds: float
    status_code: int | None = None
    retry_after_seconds: float | None = None


def outcome_of(status_code: int) -> Outcome:
    if 200 <= status_code < 300:
        return "sent"
    return "refused" if status_code in REFUSALS else "failed"


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110 section 10.2.3), None for none.

    Either a number of seconds or an HTTP date; what is neither says nothing.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def pause_seconds(failures: int, seed: str) -> float:
    """How long to wait after so many failures in a row: 5 s, doubled each time, at most 15 min.

    Between half of that and all of it, drawn from `seed`: many that failed at once do not come
    back at once, and the same row always waits the same.
    """
    full = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 20))
    digest = hashlib.sha256(f"{seed}:{failures}".encode()).digest()
    return full * (0.5 + 0.5 * int.from_bytes(digest[:4]) / 2**32)
