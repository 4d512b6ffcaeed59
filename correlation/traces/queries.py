"""The trace queries of one analysis: searches first, then the traces they found.

Five searches and at most MOST_TRACES traces by id, however many services: failed traces before
and during the incident, a usual sample of both, and slow traces, which the baseline sample leads
to: slow is longer than SLOWER x the 95th percentile of the service's own server spans there.
Two metrics queries besides, where the server has them (see trace_metrics).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from functools import partial
from typing import Literal

from correlation.backends.tempo import SearchAnswer, TempoClient
from correlation.backends.tempo_traces import FoundTrace
from correlation.sources import Query, Reply, Scope, Source, http_arguments, windows
from correlation.traces.choosing import NEWEST, slow_query, spread, typical_first
from correlation.traces.evidence import APART, CUT, trace_baseline
from correlation.traces.metrics import metric_queries, selection
from correlation.traces.service_graph import PEER_ATTRIBUTES, edges
from correlation.traces.spans import known_services, matched_spans, telemetry_span
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError

MAX_BYTES = 16_000_000
MATCHED_SPANS = 20
"""Spans shown of a found trace: enough for the failed ones of a deep call."""

SAMPLE, USUAL_SAMPLE = 100, 20
"""Traces in the baseline sample, which has to tell what is slow, and in the usual one."""

FAILED_TRACES, SLOW_TRACES, BASELINE_TRACES, USUAL_TRACES = 4, 4, 3, 1
MOST_TRACES = FAILED_TRACES + SLOW_TRACES + BASELINE_TRACES + USUAL_TRACES
"""Traces read by id at most in one analysis."""

AROUND_SECONDS = 300.0
"""How far the other spans of a trace may lie from the one that was found."""

Sampled = Literal["failed", "slow", "usual", "baseline"]
Window = tuple[float, float]


def trace_queries(source: Source, scope: Scope) -> dict[str, Query]:
    """The queries to send to a Tempo, by name; raises ValueError for bad options.

    Options: `max_bytes`, `step_seconds` of the metrics.
    """
    client = TempoClient(
        source.url,
        **http_arguments(source),
        max_bytes=int(source.number("max_bytes", MAX_BYTES)),
    )
    before, during = trace_windows(scope)
    failed, sample = failed_spans_query(scope), sample_query(scope)
    searches: dict[str, tuple[str, Window]] = {
        "failed traces (incident)": (failed, during),
        "failed traces (baseline)": (failed, before),
        "usual traces (incident)": (sample, during),
        "usual traces (baseline)": (sample, before),
    }
    asks = (_failed, _failed_before, _usual, _baseline)
    plan = {
        name: Query(
            partial(ask, client, scope, query, span),
            (name, query, span, during, scope.target, _named(scope)),
        )
        for (name, (query, span)), ask in zip(searches.items(), asks, strict=True)
    }
    return {**plan, **metric_queries(client, source, scope)}


def trace_windows(scope: Scope) -> tuple[Window, Window]:
    """(baseline, window) of the traces, on whole seconds."""
    asked = windows(scope)
    start, end = trace_baseline(asked.baseline, asked.window)
    return (math.floor(start), math.floor(end)), (math.floor(end), math.ceil(asked.window[1]))


def failed_spans_query(scope: Scope) -> str:
    """The TraceQL that finds the failed spans of the scope's services."""
    shown = ["name", "kind", "statusMessage"]
    shown += [f"resource.{name}" for name in APART]
    shown += [f"span.{name}" for name in PEER_ATTRIBUTES]
    return f"{{ status = error && {selection(scope)} }} | select({', '.join(shown)}){NEWEST}"


def sample_query(scope: Scope) -> str:
    """The TraceQL that finds requests the scope's services served."""
    return f"{{ (kind = server || kind = consumer) && {selection(scope)} }}{NEWEST}"


def _named(scope: Scope) -> tuple[Hashable, ...]:
    """What of the scope decides how answers are read: equal answers need equal names."""
    found_as = ((name, scope.names_of(name, "tempo")) for name in sorted(scope.found_as))
    return (*sorted(known_services(scope)), *found_as)


def _search(
    client: TempoClient, query: str, span: Window, limit: int, deadline: Deadline
) -> tuple[SearchAnswer, int]:
    """The answer and how many requests it took: a server that refuses the query's newer parts
    (select, hints) is asked again without them."""
    plain = query.partition(" | ")[0].removesuffix(NEWEST)
    try:
        asked = client.search(query, *span, deadline, limit=limit, spans=MATCHED_SPANS)
    except BackendError as error:
        if error.status != 400 or plain == query:
            raise
        return client.search(plain, *span, deadline, limit=limit, spans=MATCHED_SPANS), 2
    return asked, 1


def _failed(
    client: TempoClient, scope: Scope, query: str, span: Window, deadline: Deadline
) -> Reply:
    answer, requests = _search(client, query, span, CUT, deadline)
    then = _reads(client, scope, spread(answer.traces, FAILED_TRACES), "failed")
    return _matched(answer, requests, scope, "failed", then, "failed traces")


