"""Writers of this process take turns, in the order in which they came."""

from __future__ import annotations

import os
import threading
from collections import deque


class Turns:
    """A lock that is handed to who has waited longest; whoever takes it gives it back."""

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """As if nobody had come: a fork's child has none of the threads that hold or wait."""
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False

    def take(self, patience_seconds: float) -> bool:
        """False when the turn did not come in time."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(patience_seconds):
            return True
        with self._lock:
            if turn.is_set():  # handed over in the moment the wait ended
                return True
            self._waiting.remove(turn)
            return False

    def give(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False
