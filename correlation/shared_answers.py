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
from dataclasses import dataclass

from correlation.sources import Reply
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import timeout_error

KEPT_SECONDS = 6.0
"""A little longer than analyses that run together keep their moment (correlation.moment)."""

MOST_BYTES = 64_000_000
"""What the kept answers may weigh together, roughly; the oldest goes first."""

UNDER_WAY = float("inf")

_answers: OrderedDict[Hashable, _Kept] = OrderedDict()
_lock = threading.Lock()


@dataclass
class _Kept:
    """An answer, or the promise of one; `until` is on the monotonic clock."""

    answer: Future[Reply]
    until: float = UNDER_WAY
    weight: int = 0


def once(
    key: Hashable, ask: Callable[[Deadline], Reply], deadline: Deadline, source: str
) -> tuple[Reply, bool]:
    """The reply for `key`, and whether this call was the one that asked. Raises what `ask` does."""
    with _lock:
        _forget(time.monotonic())
        known = _answers.get(key)
        if known is None:
            mine = _Kept(Future())
            _answers[key] = mine
    if known is not None:
        return _awaited(known.answer, deadline, source), False
    try:
        reply = ask(deadline)
    except BaseException as error:
        with _lock:
            _drop(key, mine)
        mine.answer.set_exception(error)
        raise
    with _lock:
        mine.until, mine.weight = time.monotonic() + KEPT_SECONDS, _weight(reply)
    mine.answer.set_result(reply)
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
    for key, kept in list(_answers.items()):
        if kept.until <= now:
            del _answers[key]
    total = sum(kept.weight for kept in _answers.values())
    for key, kept in list(_answers.items()):
        if total <= MOST_BYTES:
            return
        if kept.until != UNDER_WAY:
            total -= kept.weight
            del _answers[key]


def _drop(key: Hashable, mine: _Kept) -> None:
    if _answers.get(key) is mine:
        del _answers[key]


def _weight(reply: Reply) -> int:
    """Roughly what a reply weighs in memory, in bytes."""
    samples = sum(2 * series.values.nbytes + 500 for series in reply.series)
    lines = sum(2 * len(line.message) + 300 for line in reply.lines)
    rest = len(reply.spans) + len(reply.workloads) + len(reply.changes)
    return samples + lines + 1000 * rest + reply.more_bytes
