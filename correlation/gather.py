"""All sources at once under one deadline: what could be had, and in words what could not.

Nothing here waits for a straggler: when the deadline passes, what has arrived is what the
ranking sees, and every source says how it did. No ORM; the caller supplies the scope, the
sources, and the changes and workload states it holds itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from correlation.assembly import assemble
from correlation.cluster.queries import cluster_queries
from correlation.logs.queries import log_queries
from correlation.metrics.queries import metric_queries
from correlation.shared_answers import once
from correlation.source_verdict import Run, not_configured, status
from correlation.sources import Query, Reply, Scope, Source, SourceStatus
from correlation.telemetry import Change, Telemetry
from correlation.traces.queries import trace_queries
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError, timeout_error

__all__ = ["Scope", "Source", "SourceStatus", "gather"]

logger = logging.getLogger(__name__)

DEADLINE_SECONDS = 10.0
CONCURRENCY = 8
_SPARE_SECONDS = 0.25
"""Queries get this much less than the whole deadline (at most a tenth of it), so that a slow
source is named by its own error and not only by its absence."""

Plan = Callable[[Source, Scope], Mapping[str, Query]]
PLANS: dict[str, Plan] = {
    "prometheus": metric_queries,
    "loki": log_queries,
    "tempo": trace_queries,
    "kubernetes": cluster_queries,
}
"""How each kind of source is asked: name of the evidence -> query. A new kind is a new row."""


def gather(
    scope: Scope,
    sources: Sequence[Source],
    deadline_seconds: float = DEADLINE_SECONDS,
    changes: Iterable[Change] = (),
    plans: Mapping[str, Plan] = PLANS,
) -> tuple[Telemetry, tuple[SourceStatus, ...]]:
    """Everything the ranking may look at, and how each source did. Raises for no source.

    Returns within `deadline_seconds`. With several sources of a kind, the first one's answer
    about a signal of a service counts.
    """
    deadline = Deadline(deadline_seconds)
    started = time.monotonic()
    runs = [_start(source, scope, deadline, plans) for source in sources]
    for run in runs:
        run.idle.wait(deadline.remaining())
    for run in runs:
        _collect(run, deadline_seconds)
    statuses = (*(status(run, started) for run in runs), *not_configured(sources))
    return assemble(scope, runs, statuses, changes), statuses


def _start(source: Source, scope: Scope, deadline: Deadline, plans: Mapping[str, Plan]) -> Run:
    run = Run(source, broken=source.closed_because, why_broken="closed")
    if run.broken or not source.is_configured:
        return run
    if source.kind not in plans:
        run.broken, run.why_broken = f"sources of kind {source.kind!r} cannot be asked", "setup"
        return run
    try:
        queries = plans[source.kind](source, scope)
        workers = int(source.number("concurrency", CONCURRENCY))
    except ValueError as error:
        run.broken, run.why_broken = f"is set up wrongly: {error}", "setup"
        return run
    left = deadline.remaining()
    inner = deadline.sooner(left - min(_SPARE_SECONDS, left / 10))
    pool = ThreadPoolExecutor(max(1, workers), thread_name_prefix=f"gather-{source.slug}")
    _submit(run, pool, queries, inner)
    return run


def _submit(
    run: Run, pool: ThreadPoolExecutor, queries: Mapping[str, Query], inner: Deadline
) -> None:
    """Sends the queries; what an answer leads to is sent as soon as it is there.

    Threads end by themselves at the inner deadline; nobody waits for them.
    """
    with run.lock:
        run.idle.clear()
        fresh = {name: query for name, query in queries.items() if name not in run.futures}
        run.open += len(fresh)
        for name in fresh:
            run.futures[name] = Future()
    for name, query in fresh.items():
        pool.submit(_answer, run, pool, name, query, inner)
    with run.lock:
        if run.open == 0:
            run.idle.set()
            pool.shutdown(wait=False)


def _answer(run: Run, pool: ThreadPoolExecutor, name: str, query: Query, inner: Deadline) -> None:
    future = run.futures[name]
    try:
        reply = _send(run, query, inner)
        if reply.then and not inner.expired():
            _submit(run, pool, reply.then, inner)
        future.set_result(reply)
    except Exception as error:  # kept for `_collect`, which tells it
        future.set_exception(error)
    with run.lock:
        run.finished_at[name] = time.monotonic()
        run.open -= 1
        if run.open == 0:
            run.idle.set()
            pool.shutdown(wait=False)


def _send(run: Run, query: Query, deadline: Deadline) -> Reply:
    """Sends one query, unless the source has answered none so far and left one without answer.

    Waiting for each in turn would cost a silent source's timeout several times over.
    """
    if run.silences and not run.answered:
        raise run.silences[0]
    source = run.source
    asked = True
    try:
        if query.key is None:
            reply = query.ask(deadline)
        else:
            key = (source.slug, source.url, source.kubeconfig, query.key)
            reply, asked = once(key, query.ask, deadline, source.label)
    except BackendError as error:
        with run.lock:
            run.requests += error.requests
        if error.kind in ("refused", "dns", "tls", "timeout"):
            run.silences.append(error)
        else:
            run.answered = True
        raise
    with run.lock:
        run.requests += reply.requests if asked else 0
    run.answered = run.answered or reply.requests > 0
    return reply


def _collect(run: Run, deadline_seconds: float) -> None:
    """Sorts a run's futures into replies and reasons, as they are at this moment."""
    with run.lock:
        futures = dict(run.futures)
    for name, future in futures.items():
        if not future.done():
            run.failed(name, timeout_error(run.source.label, deadline_seconds))
            continue
        error = future.exception()
        if error is None:
            run.replies[name] = future.result()
        elif isinstance(error, BackendError):
            run.failed(name, error)
        else:
            logger.error("query %s of %s failed", name, run.source.slug, exc_info=error)
            words = f"the answer could not be read ({type(error).__name__})"
            run.failed(name, BackendError("bad_body", words))
