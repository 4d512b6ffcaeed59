"""How one request travels: calls between pods, queues, pools, deadlines and refusals.

Statuses are HTTP codes; TIMEOUT and REFUSED stand for "no answer came". Deadlines (absolute,
epoch seconds) travel with the request, and work for a caller that gave up ends there.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lab.pods import Pod, Workload
from lab.processes import EventLoop, Process

if TYPE_CHECKING:
    from lab.logbook import LogBook

TIMEOUT = -1
REFUSED = -2
CONNECT_SECONDS = 0.002
SLOW_STATEMENT_SECONDS = 0.5


class Span:
    """One call as both sides saw it. `parent` is an index into the request's spans."""

    __slots__ = ("began", "callee", "caller", "detail", "ended", "name", "parent", "peer", "status")

    def __init__(self, parent: int, caller: Pod | None, peer: str, name: str, began: float) -> None:
        self.parent = parent
        self.caller = caller
        self.callee: Pod | None = None
        self.peer = peer
        self.name = name
        self.began = began
        self.ended = began
        self.status = 200
        self.detail = ""


class Request:
    """One root request with all it causes."""

    __slots__ = ("order", "spans", "trace_id", "user")

    def __init__(self, rng: random.Random) -> None:
        self.trace_id = f"{rng.getrandbits(128):032x}"
        self.user = 10_000 + rng.getrandbits(16)
        self.order = 0
        self.spans: list[Span] = []


@dataclass(frozen=True)
class Operation:
    """One route of a service: mean own work in seconds, and how long callers wait for it."""

    service: str
    method: str
    route: str
    work_seconds: float
    timeout_seconds: float
    handler: Handler

    @property
    def name(self) -> str:
        return f"{self.method} {self.route}"


@dataclass(frozen=True)
class Statement:
    """One kind of work of a store: CPU and I/O in median seconds."""

    name: str
    cpu_seconds: float
    io_seconds: float
    timeout_seconds: float


Handler = Callable[["Mesh", Request, Pod, float, int], Process[int]]


