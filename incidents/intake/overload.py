"""When to say "not now": too many requests in work here, or too many deliveries waiting.

The count of waiting deliveries rides on the statement that looks the token up, once a second
and process; in between the last answer counts. A refusal costs no statement and reads no body.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

LOOK_EVERY_SECONDS = 1.0
# stops counting at the limit: the cost does not grow with the backlog
TOO_MANY = """
  (SELECT count(*) FROM (SELECT 1 FROM incidents_delivery
    WHERE state IN ('queued', 'grouping') LIMIT %(waiting_limit)s) AS waiting)
"""


class Overloaded(Exception):
    """The message says what there is too much of."""


class Gate:
    """Counts the requests in work and remembers how many deliveries waited when last asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_work = 0
        self._looked_at = float("-inf")
        self._full = False

    @contextmanager
    def entered(self) -> Iterator[None]:
        """One request's stay. Raises Overloaded at the door."""
        with self._lock:
            if self._in_work >= settings.INTAKE_MAX_IN_WORK:
                raise Overloaded("too many deliveries at once")
            if self._full and self.is_fresh():
                raise Overloaded("too many deliveries wait to be grouped")
            self._in_work += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_work -= 1

    def is_fresh(self) -> bool:
        return time.monotonic() - self._looked_at < LOOK_EVERY_SECONDS

    def note(self, waiting: int | None) -> None:
        """How many deliveries wait, None when nobody asked. Raises Overloaded at the limit."""
        if waiting is None:
            return
        self._looked_at = time.monotonic()
        self._full = waiting >= settings.INTAKE_MAX_WAITING
        if self._full:
            raise Overloaded("too many deliveries wait to be grouped")


gate = Gate()


def statement() -> str:
    """The column to ask for beside a token: the count when it is due, else NULL."""
    return "NULL" if gate.is_fresh() else TOO_MANY


def values() -> dict[str, Any]:
    return {"waiting_limit": settings.INTAKE_MAX_WAITING}


note = gate.note
