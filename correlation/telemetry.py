"""What the ranking reads and what it answers: plain values, no ORM and no I/O.

Times are epoch seconds (float, UTC) throughout; the live engine and the offline
evaluator build the same `Telemetry` and hand it to `correlation.ranking.rank`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from correlation.explaining.reasoning import Check, Reasoning, Sureness

Floats = NDArray[np.float64]

Direction = Literal["up", "down", "both"]
"""Which way is bad: `up` for errors and latency, `down` for availability, `both` for traffic."""

EvidenceType = Literal["metric", "log", "trace", "kubernetes", "change"]


@dataclass(frozen=True, eq=False)
class Series:
    """One signal of one service, or of one edge when `peer` (the callee) is set.

    `times` and `values` have one length, times ascending; a missing sample is absent, never
    NaN. `signal` is one of SIGNALS; `unit` is "ratio", "s", "1/s", "bytes", "cores", "count".
    """

    service: str
    signal: str
    times: Floats
    values: Floats
    direction: Direction = "up"
    unit: str = ""
    peer: str | None = None
    source: str = ""
    query: str = ""

    @property
    def key(self) -> str:
        """Stable identity of the signal inside one analysis."""
        return f"metric:{self.service}{'>' + self.peer if self.peer else ''}:{self.signal}"


SIGNAL_UNITS: dict[str, tuple[str, Direction]] = {
    "error_ratio": ("ratio", "up"),  # failed share of the requests a service answered, 0..1
    "latency_p50": ("s", "up"),
    "latency_p95": ("s", "up"),
    "latency_p99": ("s", "up"),
    "latency_mean": ("s", "up"),  # seconds a request, server side
    "callee_mean": ("s", "up"),  # a request's wait for callees (self time = latency_mean - it)
    "request_rate": ("1/s", "both"),
    "cpu": ("cores", "up"),  # in use
    "cpu_saturation": ("ratio", "up"),  # cores in use / limit, 0..1
    "cpu_throttling": ("ratio", "up"),  # share of scheduler periods in which it was held back
    "event_loop_lag": ("s", "up"),  # how late a single-threaded runtime gets to its work
    "memory": ("bytes", "up"),
    "memory_saturation": ("ratio", "up"),
    "pool_saturation": ("ratio", "up"),  # connections in use / max, 0..1
    "pool_waiting": ("count", "up"),  # requests waiting for a connection
    "restarts": ("count", "up"),  # container restarts within the rate window
    "oom_kills": ("count", "up"),  # those of them that followed an out-of-memory kill
    "replicas_ready": ("ratio", "down"),  # ready pods / wanted pods, 0..1
    "client_error_ratio": ("ratio", "up"),  # edge: failed share of calls, as the caller sees it
    "client_latency_p95": ("s", "up"),  # edge
    "client_request_rate": ("1/s", "both"),  # edge: calls a second
    "error_log_rate": ("1/s", "up"),  # log lines at error level and above
}
"""The unit of every signal, and which way is bad."""

SIGNALS = tuple(SIGNAL_UNITS)


@dataclass(frozen=True)
class LogLine:
    """One line as the log store gave it; `level` lower case or "" when unknown."""

    service: str
    at: float
    message: str
    level: str = ""
    trace_id: str = ""
    span_id: str = ""


@dataclass(frozen=True)
class LogPattern:
    """A line's shape as the log store counts it: `<_>` stands for what varies.

    `counts` are (start of a bucket of `step_seconds`, lines in it): all of them, none was cut.
    """

    text: str
    level: str
    counts: tuple[tuple[float, int], ...]
    step_seconds: float


@dataclass(frozen=True)
class Span:
    """One span of a sampled trace; `start` in epoch seconds, `seconds` its duration.

    Ids are lower-case hex (trace 32 digits, span 16), `parent_id` "" for a root. `failed` is
    the span's own status, `message` its status message or exception. `peer` is whom a client
    span called, where its attributes say so. `attributes` are the few that explain: version,
    pod, status code, database. `sampled_as` is how the trace was found.
    """

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    operation: str
    kind: Literal["server", "client", "internal", "producer", "consumer", ""]
    start: float
    seconds: float
    failed: bool = False
    message: str = ""
    peer: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    sampled_as: Literal["failed", "slow", "usual", "baseline"] = "usual"


@dataclass(frozen=True)
class Change:
    """A deploy, config edit, flag or scale event of a service.

    `source` is the slug of the data source that reported it, "" for the catalogue's own, and
    `ref` what that source calls it (a ReplicaSet's uid). `service` is "" where it is not known;
    `files` are the paths it touched, `commit` what a deploy brought out.
    """

    id: str
    service: str
    kind: str
    at: float
    title: str
    diff: str = ""
    source: str = ""
    ref: str = ""
    files: tuple[str, ...] = ()
    commit: str = ""


@dataclass(frozen=True)
class WorkloadState:
    """What an orchestrator says of one workload: reason e.g. CrashLoopBackOff, OOMKilled.

    `at` is when it began, `count` how often it happened or how many pods it holds for.
    `attributes` say where to look: namespace, pod, container, exit code, node.
    """

    service: str
    workload: str
    reason: str
    at: float
    count: int = 1
    message: str = ""
    source: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Telemetry:
    """Everything one analysis saw.

    `target` is the affected service (None if unknown), `started_at` when the incident was
    noticed, `as_of` the newest moment the ranking may look at. `baseline` and `window` are
    (start, end): healthy reference and incident window; they do not overlap. `edges` are
    (caller, callee) of the dependency graph. `roles` says what a service is ("database",
    "cache", "queue", "service"); absent means "service". `missing` names the evidence that
    could not be had, in words for the reader. `log_baseline_seconds`/`log_window_seconds`
    are how much time the log lines cover on each side of `window[0]` (0: read it off the lines),
    `log_query` the exact query by data source slug. `spans` are those of sampled traces, whole
    traces as far as the store gave them; `trace_query` is how the failed ones were found.
    """

    target: str | None
    started_at: float
    as_of: float
    baseline: tuple[float, float]
    window: tuple[float, float]
    series: tuple[Series, ...] = ()
    logs: tuple[LogLine, ...] = ()
    log_patterns: tuple[LogPattern, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    spans: tuple[Span, ...] = ()
    changes: tuple[Change, ...] = ()
    workloads: tuple[WorkloadState, ...] = ()
    roles: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    log_source: str = ""
    log_query: str = ""
    log_baseline_seconds: float = 0.0
    log_window_seconds: float = 0.0
    trace_source: str = ""
    trace_query: str = ""
    traces_unbiased: bool = False


@dataclass(frozen=True)
class Evidence:
    """One signal that changed with the incident: a correlation.

    `confidence` is 0..1 and follows magnitude and sample size; `onset_at` is epoch seconds
    or None; `baseline` and `value` are in the signal's unit; `key` is stable across runs of
    the same analysis input. `details` is JSON (no NaN): what the page plots and explains.
    """

    key: str
    type: EvidenceType
    service: str
    signal: str
    confidence: float
    onset_at: float | None
    baseline: float | None
    value: float | None
    title: str
    unit: str = ""
    peer: str | None = None
    direction: Literal["up", "down"] = "up"
    source: str = ""
    query: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Cause:
    """A ranked hypothesis: service + cause kind (+ change), with the keys of its evidence.

    `explanation` is `reasoning` in lines of text; `rule` is the name of the rule that named the
    kind.
    """

    service: str
    kind: str
    title: str
    confidence: float
    supporting: tuple[str, ...]
    contradicting: tuple[str, ...] = ()
    change: str | None = None
    explanation: str = ""
    reasoning: Reasoning | None = None
    rule: str = ""


@dataclass(frozen=True)
class Ranking:
    """The answer: causes best first, evidence strongest first.

    `inconclusive` is true when no cause reaches the abstention threshold; `missing` then
    says which evidence would have decided, and `checks` what to look at. `sureness` says what the
    first cause's confidence means; None without causes.
    """

    causes: tuple[Cause, ...]
    evidence: tuple[Evidence, ...]
    inconclusive: bool
    missing: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    sureness: Sureness | None = None
