"""Which evidence speaks for a suspect, and which it leaves unexplained. Pure."""

from __future__ import annotations

from correlation.blame import Suspect
from correlation.symptoms import Graph
from correlation.telemetry import Change, Evidence

MAX_SUPPORTING = 16
STRONG = 0.6
"""Confidence from which evidence elsewhere speaks against a cause that does not explain it."""

FOLLOWS_TRAFFIC = ("request_rate", "client_request_rate", "cpu", "memory")
"""Signals that move with anybody's trouble: unexplained, they speak against nobody."""


def supporting(
    suspect: Suspect, graph: Graph, evidence: list[Evidence], change: Change | None
) -> tuple[str, ...]:
    """Keys of the suspect's own evidence, then its callers' view of it, then its victims."""
    service = suspect.service
    weak = weak_keys(suspect)
    victims = upstream(service, graph)
    own, seen, suffered = [], [], []
    for item in evidence:
        if item.type == "change":
            if change is not None and item.details["change"] == change.id:
                own.append(item.key)
        elif item.peer == service:
            seen.append(item.key)
        elif item.service == service and item.peer is None and item.key not in weak:
            own.append(item.key)
        elif (
            item.type == "metric"
            and item.confidence >= 0.5
            and item.service in victims
            and (item.peer is None or item.peer in victims)
        ):
            suffered.append(item.key)
    return tuple([*own, *seen, *suffered][:MAX_SUPPORTING])


def contradicting(suspect: Suspect, graph: Graph, evidence: list[Evidence]) -> tuple[str, ...]:
    """Strong evidence this cause leaves unexplained: elsewhere, and not on a caller's path."""
    covered = upstream(suspect.service, graph) | {suspect.service}
    return tuple(
        item.key
        for item in evidence
        if item.confidence >= STRONG
        and item.type != "change"
        and item.service not in covered
        and item.signal not in FOLLOWS_TRAFFIC
    )[:MAX_SUPPORTING]


def own_evidence(suspect: Suspect, evidence: list[Evidence]) -> list[Evidence]:
    """The suspect's evidence as it or its callers show it, strongest first, one a kind of signal.

    Latencies are one kind of signal; lines and traces are, each, another.
    """
    weak = weak_keys(suspect)
    told: dict[str, Evidence] = {}
    for item in evidence:
        own = item.service == suspect.service and not item.peer
        if item.type != "change" and item.key not in weak and (own or item.peer == suspect.service):
            told.setdefault("latency" if "latency" in item.signal else item.signal, item)
    return list(told.values())


def weak_keys(suspect: Suspect) -> set[str]:
    """Keys of lines and traces that mostly say something about somebody else."""
    judged = [*suspect.logs, *suspect.traces]
    return {item.key for item, worth in judged if worth < 0.5 * item.confidence}


def upstream(service: str, graph: Graph) -> set[str]:
    """Everybody who calls `service`, directly or not."""
    seen: set[str] = set()
    queue = [service]
    while queue:
        for name in graph.callers.get(queue.pop(), []):
            if name not in seen and name != service:
                seen.add(name)
                queue.append(name)
    return seen
