"""A database that could not serve a request in time, and could the next: worth another try."""

from __future__ import annotations

from django.db import OperationalError

RETRY_AFTER_SECONDS = 2
LOCKED = ("database is locked", "database table is locked")  # SQLite's words
# PostgreSQL's: serialization failure, deadlock, lock not available, too many connections
STATES = frozenset({"40001", "40P01", "55P03", "53300"})
NO_CONNECTION_FREE = "PoolTimeout"


def is_busy(error: BaseException | None) -> bool:
    """Whether `error` says that others were in the way; nothing of its transaction was kept."""
    if not isinstance(error, OperationalError):
        return False
    cause = error.__cause__
    return (
        str(error) in LOCKED
        or getattr(cause, "sqlstate", None) in STATES
        or type(cause).__name__ == NO_CONNECTION_FREE
    )
