"""One question asked once by analyses that run together: in this process, for a few seconds.

The first asker's call is everybody's: those who come while it is under way wait for it, those
who come a moment later get its answer. Failures are shared with those who waited and not kept.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from correlation.backends.errors import timeout_error
from correlation.deadline import Deadline
from correlation.sources import Reply

KEPT_SECONDS = 3.0
MOST_KEPT = 512
"""Answers kept at most; the oldest goes first."""

_answers: OrderedDict[Hashable, tuple[float, Future[Reply]]] = OrderedDict()
_lock = threading.Lock()


def once(
    key: Hashable, ask: Callable[[Deadline], Reply], deadline: Deadline, source: str
) -> tuple[Reply, bool]:
    """The reply for `key`, and whether this call was the one that asked. Raises what `ask` does."""
    with _lock:
        _forget(time.monotonic())
        known = _answers.get(key)
        if known is None:
            mine: Future[Reply] = Future()
            _answers[key] = (float("inf"), mine)
    if known is not None:
        return _awaited(known[1], deadline, source), False
    try:
        reply = ask(deadline)
    except BaseException as error:
        with _lock:
            _answers.pop(key, None)
        mine.set_exception(error)
        raise
    with _lock:
        _answers[key] = (time.monotonic() + KEPT_SECONDS, mine)
        _answers.move_to_end(key)
    mine.set_result(reply)
    return reply, True


def forget() -> None:
    """Drop every kept answer (tests, and a source whose settings have changed)."""
    with _lock:
        _answers.clear()


def _awaited(asked: Future[Reply], deadline: Deadline, source: str) -> Reply:
    left = deadline.remaining()
    try:
        return asked.result(timeout=left)
    except FutureTimeout:
        raise timeout_error(source, left) from None


def _forget(now: float) -> None:
    for key in [key for key, (until, _) in _answers.items() if until <= now]:
        del _answers[key]
    while len(_answers) > MOST_KEPT:
        oldest = next((k for k, (until, _) in _answers.items() if until != float("inf")), None)
        if oldest is None:
            return
        del _answers[oldest]