def _failed_before(
    client: TempoClient, scope: Scope, query: str, span: Window, deadline: Deadline
) -> Reply:
    answer, requests = _search(client, query, span, CUT, deadline)
    return _matched(answer, requests, scope, "baseline", {}, "failed traces of the baseline")


def _usual(
    client: TempoClient, scope: Scope, query: str, span: Window, deadline: Deadline
) -> Reply:
    answer, requests = _search(client, query, span, USUAL_SAMPLE, deadline)
    chosen = spread(answer.traces, USUAL_TRACES)
    then = _reads(client, scope, chosen, "usual")
    return Reply(requests=requests, partial=_partial(answer), then=then)


def _baseline(
    client: TempoClient, scope: Scope, query: str, span: Window, deadline: Deadline
) -> Reply:
    """The sample that says what is slow; it leads to the slow search, and that to its traces."""
    answer, requests = _search(client, query, span, SAMPLE, deadline)
    found = answer.traces
    target = scope.names_of(scope.target, "tempo")[0] if scope.target else ""
    slow, share = slow_query(found, target)
    if not slow:
        then = _reads(client, scope, spread(found, BASELINE_TRACES), "baseline")
        few = ("too few traces before the incident to tell slow ones",) if found else ()
        return Reply(requests=requests, partial=_partial(answer), notes=few, then=then)
    during = trace_windows(scope)[1]
    oldest = min(trace.start for trace in found)
    seconds = max(span[1] - (oldest if answer.truncated else span[0]), 1.0)
    usual_rate = (share * len(found) + 0.5) / seconds
    ask = partial(_slow, client, scope, slow, during, found, usual_rate)
    key = (slow, during, tuple(trace.trace_id for trace in found), round(usual_rate, 6))
    return Reply(
        requests=requests,
        partial=_partial(answer),
        then={"slow traces (incident)": Query(ask, (*key, _named(scope)))},
    )


def _slow(
    client: TempoClient,
    scope: Scope,
    query: str,
    span: Window,
    before: Sequence[FoundTrace],
    usual_rate: float,
    deadline: Deadline,
) -> Reply:
    """Slow traces with usual ones of the same routes; as slow as ever they are not called so."""
    answer, requests = _search(client, query, span, CUT, deadline)
    found = answer.traces
    start = min(trace.start for trace in found) if answer.truncated else span[0]
    expected = usual_rate * max(span[1] - max(start, span[0]), 1.0)
    more = 2.0 * (math.sqrt(len(found) + 0.375) - math.sqrt(expected + 0.375)) >= 2.0
    chosen = spread(found, SLOW_TRACES) if more else []
    routes = {(trace.root_service, trace.root_name) for trace in chosen}
    alike = [trace for trace in before if (trace.root_service, trace.root_name) in routes]
    compared = spread(typical_first(alike), BASELINE_TRACES)
    if not compared:
        compared = spread(typical_first(before), BASELINE_TRACES)
    then = {
        **_reads(client, scope, chosen, "slow"),
        **_reads(client, scope, compared, "baseline"),
    }
    if not more:
        return Reply(requests=requests, partial=_partial(answer), then=then)
    return _matched(answer, requests, scope, "slow", then, "slow traces")


def _matched(
    answer: SearchAnswer,
    requests: int,
    scope: Scope,
    sampled_as: Sampled,
    then: dict[str, Query],
    what: str,
) -> Reply:
    cut = (f"{what}: the newest {answer.limit} were read",) if answer.truncated else ()
    return Reply(
        spans=matched_spans(answer.traces, scope, sampled_as),
        partial=_partial(answer),
        notes=cut,
        requests=requests,
        then=then,
    )


def _partial(answer: SearchAnswer) -> tuple[str, ...]:
    return (answer.partial,) if answer.partial else ()


def _reads(
    client: TempoClient, scope: Scope, chosen: Iterable[FoundTrace], sampled_as: Sampled
) -> dict[str, Query]:
    return {
        f"{sampled_as} trace {trace.trace_id}": Query(
            partial(_read, client, scope, trace, sampled_as),
            (trace.trace_id, sampled_as, _named(scope)),
        )
        for trace in chosen
    }


def _read(
    client: TempoClient, scope: Scope, found: FoundTrace, sampled_as: Sampled, deadline: Deadline
) -> Reply:
    """One trace with the edges it shows."""
    start = found.start - AROUND_SECONDS
    end = found.start + found.seconds + AROUND_SECONDS
    answer = client.trace(found.trace_id, deadline, start=start, end=end)
    if answer.spans is None:
        gone = f"{sampled_as} trace {found.trace_id} was found and could not be read"
        return Reply(notes=(gone,), requests=answer.requests)
    spans = tuple(telemetry_span(span, answer.spans, scope, sampled_as) for span in answer.spans)
    return Reply(
        spans=spans,
        edges=edges(spans),
        partial=(answer.partial,) if answer.partial else (),
        requests=answer.requests,
    )
