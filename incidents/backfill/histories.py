"""Firings of the past, as any history tells of them. Pure.

Times are aware datetimes; sample times and steps epoch seconds and seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from incidents.intake.received import UNNAMED, identity

BROKEN_AFTER_STEPS = 1.5
"""A gap of more than this many steps between samples ends a firing: one step missed is two."""
OWN_LABELS = ("__name__", "alertstate")
"""What Prometheus adds to an alert's labels in ALERTS."""


@dataclass(frozen=True)
class Firing:
    """One firing of an alert; `ends_at` is None where no end is known."""

    labels: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None
    annotations: Mapping[str, str]
    generator_url: str = ""
    fingerprint: str = ""

    @property
    def name(self) -> str:
        return (self.labels.get("alertname") or UNNAMED)[:200]


class Runs:
    """Samples of ALERTS, fed in time order and in any number of pieces, as firings."""

    def __init__(self, step_seconds: float, labels: Mapping[str, str]) -> None:
        """`labels` are added to every alert's, where it has none of that name."""
        self._step, self._labels = step_seconds, labels
        self._found: dict[tuple[tuple[str, str], ...], list[list[float]]] = {}

    def feed(self, labels: Mapping[str, str], times: Iterable[float]) -> None:
        """One series' samples; later ones than those fed before."""
        told = {**self._labels, **{k: v for k, v in labels.items() if k not in OWN_LABELS}}
        runs = self._found.setdefault(tuple(sorted(told.items())), [])
        for at in times:
            if runs and at - runs[-1][1] <= BROKEN_AFTER_STEPS * self._step:
                runs[-1][1] = max(at, runs[-1][1])
            else:
                runs.append([at, at])

    def firings(self, until: float) -> list[Firing]:
        """From the first sample of each run to one step after its last, when it was seen to be
        over; without an end when that is after `until`."""
        return [
            Firing(
                labels=dict(labels),
                starts_at=_moment(start),
                ends_at=None if last + self._step > until else _moment(last + self._step),
                annotations={},
            )
            for labels, runs in sorted(self._found.items())
            for start, last in runs
        ]


def distinct(firings: Sequence[Firing], ignored: Sequence[str]) -> list[tuple[str, Firing]]:
    """(identity of the series, firing), oldest first; firings of one series that overlap, as
    those of an HA pair do, are one."""
    by_series: dict[str, list[Firing]] = {}
    for firing in sorted(firings, key=lambda one: (one.starts_at, sorted(one.labels.items()))):
        of_series = by_series.setdefault(identity(firing.labels, ignored), [])
        last = of_series[-1] if of_series else None
        if last is not None and (
            last.ends_at is None
            or firing.starts_at < last.ends_at
            or firing.starts_at == last.starts_at
        ):
            open_ended = last.ends_at is None or firing.ends_at is None
            ends = None if open_ended else max(last.ends_at, firing.ends_at)  # type: ignore[type-var]
            of_series[-1] = replace(last, ends_at=ends)
        else:
            of_series.append(firing)
    pairs = [(series, firing) for series, found in by_series.items() for firing in found]
    return sorted(pairs, key=lambda pair: (pair[1].starts_at, pair[0]))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
