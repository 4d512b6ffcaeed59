"""Wakes the grouping task, at most once per PAUSE_SECONDS and process however many ask.

A request only sets a flag: publishing is one daemon thread's work. A wake-up that is lost costs
time, not alerts: the sweep finds the rows.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

logger = logging.getLogger("studio.intake")
PAUSE_SECONDS = 0.2


class Waker:
    """Calls `publish` in a thread of its own, once for the wishes of a pause."""

    def __init__(self, publish: Callable[[], None]) -> None:
        self._publish = publish
        self._asked = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        self._asked.set()
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="wakeups", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        rest = threading.Event()
        while True:
            self._asked.wait()
            self._asked.clear()
            self._publish()
            rest.wait(PAUSE_SECONDS)


def _publish() -> None:
    # the tasks import the grouping that asks for them
    from incidents.tasks import group_waiting

    try:
        group_waiting.delay()
    except Exception as error:  # kombu's errors differ by transport
        logger.warning("broker unavailable, deliveries wait for the sweep: %s", error)


_waker = Waker(_publish)


def wake() -> None:
    """Have the grouping task run soon; returns at once."""
    _waker.wake()


def _after_fork() -> None:
    global _waker
    _waker = Waker(_publish)


os.register_at_fork(after_in_child=_after_fork)
