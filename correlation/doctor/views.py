"""What one source shows of one service, and what to do about what it does not. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from correlation.cluster.state import RUNNING
from correlation.discovery.names import alike
from correlation.doctor.looking import Look
from correlation.doctor.profiles_in_use import in_use
from correlation.sources import Scope
from correlation.telemetry import SIGNALS, LogLine

State = Literal["found", "nothing", "unavailable"]

WANTED = ("request_rate", "error_ratio")
"""Signals every service that answers requests should have, beside one of latency."""
LATENCIES = ("latency_p50", "latency_p95", "latency_p99", "latency_mean")
_OF_REQUESTS = frozenset(
    name
    for name in SIGNALS
    if name in (*WANTED, *LATENCIES) or name.startswith(("client_", "callee_", "pool_"))
)
NAMES_SHOWN = 8


@dataclass(frozen=True)
class View:
    """`facts` are JSON by kind (docs/telemetry.md, "Doctor"), `called` the names asked for.

    `advice` are sentences: what is missing and what to do about it.
    """

    source: str
    kind: str
    state: State
    called: tuple[str, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    advice: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "kind": self.kind,
            "state": self.state,
            "called": list(self.called),
            **self.facts,
            "advice": list(self.advice),
        }


def view(look: Look, service: str, scope: Scope) -> View:
    """What the source shows of the service within the look's window."""
    kind = look.source.kind
    called = scope.names_of(service, kind)
    if look.status.status in ("unavailable", "not_configured"):
        return View(look.source.slug, kind, "unavailable", called)
    found, facts, advice = _VIEWS[kind](look, service, scope)
    return View(
        look.source.slug, kind, "found" if found else "nothing", called, facts, tuple(advice)
    )


Told = tuple[bool, dict[str, Any], list[str]]


def _metrics(look: Look, service: str, scope: Scope) -> Told:
    now = look.window[1]
    own = [one for one in look.telemetry.series if one.service == service]
    by_signal: dict[str, list[Any]] = {}
    for one in own:
        by_signal.setdefault(one.signal, []).append(one)
    signals = []
    for signal, series in by_signal.items():
        latest = max(series, key=lambda one: float(one.times[-1]))
        signals.append(
            {
                "signal": signal,
                "value": finite(float(latest.values[-1])),
                "unit": latest.unit,
                "age_seconds": _age(now, float(latest.times[-1])),
                "peers": sorted({one.peer for one in series if one.peer}),
                "query": latest.query,
            }
        )
    used = in_use(look.source, scope, service, own)
    facts = {
        "profiles": [{"name": name, "because": why} for name, why in used.because.items()],
        "signals": signals,
        "missing": sorted(used.signals - by_signal.keys() - _not_expected(service, scope)),
    }
    if not own:
        return False, facts, [_not_named(look, service, scope, _metric_names(look, scope))]
    advice = []
    if _serves(service, scope):
        lacking = [name for name in WANTED if name not in by_signal]
        lacking += [] if by_signal.keys() & set(LATENCIES) else ["latency"]
        if lacking:
            advice.append(
                f"no {', '.join(lacking)}: no profile in use reads it for this service; name "
                "its profile or give queries in selectors.prometheus"
            )
    return True, facts, advice


def _not_expected(service: str, scope: Scope) -> frozenset[str]:
    """A database, cache or queue counts no requests of its own; whoever calls it does."""
    return frozenset() if _serves(service, scope) else _OF_REQUESTS


def _serves(service: str, scope: Scope) -> bool:
    return scope.roles.get(service, "service") == "service"


def _metric_names(look: Look, scope: Scope) -> list[str]:
    return sorted({one.service for one in look.telemetry.series} - set(scope.services))


def _logs(look: Look, service: str, scope: Scope) -> Told:
    now = look.window[1]
    read = [
        line
        for line in look.telemetry.logs
        if line.service == service and look.window[0] <= line.at <= now
    ]
    counted: Counter[str] = Counter()
    for (name, level), count in look.inventory.lines.items():
        if scope.service_named(name, "loki") == service:
            counted[level] += count
    exact = bool(look.inventory.lines)
    levels = counted if exact else _levels(read)
    facts = {
        "lines": sum(levels.values()),
        "counted": exact,
        "levels": {level or "none": count for level, count in sorted(levels.items())},
        "newest_age_seconds": _age(now, max((line.at for line in read), default=None)),
        "labels": list(look.inventory.log_labels),
    }
    if levels:
        only_unknown = not any(level for level in levels)
        advice = (
            ["no line has a level: errors are found by their words; set level_label"]
            if only_unknown
            else []
        )
        return True, facts, advice
    known = [name for names in look.inventory.names.values() for name in names]
    strangers = [name for name in known if _stranger(name, "loki", scope)]
    return False, facts, [_not_named(look, service, scope, strangers)]