class Mesh:
    def __init__(
        self, loop: EventLoop, rng: random.Random, workloads: dict[str, Workload], logs: LogBook
    ) -> None:
        self.loop = loop
        self.rng = rng
        self.workloads = workloads
        self.logs = logs
        draws = np.random.default_rng(rng.getrandbits(32)).lognormal(0.0, 0.35, 1 << 16)
        self._noise: list[float] = draws.tolist()
        self._draw = 0

    def noise(self) -> float:
        """A log-normal factor around 1."""
        self._draw = (self._draw + 1) & 0xFFFF
        return self._noise[self._draw]

    def call(
        self,
        request: Request,
        caller: Pod | None,
        operation: Operation,
        deadline: float,
        parent: int,
    ) -> Process[int]:
        """Call another service over HTTP; returns its status, TIMEOUT or REFUSED."""
        loop = self.loop
        began = loop.now
        limit = min(deadline, began + operation.timeout_seconds)
        index = len(request.spans)
        span = Span(parent, caller, operation.service, operation.name, began)
        request.spans.append(span)
        pod = self.workloads[operation.service].pick()
        if pod is None or not pod.running:
            yield began + CONNECT_SECONDS
            status = REFUSED
        else:
            # One generator for both sides of the call: this is the hottest path of the lab.
            span.callee = pod
            epoch = pod.epoch
            workers = pod.workers
            granted = workers.in_use < workers.capacity and not workers.pending
            if granted:
                workers.in_use += 1
            else:
                granted = yield from workers.acquire(limit)
            conditions = pod.workload.conditions
            work = operation.work_seconds * self.noise()
            done = loop.now + work * pod.slowdown + conditions.added_latency_seconds
            if granted and pod.epoch == epoch:
                yield min(done, limit)
                if pod.epoch == epoch:
                    pod.cpu_seconds += work
            if pod.epoch != epoch:
                status = REFUSED
            elif not granted:
                status = 503
                span.detail = "no free worker"
            elif done >= limit:
                status = 504
                self.logs.write(
                    pod, "error", "deadline exceeded", route=operation.route,
                    trace_id=request.trace_id,
                )  # fmt: skip
            elif self._errs(pod):
                status = self._throw(request, pod, operation, span)
            else:
                status = yield from operation.handler(self, request, pod, limit, index)
            if pod.epoch != epoch:
                status = REFUSED
            else:
                if granted:
                    workers.release()
                elapsed = loop.now - began
                pod.meters.record_served(operation.method, operation.route, status, elapsed)
        ended = loop.now
        if status > 0 and ended >= limit:
            status = TIMEOUT
        span.ended = ended
        span.status = status
        if caller is not None:
            caller.meters.record_call(operation.service, outcome(status), ended - began)
        return status

    def _errs(self, pod: Pod) -> bool:
        share = max(pod.workload.conditions.error_probability, pod.release.error_probability)
        return share > 0.0 and self.rng.random() < share

    def _throw(self, request: Request, pod: Pod, operation: Operation, span: Span) -> int:
        from lab.stacks import unhandled  # the texts are long and only faults need them

        message, stack = unhandled(pod.spec, operation.route, pod.release.version)
        span.detail = message
        self.logs.write(
            pod, "error", "unhandled exception", stack, route=operation.route, error=message,
            version=pod.release.version, user_id=request.user, trace_id=request.trace_id,
        )  # fmt: skip
        return 500

    def query(
        self,
        request: Request,
        caller: Pod,
        store: str,
        statement: Statement,
        deadline: float,
        parent: int,
    ) -> Process[int]:
        """Ask a database, cache or queue; returns 200, 500, TIMEOUT or REFUSED."""
        loop = self.loop
        began = loop.now
        limit = min(deadline, began + statement.timeout_seconds)
        span = Span(parent, caller, store, statement.name, began)
        request.spans.append(span)
        pod = self.workloads[store].pods[0]
        if not pod.ready:
            yield began + CONNECT_SECONDS
            status = REFUSED
        else:
            span.callee = pod
            epoch = pod.epoch
            workers = pod.workers
            granted = workers.in_use < workers.capacity and not workers.pending
            if granted:
                workers.in_use += 1
            else:
                granted = yield from workers.acquire(limit)
            if pod.epoch != epoch:
                status = REFUSED
            elif not granted:
                status = TIMEOUT
            else:
                started = loop.now
                conditions = pod.workload.conditions
                cpu = statement.cpu_seconds * self.noise()
                wait = statement.io_seconds * self.noise() * conditions.io_factor
                done = started + cpu * pod.slowdown + wait + conditions.added_latency_seconds
                yield min(done, limit)
                if pod.epoch != epoch:
                    status = REFUSED
                else:
                    workers.release()
                    pod.cpu_seconds += cpu
                    pod.meters.served += 1
                    status = TIMEOUT if done > limit else 200
                    if done > limit or loop.now - started > SLOW_STATEMENT_SECONDS:
                        self._log_slow(pod, statement, loop.now - started, status)
                    elif self._errs(pod):
                        status = 500
                        span.detail = "internal error"
                        message = "could not complete the operation: internal error"
                        self.logs.write(pod, "error", message)
        ended = loop.now
        span.ended = ended
        span.status = status
        caller.meters.record_call(store, outcome(status), ended - began)
        return status

    def _log_slow(self, pod: Pod, statement: Statement, elapsed: float, status: int) -> None:
        if pod.spec.log_format != "postgres":
            return
        process = 200 + self.rng.randrange(40)
        text = f"duration: {elapsed * 1000:.3f} ms  statement: {statement.name}"
        self.logs.write(pod, "info", text, pid=process)
        if status == TIMEOUT:
            cancelled = "canceling statement due to user request"
            self.logs.write(pod, "error", cancelled, pid=process)


def outcome(status: int) -> str:
    """The client's word for a status: ok, error, timeout or refused."""
    if status == TIMEOUT:
        return "timeout"
    if status == REFUSED:
        return "refused"
    return "ok" if status < 500 else "error"


def failed(status: int) -> bool:
    return status < 0 or status >= 500
