"""Alert rules over the lab's own metrics, with Prometheus' states: pending, firing, resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from lab import promql
from lab.tsdb import Tsdb

GENERATOR_URL = "http://prometheus.shop.example/graph?g0.expr={query}&g0.tab=1"
RUNBOOK_URL = "https://runbooks.shop.example/{name}"


@dataclass(frozen=True)
class Rule:
    """One rule. `{value}` in the texts is formatted by `unit`: percent, seconds or count."""

    name: str
    query: str
    for_seconds: float
    keep_firing_seconds: float
    severity: str
    summary: str
    description: str
    unit: str
    labels: dict[str, str] = field(default_factory=dict)


RULES: tuple[Rule, ...] = (
    Rule(
        name="HighErrorRate",
        query=(
            "sum by (service, namespace)"
            ' (rate(http_requests_total{status=~"5.."}[20s]))'
            " / sum by (service, namespace) (rate(http_requests_total[20s])) > 0.05"
            " and sum by (service, namespace) (increase(http_requests_total[20s])) >= 10"
        ),
        for_seconds=5.0,
        keep_firing_seconds=20.0,
        severity="critical",
        summary="{service} fails {value} of its requests",
        description="{value} of the requests to {service} were answered 5xx in the last 20 s.",
        unit="percent",
    ),
    Rule(
        name="HighLatency",
        query=(
            "histogram_quantile(0.95, sum by (service, namespace, le)"
            " (rate(http_request_duration_seconds_bucket[30s]))) > 1"
        ),
        for_seconds=10.0,
        keep_firing_seconds=20.0,
        severity="warning",
        summary="{service} is slow: 95th percentile {value}",
        description="The slowest 5 % of requests to {service} took {value} or more.",
        unit="seconds",
    ),
    Rule(
        name="PodCrashLooping",
        query=(
            "sum by (service, namespace)"
            " (increase(kube_pod_container_status_restarts_total[2m])) > 0"
        ),
        for_seconds=0.0,
        keep_firing_seconds=0.0,
        severity="critical",
        summary="Containers of {service} restart",
        description="Containers of {service} restarted about {value} times in two minutes.",
        unit="count",
    ),
    Rule(
        name="DBPoolSaturated",
        query=(
            "max by (service, namespace)"
            " (db_pool_connections_in_use / db_pool_connections_max) > 0.9"
        ),
        for_seconds=10.0,
        keep_firing_seconds=20.0,
        severity="warning",
        summary="The database connection pool of {service} is full",
        description="{value} of the connections in a pool of {service} are in use.",
        unit="percent",
    ),
    Rule(
        name="PostgresSlow",
        query=(
            "histogram_quantile(0.95, sum by (namespace, le)"
            ' (rate(client_request_duration_seconds_bucket{peer="postgres"}[20s]))) > 0.5'
        ),
        for_seconds=5.0,
        keep_firing_seconds=20.0,
        severity="warning",
        summary="Statements take long: 95th percentile {value}",
        description="Callers wait {value} or more for the slowest 5 % of their statements.",
        unit="seconds",
        labels={"service": "postgres"},
    ),
)  # fmt: skip


@dataclass
class Alert:
    """One active series of a rule. Times in epoch seconds; `ended_at` is set when resolved."""

    labels: dict[str, str]
    annotations: dict[str, str]
    generator_url: str
    pending_since: float
    last_true_at: float
    fired_at: float | None = None
    ended_at: float | None = None


def _words(value: float, unit: str) -> str:
    if unit == "percent":
        return f"{value * 100:.1f} %"
    return f"{value:.2f} s" if unit == "seconds" else f"{value:.0f}"


class Evaluator:
    """Evaluates the rules; remembers what is pending and firing between evaluations."""

    def __init__(self, tsdb: Tsdb, rules: tuple[Rule, ...] = RULES) -> None:
        self._tsdb = tsdb
        self._rules = rules
        self._active: dict[tuple[str, tuple[tuple[str, str], ...]], Alert] = {}

    def evaluate(self, at: float) -> list[Alert]:
        """Evaluate all rules at epoch second `at`; returns alerts that fire or just resolved."""
        answer: list[Alert] = []
        for rule in self._rules:
            seen = set()
            for found, value in promql.instant(self._tsdb, rule.query, at):
                labels = {**found, **rule.labels}
                labels.pop("__name__", None)
                labels |= {"alertname": rule.name, "severity": rule.severity}
                key = (rule.name, tuple(sorted(labels.items())))
                seen.add(key)
                alert = self._active.get(key)
                if alert is None:
                    url = GENERATOR_URL.format(query=quote(rule.query))
                    alert = self._active[key] = Alert(labels, {}, url, at, at)
                words = {"service": labels.get("service", ""), "value": _words(value, rule.unit)}
                alert.last_true_at = at
                alert.annotations = {
                    "summary": rule.summary.format(**words),
                    "description": rule.description.format(**words),
                    "runbook_url": RUNBOOK_URL.format(name=rule.name),
                }
                if alert.fired_at is None and at - alert.pending_since >= rule.for_seconds:
                    alert.fired_at = at
            answer += self._settle(rule, seen, at)
        return answer

    def firing(self) -> list[Alert]:
        """What fires as of the last evaluation."""
        return [alert for alert in self._active.values() if alert.fired_at is not None]

    def _settle(
        self, rule: Rule, seen: set[tuple[str, tuple[tuple[str, str], ...]]], at: float
    ) -> list[Alert]:
        """Drop what is no longer true; returns this rule's firing and just resolved alerts."""
        told = []
        for key, alert in list(self._active.items()):
            if key[0] != rule.name:
                continue
            if key not in seen and (
                alert.fired_at is None or at - alert.last_true_at > rule.keep_firing_seconds
            ):
                del self._active[key]
                alert.ended_at = at
            if alert.fired_at is not None:
                told.append(alert)
        return told
