"""Rankings of simulated incidents of known cause, for `manage.py calibrate --answers FILE`.

    python -m tests.correlation.simulated_answers FILE [--seeds 1] [--jobs 2]

The labelled public cases are recordings; what the product itself gathers looks different. So the
lab's faults and custom faults of graded severity at every service are read through the product's
queries at several moments after the onset, whole and with logs, graph or edge signals taken away;
the lab's healthy windows too; and the synthetic incidents. FILE gets one object a ranking: case,
service (null: nothing was wrong), named, features.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from correlation.evaluation.answers import weighed_answer
from correlation.telemetry import Telemetry
from lab.faults import FAULTS as LAB_FAULTS
from lab.faults import Fault
from tests.correlation.incidents import FAULTS, incident
from tests.correlation.lab_incidents import custom, record, telemetry_at

MOMENTS = (12.0, 25.0, 90.0)
SEVERITIES = (0.02, 0.05, 0.1, 0.3, 1.0)


def lab_faults() -> list[Fault]:
    """The lab's four, and custom ones from faint to severe."""
    found = list(LAB_FAULTS.values())
    for service in ("checkout", "cart", "catalogue", "payment-processing", "inventory", "redis"):
        found += [custom(service=service, error_rate=rate) for rate in (0.03, 0.08, 0.3)]
        found += [custom(service=service, response_time_ms=ms) for ms in (15.0, 60.0, 400.0)]
    found += [custom(service="frontend", error_rate=0.2), custom(service="cart", cpu_usage=95.0)]
    found += [custom(service="payment-processing", db_connections=n) for n in (6, 20)]
    return found


def variants(telemetry: Telemetry) -> Iterator[Telemetry]:
    """As gathered, without lines, without edge signals, and without a graph."""
    yield telemetry
    yield replace(telemetry, logs=())
    bare = tuple(series for series in telemetry.series if series.peer is None)
    yield replace(telemetry, series=bare)
    yield replace(telemetry, series=bare, edges=())


def answers(job: tuple[str, int, int]) -> list[dict[str, Any]]:
    """The rankings of one recording: job is (kind, number of the fault, seed)."""
    kind, number, seed = job
    if kind == "lab":
        fault = lab_faults()[number]
        recorded = record(fault, seed, healthy_seconds=1000.0)
        return [
            weighed_answer(f"lab {number} {seed} {since:g}", fault.service, telemetry)
            for since in MOMENTS
            for telemetry in variants(telemetry_at(recorded, since))
        ]
    if kind == "quiet":
        quiet = record(None, 100 + seed, fault_seconds=600.0)
        return [
            weighed_answer(f"quiet {seed} {since}", None, telemetry)
            for since in range(20, 600, 20)
            for telemetry in variants(telemetry_at(quiet, float(since)))
        ]
    name = sorted(FAULTS)[number]
    return [
        weighed_answer(f"synthetic {name} {seed} {severity:g}", FAULTS[name][0], telemetry)
        for severity in SEVERITIES
        for telemetry in variants(incident(name, seed, 40.0, severity))
    ]


def main() -> None:
    # query profiles are looked up by the settings
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    jobs = []
    for seed in range(1, asked.seeds + 1):
        jobs += [("lab", number, seed) for number in range(len(lab_faults()))]
        jobs += [("synthetic", number, seed) for number in range(len(FAULTS))]
        jobs.append(("quiet", 0, seed))
    with multiprocessing.Pool(asked.jobs) as pool:
        found = [row for rows in pool.map(answers, jobs, chunksize=1) for row in rows]
    asked.file.write_text(json.dumps(found) + "\n", encoding="utf-8")
    print(f"{len(found)} rankings of simulated incidents")


if __name__ == "__main__":
    main()
