"""Child processes that cannot outlive the process that started them."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

PR_SET_PDEATHSIG = 1
_prctl: Callable[..., int] | None = (
    ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None
)


def die_with_parent(death_signal: signal.Signals) -> None:
    """Ask Linux to send `death_signal` to this process when its parent ends, even by SIGKILL.

    Elsewhere this does nothing: an orderly stop still ends every child.
    """
    if _prctl is not None:
        _prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)


def start(
    command: Sequence[str],
    *,
    death_signal: signal.Signals = signal.SIGTERM,
    ignore: Iterable[signal.Signals] = (),
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start `command`; it ends with `death_signal` when the calling thread's process ends.

    Call it from the main thread: Linux watches the thread that forks, not the process.
    Signals in `ignore` stay ignored in the child; no signal is blocked in it.
    Raises OSError when the program cannot be started.
    """
    ignored = tuple(ignore)

    def prepare() -> None:
        die_with_parent(death_signal)
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    # preexec_fn is safe as long as no other thread holds a lock this function needs:
    # it takes none
    return subprocess.Popen(command, preexec_fn=prepare, **options)  # noqa: S603


def stop(
    child: subprocess.Popen[bytes],
    *,
    stop_signal: signal.Signals = signal.SIGTERM,
    patience_seconds: float = 5.0,
) -> int:
    """End the child, by SIGKILL when it does not obey in time; returns its exit code."""
    if child.poll() is None:
        child.send_signal(stop_signal)
        try:
            child.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.wait()
