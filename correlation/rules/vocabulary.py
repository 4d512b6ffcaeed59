"""The words rules are written in: what they may ask for, and how far they may go. Pure."""

from __future__ import annotations

from correlation.telemetry import SIGNALS

FEATURES = {
    "own_errors": "failed requests that no failing callee accounts for",
    "own_latency": "slow answers that no slow callee accounts for",
    "own_logs": "new, surging or vanished log lines of its own making",
    "own_excess": "excess latency or errors of its own along a call graph of coarse metrics",
    "pool": "its connection pool is full or requests wait for a connection",
    "restarts": "its containers restart",
    "replicas_lost": "fewer replicas are ready than wanted",
    "state": "the worst the orchestrator says of it",
    "cpu": "CPU use rose",
    "cpu_saturation": "CPU use near its limit, throttling, or a late event loop",
    "memory": "memory use rose",
    "memory_saturation": "memory use near its limit",
    "silence": "its requests stopped while callers fail",
    "unseen": "its process is no longer measured while others are",
    "traffic_surge": "more requests than usual, not passed on by a busier caller",
    "callers_latency": "callers wait for it and it has no signals of its own",
    "callers_errors": "callers fail to call it and it looks healthy, or says nothing",
    "network": "callers wait for it and it answers as fast as ever",
    "trace_errors": "sampled requests fail first in it",
    "trace_slow": "sampled requests lose their time in it",
    "trace_refused": "sampled calls to it fail without a span of its own",
    "trace_waited": "sampled calls to it are slow without a span of its own",
    "request_time": "requests of the same kind spend more time in it",
    "request_lines": "requests of the same kind log other lines in it",
    "request_calls": "requests of the same kind make other calls from it",
    "request_cuts": "requests of the same kind stop in it, or after they called it",
}
"""Strengths 0..1 of `correlation.blame`, with what failing callees explain taken out."""

SIGNAL_NAMES = (*SIGNALS, "self_time", "process_reports", "request_reports")
VIEWS = ("own", "callers", "calls")
DIRECTIONS = ("up", "down")
LINES = ("more", "fewer")
ROLES = ("service", "database", "cache", "queue", "external")
CHANGE_NAMES = ("any", "deploy", "config", "flag", "scale")

NO_KIND = "any"
"""Kind of a rule that only raises or caps: it applies whatever the cause is called."""

SHIPPED_PRIORITY = 1000
USER_PRIORITY = 100
MOST_PRIORITY = 1000
"""Lower goes first. At SHIPPED_PRIORITY a rule competes with the shipped ones by its score."""

MOST_BOOST = 0.5
"""A rule closes at most half of what is missing between a score and 1."""

MOST_CONDITIONS = 20
MOST_NESTED = 3
TEXT_LENGTHS = {"name": 63, "kind": 64, "title": 200, "advice": 500}
ALLOWED = {"weight": (0.0, 2.0), "at_least": (0.0, 1.0)}