def _levels(lines: Iterable[LogLine]) -> Counter[str]:
    return Counter(line.level for line in lines)


def _traces(look: Look, service: str, scope: Scope) -> Told:
    own = [
        span
        for span in look.telemetry.spans
        if span.service == service and look.window[0] <= span.start <= look.window[1]
    ]
    failed = sum(span.failed for span in own)
    usual = [span for span in own if span.sampled_as in ("usual", "baseline")]
    edges = look.telemetry.edges
    ratio = next(
        (
            finite(float(one.values[-1]))
            for one in look.telemetry.series
            if one.service == service and one.signal == "error_ratio"
        ),
        None,
    )
    known = [name for names in look.inventory.names.values() for name in names]
    listed = any(scope.service_named(name, "tempo") == service for name in known)
    facts = {
        "spans": len(own),
        "failed_spans": failed,
        "failed_share": (
            round(sum(span.failed for span in usual) / len(usual), 4) if usual else None
        ),
        "error_ratio": ratio,
        "newest_age_seconds": _age(look.window[1], max((s.start for s in own), default=None)),
        "calls": sorted({callee for caller, callee in edges if caller == service}),
        "called_by": sorted({caller for caller, callee in edges if callee == service}),
    }
    if own or listed or facts["calls"] or facts["called_by"]:
        return True, facts, []
    strangers = [name for name in known if _stranger(name, "tempo", scope)]
    return False, facts, [_not_named(look, service, scope, strangers)]


def _cluster(look: Look, service: str, scope: Scope) -> Told:
    pods = [pod for pod in look.inventory.pods if pod.service == service]
    states = [
        one for one in look.telemetry.workloads if one.service == service and one.reason != RUNNING
    ]
    changes = [
        one
        for one in look.telemetry.changes
        if one.service == service and one.source == look.source.slug
    ]
    facts = {
        "pods_ready": sum(pod.ready for pod in pods),
        "pods_total": len(pods),
        "restarts": sum(pod.restarts for pod in pods),
        "namespaces": sorted({pod.namespace for pod in pods}),
        "trouble": [
            {"workload": one.workload, "reason": one.reason, "count": one.count} for one in states
        ],
        "changes": [one.title for one in changes],
    }
    if pods or states or changes:
        return True, facts, []
    strangers = sorted({p.service for p in look.inventory.pods if p.service} - set(scope.services))
    return False, facts, [_not_named(look, service, scope, strangers)]


def _stranger(name: str, kind: str, scope: Scope) -> bool:
    return scope.service_named(name, kind) not in scope.services


def _not_named(look: Look, service: str, scope: Scope, strangers: Sequence[str]) -> str:
    """Nothing of a service: what the source calls things, and which setting would help."""
    kind = look.source.kind
    asked = " or ".join(f"`{name}`" for name in scope.names_of(service, kind))
    thing, setting = _WORDS[kind]
    sentence = f"{thing} matches {asked}"
    if kind == "kubernetes" and (place := scope.found_as.get(service)) and place.namespace:
        sentence += f" in namespace {place.namespace}"
    names = list(dict.fromkeys(strangers))
    likely = alike(service, names)[:3]
    if likely:
        return f"{sentence}; is it {' or '.join(f'`{one}`' for one in likely)}? Set {setting}"
    if not names:
        return f"{sentence}, and every name it knows is another service's: {_SILENT[kind]}"
    shown = ", ".join(names[:NAMES_SHOWN])
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"{sentence}; others there: {shown}{more}. Set {setting}"


def _age(now: float, at: float | None) -> float | None:
    return None if at is None else round(max(0.0, now - at), 1)


def finite(value: float) -> float | None:
    """The number to six figures, None for NaN and infinity: JSON has neither."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


_WORDS = {
    "prometheus": ("no metric's service label", "selectors.prometheus.names"),
    "loki": ("no stream's service label", "selectors.loki.names"),
    "tempo": ("no resource.service.name", "selectors.tempo.names"),
    "kubernetes": (
        "no pod label or workload name",
        "selectors.kubernetes.names or label_selector",
    ),
}
_SILENT = {
    "prometheus": "is it scraped?",
    "loki": "does it write logs, and are they collected?",
    "tempo": "does it send traces?",
    "kubernetes": "does it run in this cluster?",
}
_VIEWS: dict[str, Callable[[Look, str, Scope], Told]] = {
    "prometheus": _metrics,
    "loki": _logs,
    "tempo": _traces,
    "kubernetes": _cluster,
}
