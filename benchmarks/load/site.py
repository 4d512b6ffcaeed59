"""A server to send to, and the CPU time of it and of those that work for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.raw.sender import await_listening
from reliability_studio import children
from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
GUNICORN = (sys.executable, "-m", "gunicorn", "-c", "docker/gunicorn.conf.py")
WORKERS = "2"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Site:
    """A server to send to: its address, its process and those that work for it."""

    port: int
    pids: tuple[int, ...]

    def cpu_seconds(self) -> float:
        return sum(_cpu_seconds(pid) for pid in _families(self.pids))


@contextmanager
def served(
    module: str, environment: dict[str, str], shared: tuple[int, ...], folder: Path
) -> Iterator[Site]:
    """gunicorn with the module's application, on a free port, once it accepts.

    `shared` are the processes that work for it: database and broker.
    """
    port = free_port()
    with (folder / f"{module}.{port}.log").open("wb") as log:
        process = children.start(
            [*GUNICORN, f"{module}:application"],
            cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env=environment | {"WEB_BIND": f"127.0.0.1:{port}", "WEB_WORKERS": WORKERS},
        )  # fmt: skip
    try:
        await_listening(port)
        yield Site(port, (process.pid, *shared))
    finally:
        children.stop(process, stop_signal=signal.SIGTERM, patience_seconds=30)


def manage(environment: dict[str, str], *words: str) -> None:
    subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=environment, check=True)  # noqa: S603


def _families(pids: tuple[int, ...]) -> set[int]:
    """The processes and all below them."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            fields = _stat(int(entry.name))
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = set[int](), list(pids)
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        waiting += parents.get(pid, [])
    return found


def _cpu_seconds(pid: int) -> float:
    """Of the process and those it has waited for."""
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / TICKS if fields else 0.0


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
