"""Histories of realistic installations as OpenMetrics text: counters of many pods, with resets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

START = 1_795_305_900
"""When the fault begins."""
BEFORE, AFTER, STEP = 1800, 420, 15
TIMES = range(START - BEFORE, START + AFTER + 1, STEP)

Rate = Callable[[int], float]
"""How much a second at this moment."""


@dataclass
class Exposition:
    """Samples by series; `text` is what promtool makes blocks of."""

    series: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def counter(
        self, name: str, labels: Mapping[str, str], rate: Rate, reset_at: int = 0, since: int = 0
    ) -> None:
        """Grows by `rate`; begins at `since`; falls to zero at `reset_at`, as in a restart."""
        total, points = 0.0, []
        for at in TIMES:
            total = 0.0 if reset_at and at - STEP < reset_at <= at else total + rate(at) * STEP
            if at >= since:
                points.append((at, total))
        self.series[_written(name, labels)] = points

    def gauge(self, name: str, labels: Mapping[str, str], value: Rate) -> None:
        self.series[_written(name, labels)] = [(at, value(at)) for at in TIMES]

    def histogram(
        self,
        name: str,
        labels: Mapping[str, str],
        rate: Rate,
        mean: Rate,
        bounds: tuple[float, ...],
        reset_at: int = 0,
    ) -> None:
        """`mean` is in the unit of `bounds`; half the requests take less, none twice as long."""
        for bound in bounds:
            self.counter(
                f"{name}_bucket",
                {**labels, "le": f"{bound:g}"},
                _below(bound, rate, mean),
                reset_at,
            )
        self.counter(f"{name}_bucket", {**labels, "le": "+Inf"}, rate, reset_at)
        self.counter(f"{name}_sum", labels, lambda at: rate(at) * mean(at), reset_at)
        self.counter(f"{name}_count", labels, rate, reset_at)

    @property
    def text(self) -> str:
        return "\n".join([*self._lines(), "# EOF", ""])

    def _lines(self) -> Iterator[str]:
        for series, points in self.series.items():
            for at, value in points:
                yield f"{series} {value:.6f} {at}"


def after(before: float, then: float) -> Rate:
    """One value until the fault, another from it on."""
    return lambda at: then if at >= START else before


def steady(value: float) -> Rate:
    return lambda at: value


def scaled(rate: Rate, by: float) -> Rate:
    return lambda at: rate(at) * by


def _below(bound: float, rate: Rate, mean: Rate) -> Rate:
    return lambda at: rate(at) * min(1.0, bound / (2 * mean(at)))


def _written(name: str, labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{pairs}}}"
