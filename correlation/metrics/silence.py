"""Series that stop while those of other services go on: missing data is its own signal. Pure.

A process that is gone is not measured any more, and one that gets no requests has no latency. Where
most services stop at once it is the monitoring that stopped, and where a series has had gaps before
they are its habit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from correlation.telemetry import Floats, Series, Telemetry

PROCESS_REPORTS, REQUEST_REPORTS = "process_reports", "request_reports"

_REPORTS = {
    **dict.fromkeys(
        ("cpu", "cpu_saturation", "cpu_throttling", "event_loop_lag", "memory",
         "memory_saturation", "pool_saturation", "pool_waiting"), PROCESS_REPORTS),
    **dict.fromkeys(
        ("error_ratio", "latency_p50", "latency_p95", "latency_p99", "latency_mean"),
        REQUEST_REPORTS),
}  # fmt: skip
"""Whose samples say that a process is there, and whose that it answers requests."""

FEWEST = 8
"""Samples before it stops."""

MISSED_STEPS, MISSED_SECONDS = 2.5, 20.0
"""So many samples late, and so many seconds, a series has stopped."""

FEWEST_OTHERS = 2
"""Other services whose series of the signal must go on: more of them than stopped."""


class _Heard(NamedTuple):
    """A series as far as it was sampled by then: `late` when it has stopped, `steady` when it
    came without such gaps until it did, from the first half of the baseline on."""

    series: Series
    times: Floats
    step: float
    late: bool
    steady: bool


def reports(telemetry: Telemetry) -> list[Series]:
    """PROCESS_REPORTS and REQUEST_REPORTS of the services that stopped in the window.

    Each the share of the service's steady signals that were sampled, 0..1, at the usual moments
    up to the newest sample of any other service. Nothing of services that go on.
    """
    ends = [
        (one.service, float(one.times[one.times <= telemetry.as_of][-1]))
        for one in telemetry.series
        if one.signal in _REPORTS and one.times.size and one.times[0] <= telemetry.as_of
    ]
    newest = max((at for _, at in ends), default=0.0)
    if all(newest - at <= MISSED_SECONDS for _, at in ends):
        return []
    heard: dict[str, list[_Heard]] = {}
    for one in telemetry.series:
        judged = one.signal in _REPORTS and one.peer is None
        if judged and (known := _heard(one, telemetry, newest)) is not None:
            heard.setdefault(one.signal, []).append(known)
    found: dict[tuple[str, str], list[_Heard]] = {}
    stopped: set[tuple[str, str]] = set()
    for signal in sorted(heard):
        gone = {known.series.service for known in heard[signal] if known.late}
        others = {known.series.service for known in heard[signal]} - gone
        monitored = len(others) >= max(FEWEST_OTHERS, len(gone) + 1)
        for known in heard[signal]:
            key = (known.series.service, _REPORTS[signal])
            if known.steady:
                found.setdefault(key, []).append(known)
            if known.late and known.steady and monitored:
                stopped.add(key)
    return [_share(found[key], key[1], newest) for key in sorted(stopped)]


def _heard(series: Series, telemetry: Telemetry, newest: float) -> _Heard | None:
    times = series.times[np.isfinite(series.values) & (series.times <= telemetry.as_of)]
    if times.size < FEWEST:
        return None
    gaps = np.diff(times)
    step = max(float(np.sort(gaps)[gaps.size // 2]), 1e-3)
    missed = max(MISSED_STEPS * step, MISSED_SECONDS)
    begin, border = telemetry.baseline[0], telemetry.window[0]
    last = float(times[-1])
    since_long = float(times[0]) <= (begin + border) / 2.0
    steady = since_long and float(gaps.max()) <= missed and last >= border - missed
    return _Heard(series, times, step, newest - last > missed, steady)


def _share(heard: Iterable[_Heard], signal: str, newest: float) -> Series:
    """The share of the series that were sampled, at the moments of the one that stopped first."""
    ordered = sorted(heard, key=lambda one: (one.times[-1], one.series.signal, one.series.query))
    first = ordered[0]
    last = float(first.times[-1])
    missed = np.arange(last + first.step, newest + first.step / 2.0, first.step)
    times = np.concatenate((first.times, missed))
    sampled = [
        (times >= one.times[0] - first.step) & (times <= one.times[-1] + one.step / 2.0)
        for one in ordered
    ]
    return replace(
        first.series,
        signal=signal,
        times=times,
        values=np.mean(sampled, axis=0),
        direction="down",
        unit="ratio",
    )
