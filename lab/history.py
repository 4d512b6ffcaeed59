"""`python -m lab.history`: the lab's history as OpenMetrics text, for promtool."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from lab.exposition import History
from lab.faults import FAULTS
from lab.simulation import Simulation


class _NoLogs:
    """Only metrics are written; log lines go nowhere."""

    def append(
        self,
        labels: Mapping[str, str],
        at_ns: int,
        line: str,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        return None


def record(
    seed: int, seconds: float, fault: str | None, fault_seconds: float, end_at: float
) -> History:
    """Simulate up to `end_at` (epoch seconds), the fault for the last `fault_seconds`."""
    history = History()
    simulation = Simulation(seed, end_at - seconds, history, _NoLogs())
    if fault is not None:
        simulation.fast_forward(end_at - fault_seconds)
        simulation.start_fault(FAULTS[fault])
    simulation.fast_forward(end_at)
    return history


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="lab.history", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--end", type=float, default=None, help="epoch seconds; now by default")
    parser.add_argument("--fault", choices=sorted(FAULTS), default=None)
    parser.add_argument("--fault-at", type=float, default=300.0, metavar="SECONDS_BEFORE_END")
    chosen = parser.parse_args(arguments)
    if chosen.fault is not None and not 0 < chosen.fault_at <= chosen.seconds:
        parser.error("--fault-at must lie within the history")
    end_at = time.time() if chosen.end is None else chosen.end
    history = record(chosen.seed, chosen.seconds, chosen.fault, chosen.fault_at, end_at)
    with chosen.out.open("w", encoding="utf-8") as out:
        written = history.write(out)
    sys.stderr.write(f"{written} samples to {chosen.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
