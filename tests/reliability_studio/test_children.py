from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from reliability_studio import children
from tests.reliability_studio.test_studio import await_ended

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(flush=True)
time.sleep(60)
"""
PARENT = """
import subprocess, sys, time
from reliability_studio import children
child = children.start(["sleep", "60"])
print(child.pid, flush=True)
time.sleep(60)
"""


def test_start_ends_the_child_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())

    parent.kill()
    parent.wait()

    assert await_ended([child]) == []


def test_start_ignores_the_named_signals() -> None:
    child = children.start(["sleep", "60"], ignore=[signal.SIGINT])

    child.send_signal(signal.SIGINT)

    ignored = int(
        Path(f"/proc/{child.pid}/status").read_text().partition("SigIgn:\t")[2].split()[0], 16
    )
    assert ignored >> (signal.SIGINT - 1) & 1 == 1
    assert children.stop(child) == -signal.SIGTERM


def test_stop_kills_what_does_not_obey() -> None:
    child = children.start([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout:
        child.stdout.readline()

    code = children.stop(child, patience_seconds=0.1)

    assert code == -signal.SIGKILL
