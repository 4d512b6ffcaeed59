from __future__ import annotations

import signal
import subprocess
import sys

import pytest

LOSES_AN_EXCEPTION = """
import time
from reliability_studio.interruption import Interruption

class Slow:
    def __del__(self):
        print("finalizing", flush=True)
        time.sleep(60)

interruption = Interruption()
interruption.listen()
try:
    slow = Slow()
    del slow
    time.sleep(60)
except KeyboardInterrupt:
    interruption.heard()
    print("heard")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_is_heard_after_a_finalizer_has_lost_it(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LOSES_AN_EXCEPTION],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()

    process.send_signal(number)
    rest, lost = process.communicate(timeout=30)

    assert (first, rest, process.returncode) == ("finalizing\n", "heard\n", 0)
    assert "Exception ignored" in lost
