"""From a recording to the `Telemetry` the ranking reads: at a horizon, whole or with parts gone.

`as_of` is the start plus the horizon. The healthy recording is moved in time to end where the
case's own begins: it tells what is usual, not when. The window opens `lead` before the start,
for alerts come late; the lead is a quarter of what was recorded before, within 60 and 300 s.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np

from correlation.evaluation.case_files import Case
from correlation.evaluation.recordings import Recording
from correlation.telemetry import LogLine, Series, Span, Telemetry
from correlation.traces.service_graph import edges as traced_edges

SOURCES = ("metrics", "logs", "traces", "graph", "changes", "requests")
LONGEST_LEAD, SHORTEST_LEAD = 300.0, 60.0
REQUEST_SIGNALS = frozenset({"request_rate", "client_request_rate"})
GAP_SECONDS = 3600.0
"""Between a healthy recording's traces and the case's own: it tells of another time."""


@dataclass(frozen=True)
class Conditions:
    """How to show a case: seconds after the start (None: all there is), what to leave out.

    `drop_edges` is the share of graph edges left out, `late_seconds` how much later than
    recorded the incident is noticed.
    """

    horizon_seconds: float | None = None
    without: frozenset[str] = frozenset()
    drop_edges: float = 0.0
    late_seconds: float = 0.0


def telemetry_of(case: Case, conditions: Conditions | None = None) -> Telemetry:
    """What the engine would have gathered for `case` under these conditions."""
    asked = conditions or Conditions()
    start = case.start + asked.late_seconds
    own = without(case.recorded, asked.without)
    healthy = without(case.healthy, asked.without)
    end = newest(own, start)
    if asked.horizon_seconds is not None:
        end = min(end, start + asked.horizon_seconds)
    end = max(end, start)
    seen = assembled(case, own, healthy, start, end, asked)
    if case.exact is None:
        return seen
    untouched = "graph" not in asked.without and asked.drop_edges <= 0.0
    return case.exact.shown(
        seen,
        whole=asked.horizon_seconds is None,
        moved=asked.late_seconds > 0.0,
        edges=case.edges if untouched else seen.edges,
    )


def lead_seconds(recorded_before: float, step_seconds: float) -> float:
    """How long before its start an incident's window opens, of `recorded_before` seconds there."""
    return max(step_seconds, min(LONGEST_LEAD, max(SHORTEST_LEAD, recorded_before / 4.0)))


def assembled(
    case: Case, own: Recording, healthy: Recording, start: float, end: float, asked: Conditions
) -> Telemetry:
    """An incident noticed at `start` and looked at at `end`, with what came before it."""
    own = until(own, end)
    border = start - lead_seconds(start - _oldest(own, start), case.step_seconds)
    moved = _moved(healthy, own, border)
    series = [*own.series]
    for one in moved.series:
        series.append(one)
    lines = (*moved.lines, *own.lines)
    spans = (*moved.spans, *own.spans)
    joined = _joined(series)
    oldest = _oldest(Recording(joined, lines, spans), border)
    graph = () if "graph" in asked.without else _kept(case, asked.drop_edges)
    edges = set(graph) | set(traced_edges(spans))
    first_line = min((line.at for line in lines), default=border)
    return Telemetry(
        target=case.service,
        started_at=start,
        as_of=end,
        baseline=(min(oldest, border), border),
        window=(border, max(end, border + 1.0)),
        series=joined,
        logs=tuple(sorted(lines, key=lambda line: (line.at, line.service, line.message))),
        edges=tuple(sorted(edges)),
        spans=tuple(sorted(spans, key=lambda s: (s.trace_id, s.start, s.span_id))),
        changes=() if "changes" in asked.without else tuple(c for c in case.changes if c.at <= end),
        log_source="logs" if lines else "",
        log_baseline_seconds=max(border - first_line, 0.0),
        log_window_seconds=end - border,
        trace_source="traces" if spans else "",
        traces_unbiased=bool(spans),
    )


