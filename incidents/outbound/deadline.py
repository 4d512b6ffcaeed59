"""One moment by which work must have ended, on the monotonic clock."""

from __future__ import annotations

import time


class Deadline:
    """Ends `seconds` from now; passed down through every call that may wait."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._ends - time.monotonic())

    def expired(self) -> bool:
        return time.monotonic() >= self._ends

    def sooner(self, seconds: float) -> Deadline:
        """The earlier of this deadline and `seconds` from now."""
        return Deadline(min(self.remaining(), seconds))
