"""One moment for analyses that run together, so that they ask the same questions.

A query's range ends at the analysis' moment: two analyses half a second apart would share no
answer. The more run at once, the longer a moment is kept; an analysis that runs alone looks at
now. Per process, like the answers it lets them share.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.utils import timezone

KEPT_FOR_EACH_RUNNING = timedelta(seconds=0.5)
KEPT_AT_MOST = timedelta(seconds=5)

_lock = threading.Lock()
_running = 0
_moment: datetime | None = None


@contextmanager
def shared(not_before: datetime | None = None, now: datetime | None = None) -> Iterator[datetime]:
    """The moment to look at, within the block that gathers. Never before `not_before`."""
    global _running, _moment
    with _lock:
        now = now or timezone.now()
        keep = min(_running * KEPT_FOR_EACH_RUNNING, KEPT_AT_MOST)
        stale = _moment is None or not timedelta(0) <= now - _moment < keep
        if stale or (not_before is not None and _moment is not None and _moment < not_before):
            _moment = now
        mine = _moment
        _running += 1
    assert mine is not None
    try:
        yield mine
    finally:
        with _lock:
            _running -= 1
