"""Windows in which nothing was wrong, cut from labelled incidents as if each had been reported.

From a healthy recording: anywhere with enough before it. From before an incident's start: only
from the older half of what was recorded there, because slow faults begin long before anybody
notices, and far from every other incident known of that system.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from correlation.evaluation.case_files import Case, start_of
from correlation.evaluation.cases import (
    Conditions,
    assembled,
    lead_seconds,
    newest,
    until,
    without,
)
from correlation.evaluation.recordings import Recording
from correlation.telemetry import Telemetry

FROM_A_RECORDING = 24
"""Windows cut from one healthy recording at most, evenly spread over what is after its quarter."""

FROM_BEFORE_A_CASE = 4
QUIET_SECONDS = 300.0
"""What lies within this before the case's own start is never called healthy."""

APART_SECONDS = 3600.0
"""How far other incidents of the system must be: they come in series, not all of them labelled."""

FEWEST_STEPS = 6
"""Metric samples that a window needs before it."""


def before_start(case: Case, conditions: Conditions | None = None) -> Iterator[Telemetry]:
    """Healthy windows of the case's own time, newest first; none where too little is recorded."""
    asked = conditions or Conditions()
    own = without(case.recorded, asked.without)
    step = case.step_seconds
    begin = min((float(one.times[0]) for one in own.series), default=case.start)
    length = max(2.0 * step, 120.0)
    end = min(case.start - (case.start - begin) / 2.0, case.start - QUIET_SECONDS)
    others = [at for at in _incident_starts(case.directory.parent) if at != case.start]
    found = 0
    while found < FROM_BEFORE_A_CASE:
        start = end - length
        lead = lead_seconds(start - begin, step)
        if start - lead - begin < FEWEST_STEPS * step:
            return
        if _clear(start - lead, end, others):
            found += 1
            yield assembled(
                case, until(own, end), without(case.healthy, asked.without), start, end, asked
            )
        end -= length + lead


def of_baseline(case: Case, conditions: Conditions | None = None) -> Iterator[Telemetry]:
    """Windows of the healthy recording that the case refers to, with what is before each."""
    asked = conditions or Conditions()
    healthy = without(case.healthy, asked.without)
    moments = [float(one.times[0]) for one in healthy.series] or [s.start for s in healthy.spans]
    if not moments:
        return
    begin, end = min(moments), newest(healthy, min(moments))
    length = min(max(2.0 * case.step_seconds, 300.0), (end - begin) / 4.0)
    starts = [begin + 0.6 * (end - begin)]  # of a few minutes of traces there is but one
    if healthy.series:
        room = 0.75 * (end - begin) - length
        count = max(1, min(FROM_A_RECORDING, int(room / length)))
        starts = [end - length - room * n / count for n in range(count)]
    for start in sorted(starts):
        stop = min(start + length, end)
        yield assembled(case, until(healthy, stop), Recording(), start, stop, asked)


def _clear(begin: float, end: float, starts: Sequence[float]) -> bool:
    """Whether none of the incidents that began at `starts` touches the span from begin to end."""
    return all(end < at - APART_SECONDS or begin > at + APART_SECONDS for at in starts)


@lru_cache(maxsize=16)
def _incident_starts(system: Path) -> tuple[float, ...]:
    return tuple(sorted(start_of(path.parent) for path in system.glob("*/incident.json")))
