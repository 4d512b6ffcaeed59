"""n, mean, median and 90th percentile of durations, by whatever incidents are grouped by. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

METRICS = ("ttd", "mtta", "ttm", "mttr")
MICROSECONDS = 6  # digits: times are no finer


@dataclass(frozen=True)
class Sample:
    """One incident: `services` are the slugs it affected, durations seconds or None where the
    moment never came."""

    started_at: datetime
    severity: str
    services: tuple[str, ...]
    durations: Mapping[str, float | None]


@dataclass(frozen=True)
class Figures:
    """Seconds; all None for n = 0."""

    n: int
    mean: float | None
    median: float | None
    p90: float | None


@dataclass(frozen=True)
class Group:
    """`incidents` is how many there were; `of` has Figures for each of METRICS, whose n leaves
    out those whose moment never came."""

    name: str
    incidents: int
    of: Mapping[str, Figures]


def figures(values: Iterable[float]) -> Figures:
    ordered = sorted(values)
    if not ordered:
        return Figures(0, None, None, None)
    return Figures(
        len(ordered),
        round(math.fsum(ordered) / len(ordered), MICROSECONDS),
        quantile(ordered, 0.5),
        quantile(ordered, 0.9),
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Between the two neighbours of (n - 1) * share, by linear interpolation.

    Definition 7 of Hyndman and Fan (1996): what NumPy and spreadsheets answer by default.
    `ordered` is ascending and not empty.
    """
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    value = ordered[below] + (ordered[above] - ordered[below]) * (place - below)
    return round(value, MICROSECONDS)


def group(name: str, samples: Sequence[Sample]) -> Group:
    found = {}
    for metric in METRICS:
        known = (sample.durations[metric] for sample in samples)
        found[metric] = figures(value for value in known if value is not None)
    return Group(name, len(samples), found)


def grouped(named: Iterable[tuple[str, Sample]]) -> list[Group]:
    """A group for each name, in the order in which the names first come."""
    together: dict[str, list[Sample]] = {}
    for name, sample in named:
        together.setdefault(name, []).append(sample)
    return [group(name, samples) for name, samples in together.items()]
