"""Rankings to be better than: services at random, and by their largest z-score (n-sigma)."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from correlation.telemetry import Telemetry


def services_of(telemetry: Telemetry) -> list[str]:
    """Every service the telemetry speaks of, in name order."""
    names = {one.service for one in telemetry.series}
    names |= {line.service for line in telemetry.logs}
    names |= {span.service for span in telemetry.spans}
    names |= {end for edge in telemetry.edges for end in edge}
    return sorted(names - {""})


def random_ranking(telemetry: Telemetry, seed: str) -> list[tuple[str, float]]:
    """(service, score) best first, drawn from the case's name: the same in every run."""
    drawn = {
        name: int.from_bytes(blake2b(f"{seed}\x1f{name}".encode(), digest_size=8).digest(), "big")
        for name in services_of(telemetry)
    }
    return sorted(((name, value / 2.0**64) for name, value in drawn.items()), key=_order)


def nsigma_ranking(telemetry: Telemetry, seed: str = "") -> list[tuple[str, float]]:
    """(service, score): the largest |value - mean| / deviation of any of its series."""
    scores = dict.fromkeys(services_of(telemetry), 0.0)
    for one in telemetry.series:
        before = one.values[one.times < telemetry.window[0]]
        inside = one.values[(one.times >= telemetry.window[0]) & (one.times <= telemetry.as_of)]
        if before.size < 2 or inside.size == 0:
            continue
        spread = float(np.std(before))
        if spread <= 0.0:
            continue
        z = float(np.max(np.abs(inside - np.mean(before)))) / spread
        scores[one.service] = max(scores[one.service], z)
    return sorted(scores.items(), key=_order)


def _order(pair: tuple[str, float]) -> tuple[float, str]:
    return -pair[1], pair[0]


BASELINES = {"random": random_ranking, "nsigma": nsigma_ranking}
