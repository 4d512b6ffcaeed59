"""A small discrete-event kernel: a clock, processes that sleep, and slots they queue for.

A process is a generator. It yields the absolute time (epoch seconds) at which it wants to go
on, or a `Waiter` while it queues for a slot. Sub-processes run with `yield from`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from heapq import heappop, heappush
from typing import Any, TypeVar

T = TypeVar("T")


class Waiter:
    """One process in the queue of a `Slots`, until granted or past its deadline."""

    __slots__ = ("abandoned", "deadline", "granted", "process", "slots")

    def __init__(self, slots: Slots, deadline: float) -> None:
        self.slots = slots
        self.deadline = deadline
        self.granted = False
        self.abandoned = False
        self.process: Process[Any] | None = None


Process = Generator["float | Waiter", None, T]


class EventLoop:
    """Runs processes in order of virtual time; `now` is in epoch seconds."""

    def __init__(self, now: float) -> None:
        self.now = now
        self._heap: list[tuple[float, int, Any]] = []
        self._order = 0

    def spawn(self, process: Process[Any], at: float | None = None) -> None:
        """Start a process now, or at a later time."""
        self._order += 1
        heappush(self._heap, (self.now if at is None else at, self._order, process))

    def run_until(self, end: float) -> None:
        """Run all that is due up to and including `end`, then set the clock to it."""
        heap = self._heap
        while heap and heap[0][0] <= end:
            at, _, entry = heappop(heap)
            if at > self.now:
                self.now = at
            if type(entry) is Waiter:
                if entry.granted:
                    continue
                entry.abandoned = True
                entry.slots.pending -= 1
                entry = entry.process
            try:
                wake = entry.send(None)
            except StopIteration:
                continue
            self._order += 1
            if type(wake) is Waiter:
                wake.process = entry
                heappush(heap, (wake.deadline, self._order, wake))
            else:
                heappush(heap, (wake, self._order, entry))
        if end > self.now:
            self.now = end


class Slots:
    """A counted resource with a FIFO queue: worker slots, or pooled connections."""

    __slots__ = ("_waiting", "capacity", "in_use", "loop", "pending")

    def __init__(self, loop: EventLoop, capacity: int) -> None:
        self.loop = loop
        self.capacity = capacity
        self.in_use = 0
        self.pending = 0
        self._waiting: deque[Waiter] = deque()

    def acquire(self, deadline: float) -> Process[bool]:
        """Take a slot, waiting in line until `deadline`. False if it did not come to it."""
        if self.in_use < self.capacity and not self.pending:
            self.in_use += 1
            return True
        if deadline <= self.loop.now:
            return False
        waiter = Waiter(self, deadline)
        self._waiting.append(waiter)
        self.pending += 1
        yield waiter
        return waiter.granted

    def release(self) -> None:
        """Give a slot back; the first in line gets it."""
        self.in_use -= 1
        if self.pending:
            self._grant()

    def resize(self, capacity: int) -> None:
        """Change the capacity. Slots in use above it are given back as they end."""
        self.capacity = capacity
        self._grant()

    def occupy(self, change: int) -> None:
        """Count `change` slots more (or fewer) as used by somebody outside the simulation."""
        self.in_use += change
        self._grant()

    def release_at(self, at: float) -> Process[None]:
        """A process that holds a slot until `at`, then gives it back."""
        yield at
        self.release()

    def break_up(self) -> None:
        """Wake all who wait, as when the process that owns the slots dies."""
        self.capacity = len(self._waiting) + self.in_use
        self._grant()

    def _grant(self) -> None:
        while self.in_use < self.capacity and self._waiting:
            waiter = self._waiting.popleft()
            if waiter.abandoned or waiter.process is None:
                continue
            waiter.granted = True
            self.pending -= 1
            self.in_use += 1
            self.loop.spawn(waiter.process)