def without(recording: Recording, gone: frozenset[str]) -> Recording:
    """The recording less the sources named, of SOURCES."""
    series = () if "metrics" in gone else recording.series
    if "requests" in gone:
        series = tuple(one for one in series if one.signal not in REQUEST_SIGNALS)
    return Recording(
        series,
        () if "logs" in gone else recording.lines,
        () if "traces" in gone else recording.spans,
    )


def until(recording: Recording, end: float) -> Recording:
    """What had been recorded by then, whole spans only."""
    return Recording(
        tuple(_cut(one, end) for one in recording.series if float(one.times[0]) <= end),
        tuple(line for line in recording.lines if line.at <= end),
        tuple(span for span in recording.spans if span.start + span.seconds <= end),
    )


def _cut(series: Series, end: float) -> Series:
    keep = int(np.searchsorted(series.times, end, side="right"))
    return replace(series, times=series.times[:keep], values=series.values[:keep])


def _moved(healthy: Recording, own: Recording, border: float) -> Recording:
    """The healthy recording, shifted kind by kind to end where the case's own begins."""
    series: list[Series] = []
    if healthy.series:
        step = 60.0
        longest = max(healthy.series, key=lambda one: one.times.size)
        if longest.times.size > 1:
            step = float(np.median(np.diff(longest.times)))
        first = min((float(one.times[0]) for one in own.series), default=border)
        shift = min(first, border) - step - max(float(one.times[-1]) for one in healthy.series)
        series = [replace(one, times=one.times + shift) for one in healthy.series]
    gap = GAP_SECONDS if healthy.spans else 0.0
    lines: list[LogLine] = []
    if healthy.lines:
        first = _percentile_start([line.at for line in own.lines], border)
        shift = min(first, border) - gap - max(line.at for line in healthy.lines)
        lines = [replace(line, at=line.at + shift) for line in healthy.lines]
    spans: list[Span] = []
    if healthy.spans:
        first = _percentile_start([span.start for span in own.spans], border)
        shift = min(first, border) - gap - max(span.start + span.seconds for span in healthy.spans)
        spans = [replace(span, start=span.start + shift) for span in healthy.spans]
    return Recording(tuple(series), tuple(lines), tuple(spans))


def _percentile_start(times: list[float], border: float) -> float:
    """Where the bulk begins: a handful of stray moments years off are no beginning."""
    if not times:
        return border
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * 0.01))]


def _joined(series: Iterable[Series]) -> tuple[Series, ...]:
    """Series of one name as one, in time order; the column that names them stays the first's."""
    by_key: dict[tuple[str, str, str], list[Series]] = {}
    for one in series:
        by_key.setdefault((one.service, one.signal, one.query), []).append(one)
    joined = []
    for key in sorted(by_key):
        parts = sorted(by_key[key], key=lambda one: float(one.times[0]) if one.times.size else 0.0)
        times = np.concatenate([one.times for one in parts])
        values = np.concatenate([one.values for one in parts])
        order = np.argsort(times, kind="stable")
        joined.append(replace(parts[-1], times=times[order], values=values[order]))
    return tuple(joined)


def _oldest(recording: Recording, otherwise: float) -> float:
    moments = [float(one.times[0]) for one in recording.series if one.times.size]
    if recording.lines:
        moments.append(_percentile_start([line.at for line in recording.lines], otherwise))
    if recording.spans:
        moments.append(_percentile_start([span.start for span in recording.spans], otherwise))
    return min(moments, default=otherwise)


def newest(recording: Recording, otherwise: float) -> float:
    """The last moment recorded; `otherwise` when nothing was."""
    moments = [float(one.times[-1]) for one in recording.series if one.times.size]
    moments += [max(line.at for line in recording.lines)] if recording.lines else []
    moments += [max(s.start + s.seconds for s in recording.spans)] if recording.spans else []
    return max(moments, default=otherwise)


def _kept(case: Case, drop: float) -> tuple[tuple[str, str], ...]:
    """The graph without a share of its edges, chosen by name: the same ones every time."""
    return tuple(edge for edge in case.edges if drop <= 0.0 or _draw(case.name, *edge) >= drop)


def _draw(*words: str) -> float:
    digest = blake2b("\x1f".join(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64
