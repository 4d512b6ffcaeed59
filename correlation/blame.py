"""Who failed on its own account: victims separated from culprits along the call graph.

For each service, signals are grouped into kinds of own evidence (errors, latency, pool, state,
cpu, memory, logs, callers' view, network, traffic). Each group takes the strongest of its
signals, is discounted by how much a failing callee explains it, and the groups are fused with a
noisy-or, so several weak signals of one kind do not add up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from correlation.magnitude import hill
from correlation.metrics.silence import PROCESS_REPORTS, REQUEST_REPORTS
from correlation.symptoms import SERVER_SIGNALS, SOLE_CALLER, Graph
from correlation.telemetry import Evidence

WEIGHTS = {
    "errors": 0.85, "latency": 0.65, "pool": 0.80, "state": 0.90, "cpu": 0.45, "memory": 0.40,
    "logs": 0.65, "callers": 0.85, "network": 0.55, "traffic": 0.40,
    "traces": 0.55, "time": 0.80, "course": 0.75, "excess": 0.90,
}  # fmt: skip
"""How much a certain signal of each group alone says "this service failed by itself"."""

UNSEEN = 0.7
"""A process that is no longer measured is gone, or what measures it is."""


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
    if (
        service in graph.requests.compared or graph.excess
    ):  # told apart request by request, not by levels
        slow = failing = share = suspect.explained = 0.0
        suspect.explained_by = None
    explained = max(slow, failing)
    incoming = [
        (caller, graph.edge_bad(caller, service))
        for caller in graph.callers.get(service, [])
        if graph.measured(caller, service)
    ]
    seen_bad = max((bad for _, bad in incoming), default=0.0)
    suspect.symptom = max(
        graph.server_symptom(service),
        seen_bad,
        *(worths.get(service, 0.0) for worths in graph.requests.by_kind()),
    )
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
    stopped = max(graph.falls(service, "request_rate"), graph.confidence(service, REQUEST_REPORTS))
    feature["silence"] = stopped if seen_bad > 0.3 else 0.0
    feature["unseen"] = graph.confidence(service, PROCESS_REPORTS)
    surge = graph.rises(service, "request_rate")
    above = max(
        (graph.rises(caller, "request_rate") for caller in graph.callers.get(service, [])),
        default=0.0,
    )
    feature["traffic_surge"] = surge * (1.0 - above) * (1.0 - explained)
    _callers_view(graph, service, suspect, incoming, explained)
    _own_logs(graph, service, suspect, slow, failing)
    _own_traces(graph, service, suspect, slow, failing)
    requests = graph.requests
    feature["request_time"] = requests.time.get(service, 0.0)
    feature["request_lines"] = requests.lines.get(service, 0.0)
    feature["request_calls"] = requests.calls.get(service, 0.0)
    feature["request_cuts"] = requests.cuts.get(service, 0.0)
    feature["own_excess"] = graph.excess.get(service, 0.0)
    if graph.excess:  # the same signals, with what callees add taken out
        feature["own_errors"] = feature["own_latency"] = 0.0
    suspect.groups = {
        "excess": feature["own_excess"],
        "time": feature["request_time"],
        "course": max(
            feature["request_lines"], feature["request_cuts"], 0.8 * feature["request_calls"]
        ),
        "errors": feature["own_errors"],
        "latency": feature["own_latency"],
        "pool": feature["pool"],
        "state": max(feature["state"], UNSEEN * feature["unseen"]) * (1.0 - 0.4 * slow),
        "cpu": max(feature["cpu_saturation"], _own_cpu(graph, service)) * (1.0 - 0.6 * explained),
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
    if service in graph.requests.compared:
        return 0.0
    left = 0.5 if graph.requests.compared else 1.0  # outside of what requests were seen to pass
    left *= (1.0 - 0.9 * slow) * (1.0 - 0.8 * failing)
    if (service, "self_time", None) in graph.found:
        whole = graph.found.get((service, "latency_mean", None))
        mine = graph.found[service, "self_time", None]
        rise = whole.change if whole else 0.0
        share = mine.change / rise if rise > 0.0 else 1.0  # a small difference of two large ones
        return mine.confidence * left * min(1.0, max(0.0, (share - 0.1) / 0.3))
    return 0.85 * max(graph.confidence(service, signal) for signal in SERVER_SIGNALS[1:]) * left


def _own_cpu(graph: Graph, service: str) -> float:
    """CPU use counts by its share of all that CPU use rose by: the rest is work passed on."""
    share = graph.share_of_rise(service, "cpu")
    return graph.rises(service, "cpu") * (0.6 if share is None else 0.2 + 0.8 * share)


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
