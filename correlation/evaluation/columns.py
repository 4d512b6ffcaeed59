"""What a metric column is, read off its words: signal, unit, direction, scale. Pure.

A column is `<service>_<signal>`, the signal being what follows the last underscore. Words decide
("latency-p95", "http-server-duration-p99-ms", "cpu-utilization"), never a system's own names. A
signal whose words say nothing is kept under its own name: it may move either way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from correlation.telemetry import SIGNAL_UNITS, Direction, Floats

SECONDS_IN = {
    "ns": 1e-9, "us": 1e-6, "ms": 1e-3, "millis": 1e-3, "milliseconds": 1e-3, "s": 1.0,
    "sec": 1.0, "seconds": 1.0, "micros": 1e-6, "microseconds": 1e-6,
}  # fmt: skip
BYTES_IN = {
    "bytes": 1.0, "kb": 1e3, "kib": 2.0**10, "mb": 1e6, "mib": 2.0**20, "gb": 1e9, "gib": 2.0**30,
}  # fmt: skip
_QUANTILES = {"p50": "p50", "median": "p50", "p90": "p95", "p95": "p95", "p99": "p99"}
_SLOWNESS = frozenset({"latency", "duration", "delay", "rt", "mrt", "lag"})
_FAILURES = frozenset({"error", "errors", "failure", "failures", "failed", "fault", "faults"})
_COUNTED_BAD = frozenset({"panic", "panics", "oom", "ooms", "evictions", "evicted", "pressure"})
_REQUESTS = frozenset({"workload", "requests", "request", "rps", "qps", "queries", "throughput"})
_SHARES = frozenset({"ratio", "percent", "utilization", "utilisation", "usage%", "saturation"})
_ELSEWHERE = frozenset({"node", "host", "client", "per"})


@dataclass(frozen=True)
class Reading:
    """How to read a column: `scale` and `offset` turn its numbers into the signal's unit."""

    signal: str
    unit: str
    direction: Direction
    scale: float = 1.0
    offset: float = 0.0

    def values(self, raw: Floats) -> Floats:
        return raw * self.scale + self.offset


def split(column: str) -> tuple[str, str]:
    """`<service>_<signal>` -> (service, signal); a column without underscore has no service."""
    service, _, signal = column.rpartition("_")
    return service, signal


def reading(signal: str, raw: Floats, step_seconds: float) -> Reading:
    """How to read a column of this name with these numbers (finite ones)."""
    words = re.findall(r"[a-z]+\d*|\d+[a-z]*", signal.lower())
    known = frozenset(words)
    largest = float(np.max(raw)) if raw.size else 0.0
    elsewhere = bool(known & _ELSEWHERE)
    percent = 0.01 if largest > 1.5 else 1.0
    if known & {"availability"} or {"success", "rate"} <= known:
        if largest == 0.0:  # a column of zeros is one nobody filled
            return Reading(_own(words), "", "down")
        return Reading("error_ratio", "ratio", "up", -percent, 1.0)
    if known & _FAILURES and not elsewhere:
        if known & {"count", "total"} or (largest > 1.5 and not known & {"percent", "ratio"}):
            return Reading(_own(words), "count", "up")
        return Reading("error_ratio", "ratio", "up", percent)
    if known & _SLOWNESS:
        return _slowness(words, elsewhere, raw)
    if known & {"throttled", "throttling"}:
        return Reading("cpu_throttling", "s" if known & {"seconds"} else "ratio", "up")
    if "cpu" in known:
        return _saturable(words, "cpu", "cores", elsewhere, percent)
    if known & {"memory", "mem"} and not known & _COUNTED_BAD:
        return _saturable(words, "memory", "bytes", elsewhere, percent)
    if known & {"restarts", "restart"}:
        return Reading("restarts", "count", "up")
    if known & _COUNTED_BAD:
        return Reading(_own(words), "count", "up")
    if known & _REQUESTS and not elsewhere:
        per_second = 1.0 / step_seconds if known & {"requests", "count"} and len(words) == 1 else 1
        return Reading("request_rate", "1/s", "both", per_second)
    unit = next((unit for unit in ("s", "bytes") if known & _units_of(unit)), "")
    if not unit and known & _SHARES:
        return Reading(_own(words), "ratio", "both", percent if "percent" in known else 1.0)
    return Reading(_own(words), unit, "both", _scale(words))


def _slowness(words: list[str], elsewhere: bool, raw: Floats) -> Reading:
    quantile = next((_QUANTILES[word] for word in words if word in _QUANTILES), "")
    scale = _scale(words)
    if elsewhere:
        return Reading(_own(words), "s", "up", scale)
    if any(word.startswith("p9") and word not in ("p95", "p99") for word in words):
        return Reading(_own(words), "s", "up", scale)  # a quantile beside those that are known
    signal = f"latency_{quantile}" if quantile else "latency_mean"
    return Reading(signal, "s", "up", scale)


def _saturable(
    words: list[str], signal: str, unit: str, elsewhere: bool, percent: float
) -> Reading:
    shares = frozenset(words) & _SHARES
    if shares:
        name = _own(words) if elsewhere else f"{signal}_saturation"
        return Reading(name, "ratio", "up", percent)
    if elsewhere or len(set(words) - {signal, "mem", "usage", "used", "container", "working",
                                      "set", "cores", "total", *BYTES_IN}):  # fmt: skip
        return Reading(_own(words), unit if unit == "cores" else "", "up", _scale(words))
    if signal == "memory" and not frozenset(words) & set(BYTES_IN):
        return Reading(signal, "bytes", "up", 2.0**20)  # numbers this small are MiB
    return Reading(signal, unit, "up", _scale(words))


def _units_of(unit: str) -> frozenset[str]:
    return frozenset(SECONDS_IN if unit == "s" else BYTES_IN)


def _scale(words: list[str]) -> float:
    for word in reversed(words):
        if word in SECONDS_IN:
            return SECONDS_IN[word]
        if word in BYTES_IN:
            return BYTES_IN[word]
    return 1.0


def _own(words: list[str]) -> str:
    """The column's own name as a signal, kept apart from those the engine knows."""
    name = "_".join(words) or "value"
    return f"{name}_raw" if name in SIGNAL_UNITS else name
