"""What readers call the signals."""

from __future__ import annotations

LABELS = {
    "log_template": "log lines",
    "trace_errors": "failed traces",
    "trace_slow": "slow spans",
    "trace_calls": "calls in a trace",
    "cut_short": "requests cut short",
    "error_ratio": "error rate",
    "latency_p50": "median latency",
    "latency_p95": "p95 latency",
    "latency_p99": "p99 latency",
    "latency_mean": "mean latency",
    "callee_mean": "time spent in callees",
    "self_time": "own processing time",
    "request_rate": "request rate",
    "cpu_throttling": "CPU throttling",
    "event_loop_lag": "event loop lag",
    "oom_kills": "kills for lack of memory",
    "cpu": "CPU use",
    "cpu_saturation": "CPU saturation",
    "memory": "memory use",
    "memory_saturation": "memory saturation",
    "pool_saturation": "connection pool in use",
    "pool_waiting": "requests waiting for a connection",
    "restarts": "container restarts",
    "replicas_ready": "ready replicas",
    "process_reports": "share of process metrics still reported",
    "request_reports": "share of request metrics still reported",
    "client_error_ratio": "failed calls",
    "client_latency_p95": "p95 call latency",
    "client_request_rate": "call rate",
    "error_log_rate": "error lines logged",
}


def label_of(signal: str) -> str:
    """What a reader calls a signal: "p95 latency"."""
    return LABELS.get(signal, signal.replace("_", " "))
