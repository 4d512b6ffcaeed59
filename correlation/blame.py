"""Who failed on its own account: victims separated from culprits along the call graph.

For each service, signals are grouped into kinds of own evidence (errors, latency, pool, state,
cpu, memory, logs, callers' view, network, traffic). Each group takes the strongest of its
signals, is discounted by how much a failing callee explains it, and the groups are fused with a
noisy-or, so several weak signals of one kind do not add up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from correlation.evidence import Key, Movement
from correlation.magnitude import hill
from correlation.telemetry import Evidence, Telemetry

WEIGHTS = {
    "errors": 0.85, "latency": 0.65, "pool": 0.80, "state": 0.90, "cpu": 0.45, "memory": 0.40,
    "logs": 0.65, "callers": 0.85, "network": 0.55, "traffic": 0.40,
    "traces": 0.55,
}  # fmt: skip
"""How much a certain signal of each group alone says "this service failed by itself"."""

SOLE_CALLER = 0.6
"""Blame a silent peer gets when its only caller complains: nobody else can confirm it."""

FRESH_STATE_SECONDS = 30.0
STATE_SIGNALS = ("restarts", "replicas_ready")

_SERVER = ("error_ratio", "latency_p95", "latency_p99", "latency_p50", "latency_mean")


@dataclass
class Suspect:
    """One service: own evidence by group (0..1), what its callees explain, its symptoms."""

    service: str
    groups: dict[str, float] = field(default_factory=dict)
    features: dict[str, float] = field(default_factory=dict)
    logs: list[tuple[Evidence, float]] = field(default_factory=list)
    traces: list[tuple[Evidence, float]] = field(default_factory=list)
    explained: float = 0.0
    explained_by: str | None = None
    symptom: float = 0.0
    own: float = 0.0


class Graph:
    """Movements, logs and workload states arranged by service and edge."""

    def __init__(
        self,
        telemetry: Telemetry,
        found: dict[Key, Movement],
        logs: list[Evidence],
        workloads: list[Evidence],
        traces: Iterable[Evidence] = (),
    ) -> None:
        self.roles = telemetry.roles
        self.found = found
        self.logs: dict[str, list[Evidence]] = {}
        for item in logs:
            self.logs.setdefault(item.service, []).append(item)
        self.workloads: dict[str, list[Evidence]] = {}
        for item in workloads:
            self.workloads.setdefault(item.service, []).append(item)
        self.traces = tuple(traces)
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

    def has_server_signals(self, service: str) -> bool:
        return any((service, signal, None) in self.found for signal in _SERVER)

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
        return max(self.confidence(service, signal) for signal in _SERVER)

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


def suspects(graph: Graph) -> dict[str, Suspect]:
    """Every service with its own evidence, in name order."""
    judged = {service: _judge(graph, service) for service in graph.services}
    for suspect in judged.values():
        product = 1.0
        for group in sorted(suspect.groups):
            product *= 1.0 - WEIGHTS[group] * suspect.groups[group]
        suspect.own = 1.0 - product
    return judged


def _judge(graph: Graph, service: str) -> Suspect:
    suspect = Suspect(service)
    slow, failing, share = _explained(graph, service, suspect)
    explained = max(slow, failing)
    incoming = [
        (caller, graph.edge_bad(caller, service))
        for caller in graph.callers.get(service, [])
        if graph.measured(caller, service)
    ]
    seen_bad = max((bad for _, bad in incoming), default=0.0)
    suspect.symptom = max(graph.server_symptom(service), seen_bad)
    unexplained_errors = min(1.0, max(0.0, (1.0 - share - 0.15) / 0.6)) * (1.0 - 0.9 * slow)
    feature = suspect.features
    feature["own_errors"] = graph.confidence(service, "error_ratio") * unexplained_errors
    feature["own_latency"] = _own_latency(graph, service, slow, failing)
    feature["pool"] = max(
        graph.rises(service, "pool_waiting"), 0.9 * graph.rises(service, "pool_saturation")
    ) * (1.0 - 0.9 * slow)
    feature["restarts"] = graph.confidence(service, "restarts")
    feature["replicas_lost"] = graph.confidence(service, "replicas_ready")
    feature["state"] = graph.state(service)
    feature["cpu_saturation"] = max(
        graph.rises(service, "cpu_saturation"),
        graph.rises(service, "cpu_throttling"),
        graph.rises(service, "event_loop_lag"),
    )
    feature["cpu"] = graph.rises(service, "cpu")
    feature["memory_saturation"] = graph.rises(service, "memory_saturation")
    feature["memory"] = graph.rises(service, "memory")
    feature["silence"] = graph.falls(service, "request_rate") if seen_bad > 0.3 else 0.0
    surge = graph.rises(service, "request_rate")
    above = max(
        (graph.rises(caller, "request_rate") for caller in graph.callers.get(service, [])),
        default=0.0,
    )
    feature["traffic_surge"] = surge * (1.0 - above) * (1.0 - explained)
    _callers_view(graph, service, suspect, incoming, explained)
    _own_logs(graph, service, suspect, slow, failing)
    _own_traces(graph, service, suspect, slow, failing)
    suspect.groups = {
        "errors": feature["own_errors"],
        "latency": feature["own_latency"],
        "pool": feature["pool"],
        "state": feature["state"] * (1.0 - 0.4 * slow),
        "cpu": max(feature["cpu_saturation"], 0.6 * feature["cpu"]) * (1.0 - 0.6 * explained),
        "memory": max(feature["memory_saturation"], 0.5 * feature["memory"])
        * (1.0 - 0.6 * explained),
        "logs": feature["own_logs"],
        "callers": max(feature["callers_latency"], feature["callers_errors"], feature["silence"]),
        "network": feature["network"],
        "traffic": feature["traffic_surge"] * max(suspect.symptom, 0.3),
        "traces": max(
            feature["trace_errors"],
            0.8 * feature["trace_slow"],
            feature["trace_refused"],
            0.8 * feature["trace_waited"],
        ),
    }
    return suspect


def _explained(graph: Graph, service: str, suspect: Suspect) -> tuple[float, float, float]:
    """(slow callees, failing callees, share of own errors they account for), each 0..1."""
    slow = failing = 0.0
    mine = graph.found.get((service, "error_ratio", None))
    my_rise = max(mine.change, 0.0) if mine else 0.0
    my_rate = graph.rate(service, "request_rate")
    passed_on = 0.0
    for callee in graph.callees.get(service, []):
        if graph.measured(service, callee):
            blame = graph.responsible(service, callee)
            by_latency = graph.edge_latency(service, callee) * blame
            by_errors = graph.edge_errors(service, callee) * blame
            edge = graph.found.get((service, "client_error_ratio", callee))
            rise = max(edge.change, 0.0) * blame if edge else 0.0
            broken = graph.just_broken(callee)
            by_errors, rise = max(by_errors, 0.85 * broken), max(rise, my_rise * broken)
            calls = 0.0 if broken else graph.rate(service, "client_request_rate", callee)
        else:
            by_latency = by_errors = 0.0
            symptom = max(graph.server_symptom(callee), graph.state(callee))
            theirs = graph.found.get((callee, "error_ratio", None))
            rise = max(theirs.change, 0.0) if theirs else 0.0
            calls = graph.rate(callee, "request_rate")
            by_errors = 0.85 * max(graph.confidence(callee, "error_ratio"), graph.state(callee))
            by_latency = 0.85 * symptom if symptom > by_errors / 0.85 else 0.0
        passed_on += rise * (calls / my_rate if calls and my_rate else 1.0)
        slow, failing = max(slow, by_latency), max(failing, by_errors)
        if max(by_latency, by_errors) > suspect.explained:
            suspect.explained, suspect.explained_by = max(by_latency, by_errors), callee
    share = min(1.0, passed_on / my_rise) if my_rise > 0.0 else 0.0
    return slow, failing, share


def _own_latency(graph: Graph, service: str, slow: float, failing: float) -> float:
    left = (1.0 - 0.9 * slow) * (1.0 - 0.8 * failing)
    if (service, "self_time", None) in graph.found:
        whole = graph.found.get((service, "latency_mean", None))
        mine = graph.found[service, "self_time", None]
        rise = whole.change if whole else 0.0
        share = mine.change / rise if rise > 0.0 else 1.0  # a small difference of two large ones
        return mine.confidence * left * min(1.0, max(0.0, (share - 0.1) / 0.3))
    return 0.85 * max(graph.confidence(service, signal) for signal in _SERVER[1:]) * left


def _callers_view(
    graph: Graph,
    service: str,
    suspect: Suspect,
    incoming: list[tuple[str, float]],
    explained: float,
) -> None:
    """What callers see of a service that has no server signals, or that sees nothing wrong."""
    feature = suspect.features
    feature["callers_latency"] = feature["callers_errors"] = feature["network"] = 0.0
    if not incoming:
        return
    worst = max(bad for _, bad in incoming)
    agreement = sum(bad for _, bad in incoming) / (len(incoming) * worst) if worst else 0.0
    trust = SOLE_CALLER if len(incoming) == 1 else min(1.0, 1.05 * hill(agreement, 0.5, 4.0))
    trust *= 1.0 - 0.9 * explained
    slow = max(graph.edge_latency(caller, service) for caller, _ in incoming) * trust
    failing = max(graph.edge_errors(caller, service) for caller, _ in incoming) * trust
    if not graph.has_server_signals(service):
        feature["callers_latency"], feature["callers_errors"] = slow, failing
        return
    healthy = 1.0 - graph.server_symptom(service)
    feature["network"] = slow * healthy
    feature["callers_errors"] = failing * healthy * (0.5 + 0.5 * graph.state(service))


def _own_logs(graph: Graph, service: str, suspect: Suspect, slow: float, failing: float) -> None:
    """Templates of the service's own making: not those that only name a failing callee.

    Lines arrive at once and rates a window later, so a callee whose pods restart or are not
    ready explains its callers' lines before the edges show failed calls.
    """
    best = 0.0
    broken = max((graph.state(name) for name in graph.callees.get(service, [])), default=0.0)
    failing = max(failing, broken)
    for item in graph.logs.get(service, []):
        worth = item.confidence
        names = [name for name in item.details["names"] if name in graph.callees.get(service, [])]
        if names:
            blamed = max(_named_guilt(graph, service, name) for name in names)
            worth *= 1.0 - 0.9 * min(1.0, 1.5 * blamed)
        worth *= (1.0 - 0.8 * failing) * (1.0 - 0.7 * slow)
        if item.details["change"] in ("vanished", "fading"):
            worth *= 0.5
        suspect.logs.append((item, worth))
        best = max(best, worth)
    # the store's count of error lines is a view of the same lines: it passes the blame as they do
    read = [
        worth / item.confidence
        for item, worth in suspect.logs
        if item.direction == "up" and item.details["level"] in ("error", "fatal")
    ]
    share = max(read) if read else (1.0 - 0.8 * failing) * (1.0 - 0.7 * slow)
    counted = 0.8 * graph.rises(service, "error_log_rate") * share
    suspect.features["own_logs"] = max(best, counted)


def _own_traces(graph: Graph, service: str, suspect: Suspect, slow: float, failing: float) -> None:
    """Where sampled requests fail first or lose their time: in the service, or on the way to it.

    A failed or slow call with no span of the callee's own is put down to the callee as far as it
    is to answer for the edge, and to the caller for the rest.
    """
    feature = dict.fromkeys(("trace_errors", "trace_slow", "trace_refused", "trace_waited"), 0.0)
    left = (1.0 - 0.8 * failing) * (1.0 - 0.7 * slow)
    for item in graph.traces:
        errors = item.signal == "trace_errors"
        if item.peer and service in (item.service, item.peer):
            callee = graph.responsible(item.service, item.peer)
            name = "trace_refused" if errors else "trace_waited"
            if service == item.service:
                callee, name = 0.5 * (1.0 - callee), "trace_errors" if errors else "trace_slow"
            worth = item.confidence * callee * left
        elif item.service == service:
            name = "trace_errors" if errors else "trace_slow"
            worth = item.confidence * left
        else:
            continue
        suspect.traces.append((item, worth))
        feature[name] = max(feature[name], worth)
    suspect.features |= feature


def _named_guilt(graph: Graph, service: str, name: str) -> float:
    """How likely a line of `service` that names its callee `name` only passes blame on, 0..1."""
    complaints = max(
        (
            item.confidence
            for item in graph.logs.get(name, [])
            if item.details["level"] in ("error", "fatal") and item.direction == "up"
        ),
        default=0.0,
    )
    if graph.measured(service, name):
        edge = graph.edge_bad(service, name) * graph.responsible(service, name)
        return max(edge, complaints)
    return max(graph.server_symptom(name), graph.state(name), complaints, 0.5)
