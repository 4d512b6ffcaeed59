"""SIGINT and SIGTERM while a process starts: heard also where Python loses an exception."""

from __future__ import annotations

import signal
from types import FrameType

AGAIN_SECONDS = 1.0
_STOPS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Raises KeyboardInterrupt in the main thread at a signal, and again until it is heard.

    What a handler raises while a finalizer runs, or a callback of C code, is printed and lost.
    """

    def __init__(self) -> None:
        self.asked = False

    def listen(self) -> None:
        """From now on; a shell's `&` would have us ignore SIGINT. Main thread only."""
        for number in (*_STOPS, signal.SIGALRM):
            signal.signal(number, self._interrupt)

    def hand_over(self) -> bool:
        """Others take SIGINT and SIGTERM now; whether one was lost before they did."""
        self._quiet()
        return self.asked

    def heard(self) -> None:
        """No further signal interrupts: stopping takes a moment, and ends."""
        self._quiet()
        for number in _STOPS:
            signal.signal(number, signal.SIG_IGN)

    def _quiet(self) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0.0)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
        raise KeyboardInterrupt
