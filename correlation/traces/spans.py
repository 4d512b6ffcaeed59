"""Tempo's spans in the product's own terms: the catalogue's services, whom a call went to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from correlation.backends.tempo_traces import FoundSpan, FoundTrace, TracedSpan, read_kind
from correlation.sources import Scope
from correlation.telemetry import Span
from correlation.traces.service_graph import CALLING, peer_of
from correlation.traces.trees import MATCHED_ONLY

RESOURCE = ("service.version", "k8s.pod.name", "service.instance.id", "host.name")
OWN = (
    "http.response.status_code", "http.status_code", "rpc.grpc.status_code", "error.type",
    "http.route", "db.system.name", "db.system", "db.namespace", "db.name", "server.address",
    "messaging.destination.name",
)  # fmt: skip

Sampled = Literal["failed", "slow", "usual", "baseline"]


def known_services(scope: Scope) -> frozenset[str]:
    """Every service the catalogue told us of."""
    ends = {service for edge in scope.edges for service in edge}
    return frozenset(scope.services | ends | set(scope.found_as) | {scope.target or ""}) - {""}


def namer(scope: Scope, seen: Iterable[str] = ()) -> Callable[[str], str]:
    """name -> the service it means, "" when it is none of the catalogue's nor of `seen`."""
    known = known_services(scope) | frozenset(seen)

    def service_named(name: str) -> str:
        service = scope.service_named(name, "tempo")
        return service if service in known else ""

    return service_named


def telemetry_span(
    span: TracedSpan, whole: Sequence[TracedSpan], scope: Scope, sampled_as: Sampled
) -> Span:
    """A span of a trace that was read whole."""
    service = scope.service_named(span.service, "tempo")
    seen = {scope.service_named(other.service, "tempo") for other in whole} - {""}
    peer = peer_of(span.attributes, namer(scope, seen)) if span.kind in CALLING else ""
    told = _told(span.service, service, span.resource, span.attributes)
    if span.exception:
        told.append(("exception", span.exception))
    return Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        service=service,
        operation=span.name,
        kind=span.kind,
        start=span.start,
        seconds=span.seconds,
        failed=span.failed,
        message=span.message,
        peer=peer,
        attributes=tuple(told),
        sampled_as=sampled_as,
    )


def matched_spans(
    found: Iterable[FoundTrace], scope: Scope, sampled_as: Sampled
) -> tuple[Span, ...]:
    """What a search showed of its traces: the spans that matched, without their parents."""
    service_named = namer(scope)
    return tuple(
        _matched(trace.trace_id, span, scope, service_named, sampled_as)
        for trace in found
        for span in trace.spans
    )


def _matched(
    trace_id: str,
    span: FoundSpan,
    scope: Scope,
    service_named: Callable[[str], str],
    sampled_as: Sampled,
) -> Span:
    said = span.attributes
    name = said.get("service.name", "")
    service = scope.service_named(name, "tempo")
    kind = read_kind(said.get("kind"))
    return Span(
        trace_id=trace_id,
        span_id=span.span_id,
        parent_id="",
        service=service,
        operation=span.name,
        kind=kind,
        start=span.start,
        seconds=span.seconds,
        failed=said.get("status") in ("error", "2"),
        message=said.get("statusMessage", ""),
        peer=peer_of(said, service_named) if kind in CALLING else "",
        attributes=(MATCHED_ONLY, *_told(name, service, said, said)),
        sampled_as=sampled_as,
    )


def _told(
    name: str, service: str, resource: Mapping[str, str], own: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The attributes that explain; the service's name in the traces when it is not its own."""
    told = [(key, resource[key]) for key in RESOURCE if resource.get(key)]
    told += [(key, own[key]) for key in OWN if own.get(key)]
    return [*told, ("service.name", name)] if name != service else told
