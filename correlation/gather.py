"""All sources at once under one deadline: what could be had, and in words what could not.

Nothing here waits for a straggler: when the deadline passes, what has arrived is what the
ranking sees, and every source says how it did. No ORM; the caller supplies the scope, the
sources, and the changes and workload states it holds itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from correlation.assembly import assemble
from correlation.backends.errors import BackendError
from correlation.deadline import Deadline
from correlation.log_queries import log_queries
from correlation.metric_queries import metric_queries
from correlation.source_verdict import Run, not_configured, status
from correlation.sources import Reply, Scope, Source, SourceStatus
from correlation.telemetry import Change, Telemetry, WorkloadState

__all__ = ["Scope", "Source", "SourceStatus", "gather"]

logger = logging.getLogger(__name__)

DEADLINE_SECONDS = 10.0
CONCURRENCY = 8
_SPARE_SECONDS = 0.25
"""Queries get this much less than the whole deadline (at most a tenth of it), so that a slow
source is named by its own error and not only by its absence."""

Query = Callable[[Deadline], Reply]
PLANS: dict[str, Callable[[Source, Scope], dict[str, Query]]] = {
    "prometheus": metric_queries,
    "loki": log_queries,
}
"""How each kind of source is asked: name of the evidence -> query. A new kind is a new row."""


def gather(
    scope: Scope,
    sources: Sequence[Source],
    deadline_seconds: float = DEADLINE_SECONDS,
    changes: Iterable[Change] = (),
    workloads: Iterable[WorkloadState] = (),
) -> tuple[Telemetry, tuple[SourceStatus, ...]]:
    """Everything the ranking may look at, and how each source did. Raises for no source.

    Returns within `deadline_seconds`. With several sources of a kind, the first one's answer
    about a signal of a service counts.
    """
    deadline = Deadline(deadline_seconds)
    started = time.monotonic()
    runs = [_start(source, scope, deadline) for source in sources]
    wait([f for run in runs for f in run.futures.values()], timeout=deadline.remaining())
    for run in runs:
        _collect(run, deadline_seconds)
    statuses = (*(status(run, started) for run in runs), *not_configured(sources))
    return assemble(scope, runs, statuses, changes, workloads), statuses


def _start(source: Source, scope: Scope, deadline: Deadline) -> Run:
    run = Run(source)
    if not source.url:
        return run
    if source.kind not in PLANS:
        run.broken = f"sources of kind {source.kind!r} cannot be asked"
        return run
    try:
        queries = PLANS[source.kind](source, scope)
        workers = min(len(queries), int(source.number("concurrency", CONCURRENCY)))
    except ValueError as error:
        run.broken = f"is set up wrongly: {error}"
        return run
    left = deadline.remaining()
    inner = deadline.sooner(left - min(_SPARE_SECONDS, left / 10))
    pool = ThreadPoolExecutor(max(1, workers), thread_name_prefix=f"gather-{source.slug}")

    def finished(name: str) -> Callable[[Future[Reply]], None]:
        return lambda _: run.finished_at.__setitem__(name, time.monotonic())

    for name, query in queries.items():
        run.futures[name] = pool.submit(_send, run, name, query, inner)
        run.futures[name].add_done_callback(finished(name))
    # Threads end by themselves at the inner deadline; nobody waits for them.
    pool.shutdown(wait=False)
    return run


def _send(run: Run, name: str, query: Query, deadline: Deadline) -> Reply:
    """Sends one query, unless the source has answered none so far and left one without answer.

    Waiting for each in turn would cost a silent source's timeout several times over.
    """
    if run.silences and not run.answered:
        raise run.silences[0]
    run.sent.append(name)
    try:
        reply = query(deadline)
    except BackendError as error:
        if error.kind in ("refused", "dns", "tls", "timeout"):
            run.silences.append(error)
        else:
            run.answered = True
        raise
    run.answered = True
    return reply


def _collect(run: Run, deadline_seconds: float) -> None:
    """Sorts a run's futures into replies and reasons, as they are at this moment."""
    for name, future in run.futures.items():
        if not future.done():
            future.cancel()
            run.reasons[name] = f"did not answer within {deadline_seconds:.2g} s"
            continue
        error = future.exception()
        if error is None:
            run.replies[name] = future.result()
        elif isinstance(error, BackendError):
            run.reasons[name] = error.detail
        else:
            logger.error("query %s of %s failed", name, run.source.slug, exc_info=error)
            run.reasons[name] = f"the answer could not be read ({type(error).__name__})"
