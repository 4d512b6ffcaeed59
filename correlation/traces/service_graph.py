"""Who calls whom, as sampled spans show it: edges, and what their calls were like. Pure.

A span whose parent belongs to another service is a call between the two. A client or producer
span without a traced child is a call to what its attributes name: an uninstrumented database,
a broker, a server that keeps no traces.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from correlation.telemetry import Span

Edge = tuple[str, str]
"""(caller, callee)."""

CALLING = ("client", "producer")

NAMES = (
    "peer.service", "service.peer.name", "db.name", "db.namespace", "db.system.name", "db.system",
    "messaging.destination.name", "messaging.destination", "messaging.system", "rpc.service",
)  # fmt: skip
HOSTS = ("server.address", "net.peer.name", "http.host", "url.full", "http.url")
PEER_ATTRIBUTES = (*NAMES, *HOSTS)
"""What of a client span may say whom it called, the surest first."""

_CLUSTER = re.compile(r"^([^.]+)\.[^.]+\.svc(\..*)?$")


@dataclass(frozen=True)
class EdgeStatistics:
    """Sampled calls of one edge; `seconds` is the median duration as the caller saw it."""

    calls: int
    failed: int
    seconds: float


def edges(spans: Iterable[Span]) -> tuple[Edge, ...]:
    """The edges the spans show, in name order."""
    return tuple(edge_statistics(spans))


def edge_statistics(spans: Iterable[Span]) -> dict[Edge, EdgeStatistics]:
    """Calls by edge, in name order; a call is counted once however often it was sampled."""
    by_id = {(span.trace_id, span.span_id): span for span in spans}
    calls: dict[Edge, dict[tuple[str, str], tuple[bool, float]]] = {}
    answered = set()
    for span in by_id.values():
        caller = by_id.get((span.trace_id, span.parent_id)) if span.parent_id else None
        if caller is None or not caller.service or not span.service:
            continue
        if caller.service == span.service:
            continue
        seen = caller if caller.kind in CALLING else span
        key = (seen.trace_id, seen.span_id)
        answered.add(key)
        edge = calls.setdefault((caller.service, span.service), {})
        edge[key] = (span.failed or caller.failed, seen.seconds)
    for key, span in by_id.items():
        alone = span.kind in CALLING and key not in answered
        if alone and span.service and span.peer and span.peer != span.service:
            calls.setdefault((span.service, span.peer), {})[key] = (span.failed, span.seconds)
    return {
        edge: EdgeStatistics(
            len(seen), sum(bad for bad, _ in seen.values()), median(s for _, s in seen.values())
        )
        for edge, seen in sorted(calls.items())
    }


def peer_of(attributes: Mapping[str, str], service_named: Callable[[str], str]) -> str:
    """Whom a client span called, "" when it does not say.

    `service_named` gives the known service a name means, or "". An attribute that names one
    comes first; else a host name stands for itself (never an address: those come and go).
    """
    hosts = []
    for name in PEER_ATTRIBUTES:
        value = attributes.get(name, "")
        if not value:
            continue
        spellings = _spellings(value) if name in HOSTS else (value,)
        for spelling in spellings:
            if known := service_named(spelling):
                return known
        if name in HOSTS and spellings:
            hosts.append(spellings[-1])
    return next((host for host in hosts if not _is_address(host)), "")


def _spellings(value: str) -> tuple[str, ...]:
    """A host as written, without scheme and port, its first label, and as it is best called.

    The last one is the service's name of a Kubernetes address, the whole host of any other.
    """
    host = re.sub(r"^[a-z][a-z0-9+.-]*://", "", value.strip(), flags=re.IGNORECASE)
    host = host.partition("/")[0].rpartition("@")[2].lower()
    host = host.removeprefix("[").partition("]")[0] if "[" in host else host
    if host.count(":") == 1:
        host = host.partition(":")[0]
    host = host.rstrip(".")
    if not host:
        return ()
    if _is_address(host):
        return (host,)
    inside = _CLUSTER.match(host)
    return (host, host.partition(".")[0], inside[1] if inside else host)


def _is_address(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
