"""Which of the waiting rows of a channel goes next, alone or with others; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Waiting:
    """An undelivered row. `bundle` is the row that is sent for it, None when it stands alone or
    is that row."""

    pk: int
    incident: UUID
    attempts: int
    due_at: datetime
    bundle: int | None = None


def choose(
    waiting: Sequence[Waiting],
    sent_recently: int,
    now: datetime,
    *,
    at_most: int,
) -> tuple[int, ...]:
    """The rows of a channel's next message, the first stands for all; none when none may go.

    Rows of one incident go in the order of `pk`: one that failed, or is held, holds those after
    it. When the rows that may go would make more than `at_most` messages of this window
    (`sent_recently` are out already; 0 means no limit) they go as one; when as many are out, they
    wait until the window has moved on. Rows that were tried once are never put together anew:
    what is sent again is what was sent before.
    """
    fresh, retries = _ready(waiting, now)
    if at_most and fresh and sent_recently + len(fresh) > at_most:
        if sent_recently >= at_most:
            fresh = []
        elif len(fresh) > 1:
            return tuple(row.pk for row in fresh)
    ready = sorted([*fresh[:1], *retries], key=lambda row: (row.due_at, row.pk))
    return (ready[0].pk,) if ready else ()


def _ready(waiting: Sequence[Waiting], now: datetime) -> tuple[list[Waiting], list[Waiting]]:
    """(never tried, to be tried again), both due and not held by an earlier row."""
    fresh: list[Waiting] = []
    retries: list[Waiting] = []
    held: set[UUID] = set()
    first: set[UUID] = set()
    for row in sorted(waiting, key=lambda one: one.pk):
        if row.incident in held:
            continue
        may_go = row.bundle is None and row.due_at <= now
        if may_go and not row.attempts:
            fresh.append(row)
            first.add(row.incident)
            continue
        held.add(row.incident)
        if may_go and row.incident not in first:
            retries.append(row)
    return fresh, retries
