"""What was found, arranged by service and call: who shows symptoms, and who may answer for them."""

from __future__ import annotations

from collections.abc import Iterable

from correlation.evidence import Key, Movement
from correlation.magnitude import hill
from correlation.metrics.excess import own_excess
from correlation.steps.blame import RequestFindings
from correlation.telemetry import Evidence, Telemetry

SOLE_CALLER = 0.6
"""Blame a silent peer gets when its only caller complains: nobody else can confirm it."""

FRESH_STATE_SECONDS = 30.0
STATE_SIGNALS = ("restarts", "replicas_ready")

SERVER_SIGNALS = ("error_ratio", "latency_p95", "latency_p99", "latency_p50", "latency_mean")


FEWEST_TO_SHARE = 6
"""With fewer services to compare with, a share of a rise says little."""


class Graph:
    """Movements, logs and workload states arranged by service and edge."""

    def __init__(
        self,
        telemetry: Telemetry,
        found: dict[Key, Movement],
        logs: list[Evidence],
        workloads: list[Evidence],
        traces: Iterable[Evidence] = (),
        requests: RequestFindings | None = None,
    ) -> None:
        self.roles = telemetry.roles
        self.found = found
        self._rises: dict[str, tuple[dict[str, float], float]] = {}
        self.logs: dict[str, list[Evidence]] = {}
        for item in logs:
            self.logs.setdefault(item.service, []).append(item)
        self.workloads: dict[str, list[Evidence]] = {}
        for item in workloads:
            self.workloads.setdefault(item.service, []).append(item)
        self.traces = tuple(traces)
        self.requests = requests or RequestFindings(onset=telemetry.window[0])
        excess = own_excess(telemetry, found)
        self.excess, self.akin = excess.own, excess.akin
        edges = set(telemetry.edges)
        edges |= {(service, peer) for service, _, peer in found if peer}
        edges |= {(item.service, item.peer) for item in self.traces if item.peer}
        if not edges:  # no graph at all: error lines that name another service stand in for it
            edges = {
                (item.service, name)
                for item in logs
                if item.details["level"] in ("error", "fatal", "warn", "")
                for name in item.details["names"]
            }
        self.callees: dict[str, list[str]] = {}
        self.callers: dict[str, list[str]] = {}
        for caller, callee in sorted(edges):
            if caller != callee:
                self.callees.setdefault(caller, []).append(callee)
                self.callers.setdefault(callee, []).append(caller)
        names = {key[0] for key in found} | set(self.logs) | set(self.workloads)
        names |= {item.service for item in self.traces}
        self.services = sorted(names | {name for edge in edges for name in edge})

    def confidence(self, service: str, signal: str, peer: str | None = None) -> float:
        movement = self.found.get((service, signal, peer))
        return movement.confidence if movement else 0.0

    def rises(self, service: str, signal: str, peer: str | None = None) -> float:
        """Confidence that the signal went up."""
        movement = self.found.get((service, signal, peer))
        rose = movement and movement.effect and movement.effect.sign > 0
        return movement.confidence if movement and rose else 0.0

    def falls(self, service: str, signal: str, peer: str | None = None) -> float:
        movement = self.found.get((service, signal, peer))
        fell = movement and movement.effect and movement.effect.sign < 0
        return movement.confidence if movement and fell else 0.0

    def share_of_rise(self, service: str, signal: str) -> float | None:
        """Of all services' rises of `signal`, the service's share 0..1; None with few of them."""
        if signal not in self._rises:
            rises = {
                key[0]: max(movement.change, 0.0) if movement.confidence > 0.0 else 0.0
                for key, movement in self.found.items()
                if key[1] == signal and key[2] is None
            }
            self._rises[signal] = rises, sum(rises.values())
        rises, total = self._rises[signal]
        if len(rises) < FEWEST_TO_SHARE or total <= 0.0:
            return None
        return rises.get(service, 0.0) / total

    def has_server_signals(self, service: str) -> bool:
        return any((service, signal, None) in self.found for signal in SERVER_SIGNALS)

    def measured(self, caller: str, callee: str) -> bool:
        return any(
            (caller, signal, callee) in self.found
            for signal in ("client_error_ratio", "client_latency_p95")
        )

    def edge_errors(self, caller: str, callee: str) -> float:
        return self.confidence(caller, "client_error_ratio", callee)

    def edge_latency(self, caller: str, callee: str) -> float:
        return self.confidence(caller, "client_latency_p95", callee)

    def edge_bad(self, caller: str, callee: str) -> float:
        return max(self.edge_errors(caller, callee), self.edge_latency(caller, callee))

    def server_symptom(self, service: str) -> float:
        return max(self.confidence(service, signal) for signal in SERVER_SIGNALS)

    def state(self, service: str) -> float:
        """Restarts, missing replicas, and what the orchestrator says: 0..1."""
        reported = [item.confidence for item in self.workloads.get(service, [])]
        return max(
            self.confidence(service, "restarts"),
            self.confidence(service, "oom_kills"),
            self.confidence(service, "replicas_ready"),
            *reported,
            0.0,
        )

    def just_broken(self, service: str) -> float:
        """Its state while that is so new that failed calls to it are not counted yet: 0..1.

        A counter's first failure has no rate before its second sample, and a rate trails by its
        window: for FRESH_STATE_SECONDS calm edges do not clear a service whose pods restart.
        """
        moved = (self.found.get((service, signal, None)) for signal in STATE_SIGNALS)
        ages = [m.effect.duration_seconds for m in moved if m and m.effect]
        return self.state(service) if ages and max(ages) <= FRESH_STATE_SECONDS else 0.0

    def responsible(self, caller: str, callee: str) -> float:
        """How far `callee` (or what lies beneath it) is to answer for a bad edge from `caller`."""
        state = self.state(callee)
        others = [
            name
            for name in self.callers.get(callee, [])
            if name != caller and self.measured(name, callee)
        ]
        agreeing = max((self.edge_bad(name, callee) for name in others), default=0.0)
        if others:
            agreeing *= hill(
                sum(self.edge_bad(name, callee) for name in others) / len(others), 0.3, 3.0
            )
        if self.has_server_signals(callee):
            return max(self.server_symptom(callee), state, agreeing)
        if others:
            return max(agreeing, state)
        return max(SOLE_CALLER, state)

    def rate(self, service: str, signal: str, peer: str | None = None) -> float | None:
        movement = self.found.get((service, signal, peer))
        return movement.level if movement else None
