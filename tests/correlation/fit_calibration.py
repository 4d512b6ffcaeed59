"""Fit correlation/calibration.json on simulated incidents of known cause.

    python -m tests.correlation.fit_calibration [--seeds 3] [--write]

Cases: the lab's faults and custom faults of graded severity at every service, read through the
product's queries at several moments after the onset, whole and with logs, graph or edge signals
taken away; the lab's healthy windows; and the synthetic incidents. Prints the error of the fit
and of a fit that never saw the fault it is asked about.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from correlation.calibration import (
    CAP,
    FEATURES,
    Calibration,
    expected_calibration_error,
    fit,
)
from correlation.ranking import weigh
from correlation.telemetry import Telemetry
from lab.faults import FAULTS as LAB_FAULTS
from lab.faults import Fault
from tests.correlation.incidents import FAULTS, incident
from tests.correlation.lab_incidents import custom, record, telemetry_at

MOMENTS = (12.0, 25.0, 90.0)
VERSION = "2026-11-simulated-1"
ABSTAIN_BELOW = 0.6


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
    yield telemetry
    yield replace(telemetry, logs=())
    bare = tuple(series for series in telemetry.series if series.peer is None)
    yield replace(telemetry, series=bare)
    yield replace(telemetry, series=bare, edges=())


def cases(seeds: int) -> Iterator[tuple[str, str | None, Telemetry]]:
    """(group, true service or None for health, telemetry)."""
    for seed in range(1, seeds + 1):
        for fault in lab_faults():
            recorded = record(fault, seed, healthy_seconds=1000.0)
            for since in MOMENTS:
                for telemetry in variants(telemetry_at(recorded, since)):
                    yield f"{fault.service}:{fault.title}", fault.service, telemetry
        quiet = record(None, 100 + seed, fault_seconds=600.0)
        for since in range(20, 600, 10):
            for telemetry in variants(telemetry_at(quiet, float(since))):
                yield f"healthy {seed}", None, telemetry
        for name, (service, _) in FAULTS.items():
            for severity in (0.02, 0.05, 0.1, 0.3, 1.0):
                for telemetry in variants(incident(name, seed, 40.0, severity)):
                    yield f"synthetic {name}", service, telemetry


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--rows", type=Path, help="keep the weighed cases here, or reuse them")
    asked = parser.parse_args()
    if asked.rows and asked.rows.exists():
        weighed_cases = json.loads(asked.rows.read_text(encoding="utf-8"))
    else:
        weighed_cases = _weigh_all(asked.seeds)
        if asked.rows:
            asked.rows.write_text(json.dumps(weighed_cases), encoding="utf-8")
    total = len(weighed_cases)
    healthy = sum(case["truth"] is None for case in weighed_cases)
    spoken = [case for case in weighed_cases if case["named"]]
    silent = healthy - sum(case["truth"] is None for case in spoken)
    rows = [case["features"] for case in spoken]
    right = [case["named"] == case["truth"] for case in spoken]
    groups = [case["group"] for case in spoken]
    # Half of what is analysed is no fault at all, say; health is simulated less often than that.
    weight = (total - healthy) / healthy
    weights = [1.0 if case["truth"] else weight for case in spoken]
    intercept, coefficients = fit(rows, right, weights=weights)
    fitted = Calibration(VERSION, intercept, coefficients, ABSTAIN_BELOW)
    said = [fitted.probability(row) for row in rows]
    unseen = _unseen(rows, right, groups, weights)
    truth_array = np.array(right, dtype=float)
    base = float(truth_array.mean())
    document = {
        "version": VERSION,
        "note": "initial: fitted on simulated lab faults and synthetic incidents with "
        f"n={len(rows)} rankings of {len(set(groups))} faults; recalibrated on labelled "
        "incidents later. Simulated cases share one shop: expect it to be too sure elsewhere.",
        "n": len(rows),
        "n_groups": len(set(groups)),
        "top_is_right": round(base, 4),
        "ece": round(expected_calibration_error(said, right), 4),
        "ece_unseen_fault": round(expected_calibration_error(unseen, right), 4),
        "brier": round(float(np.mean((np.array(said) - truth_array) ** 2)), 4),
        "brier_unseen_fault": round(float(np.mean((np.array(unseen) - truth_array) ** 2)), 4),
        "brier_base_rate": round(base * (1 - base), 4),
        "healthy_windows": healthy,
        "healthy_without_hypothesis": silent,
        "healthy_weight": round(weight, 3),
        "intercept": round(intercept, 6),
        "coefficients": {name: round(coefficients[name], 6) for name in FEATURES},
        "cap": CAP,
        "abstain_below": ABSTAIN_BELOW,
    }
    print(json.dumps(document, indent=2), f"\n{total} cases")
    for low, high in ((0, 0.4), (0.4, 0.6), (0.6, 0.9), (0.9, 1.0)):
        inside = [r for p, r in zip(unseen, right, strict=True) if low <= p < high]
        print(f"said {low}-{high}: n={len(inside)} right={np.mean(inside or [0]):.3f}")
    wrong: dict[str, list[int]] = {}
    for group, ok in zip(groups, right, strict=True):
        wrong.setdefault(group, []).append(not ok)
    for group, misses in sorted(wrong.items(), key=lambda item: -np.mean(item[1])):
        print(f"{np.mean(misses):.2f} wrong of {len(misses)}: {group}")
    if asked.write:
        target = Path(__file__).resolve().parents[2] / "correlation" / "calibration.json"
        target.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _weigh_all(seeds: int) -> list[dict[str, Any]]:
    found = []
    for group, truth, telemetry in cases(seeds):
        weighed = weigh(telemetry)
        named = weighed.hypotheses[0].suspect.service if weighed.hypotheses else None
        found.append({"group": group, "truth": truth, "named": named, "features": weighed.features})
    return found


def _unseen(
    rows: list[dict[str, float]], right: list[bool], groups: list[str], weights: list[float]
) -> list[float]:
    """Probability for each case from a fit without any case of its fault."""
    said = [0.0] * len(rows)
    for group in sorted(set(groups)):
        kept = [i for i, name in enumerate(groups) if name != group]
        intercept, coefficients = fit(
            [rows[i] for i in kept],
            [right[i] for i in kept],
            weights=[weights[i] for i in kept],
        )
        fitted = Calibration(VERSION, intercept, coefficients, ABSTAIN_BELOW)
        for i, name in enumerate(groups):
            if name == group:
                said[i] = fitted.probability(rows[i])
    return said


if __name__ == "__main__":
    main()
