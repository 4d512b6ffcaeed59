"""Puts what the sources answered into the one value the ranking reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from correlation.logs.queries import error_query, log_windows, uncompared
from correlation.neighbourhood import neighbourhood
from correlation.source_verdict import Run, missing
from correlation.sources import Reply, Scope, SourceStatus, windows
from correlation.telemetry import Change, LogLine, Series, Telemetry
from correlation.traces.queries import failed_spans_query


def assemble(
    scope: Scope,
    runs: Sequence[Run],
    statuses: Sequence[SourceStatus],
    changes: Iterable[Change],
) -> Telemetry:
    """Telemetry in a fixed order, cut to the neighbourhood of the affected service.

    The graph is the catalogue's edges with those seen in edge signals and traces. When two
    sources answer about one signal of a service, the first source counts.
    """
    series: dict[str, Series] = {}
    lines: list[LogLine] = []
    replies = [reply for run in runs for reply in run.replies.values()]
    for run in runs:
        unused = uncompared(run.replies) if run.source.kind == "loki" else frozenset()
        for name, reply in run.replies.items():
            for one in reply.series:
                series.setdefault(one.key, one)
            lines += reply.lines if name not in unused else ()
    edges = set(scope.edges) | {(s.service, s.peer) for s in series.values() if s.peer}
    edges |= {edge for reply in replies for edge in reply.edges if edge[0] != edge[1]}
    near = _near(scope, edges)

    def close(service: str) -> bool:
        return near is None or service in near

    kept = [one for one in series.values() if close(one.service)]
    baseline, window = windows(scope).baseline, windows(scope).window
    if kept:  # data may begin after the baseline does
        first = min(float(one.times[0]) for one in kept)
        baseline = (min(max(baseline[0], first), baseline[1]), baseline[1])
    labels = {run.source.slug: run.source.label for run in runs}
    lacking = [*missing(statuses, labels), *_unseen(scope, series.values(), runs)]
    if kept and baseline[0] == baseline[1]:
        lacking.append("no metrics from before the incident: nothing to compare with")
    tempo = next((r for r in runs if r.source.kind == "tempo" and r.replies), None)
    loki = next((r for r in runs if r.source.kind == "loki" and r.replies), None)
    before, during = log_windows(scope)
    return Telemetry(
        target=scope.target,
        started_at=scope.started_at,
        as_of=scope.as_of,
        baseline=baseline,
        window=window,
        series=tuple(sorted(kept, key=lambda one: one.key)),
        logs=tuple(
            sorted(
                (line for line in lines if close(line.service)),
                key=lambda line: (line.at, line.service, line.message),
            )
        ),
        log_patterns=tuple(pattern for reply in replies for pattern in reply.patterns),
        edges=tuple(sorted(edge for edge in edges if close(edge[0]) and close(edge[1]))),
        spans=tuple(
            sorted(
                {span for reply in replies for span in reply.spans},
                key=lambda span: (span.trace_id, span.start, span.span_id),
            )
        ),
        changes=_changes(replies, changes, close),
        workloads=tuple(
            state for reply in replies for state in reply.workloads if close(state.service)
        ),
        roles=dict(scope.roles),
        missing=tuple(lacking),
        log_source=loki.source.slug if loki else "",
        log_query=error_query(loki.source, scope, loki.replies) if loki else "",
        log_baseline_seconds=before[1] - before[0] if loki else 0.0,
        log_window_seconds=during[1] - during[0] if loki else 0.0,
        trace_source=tempo.source.slug if tempo else "",
        trace_query=failed_spans_query(scope) if tempo else "",
    )


def _changes(
    replies: Sequence[Reply], known: Iterable[Change], close: Callable[[str], bool]
) -> tuple[Change, ...]:
    """The catalogue's changes and those the cluster reports, each once; of no service too."""
    by_id = {change.id: change for change in known}
    for reply in replies:
        for change in reply.changes:
            by_id.setdefault(change.id, change)
    return tuple(change for change in by_id.values() if not change.service or close(change.service))


def _near(scope: Scope, edges: set[tuple[str, str]]) -> frozenset[str] | None:
    """The services to keep; None for all, when the target or its place in the graph is unknown."""
    if not scope.target:
        return None
    near = neighbourhood(scope.target, edges) | scope.services
    return near if len(near) > 1 else None


def _unseen(scope: Scope, series: Iterable[Series], runs: Sequence[Run]) -> tuple[str, ...]:
    seen = {one.service for one in series if one.signal != "error_log_rate"}
    if not scope.target or not seen or scope.target in seen:
        return ()
    names = ", ".join(run.source.label for run in runs if run.source.kind == "prometheus")
    return (
        f"{names}: no metrics of {scope.target} among {len(seen)} services: "
        "check the service label of the query profile",
    )
