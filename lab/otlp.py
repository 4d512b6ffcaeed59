"""Spans of a request in OTLP's JSON shape, as Tempo returns them (ids in base64)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from lab.mesh import Request, Span, failed, outcome
from lab.pods import Pod
from lab.world import NAMESPACE, SERVICES

LANGUAGES = {"json": "nodejs", "logfmt": "go", "java": "java", "python": "python"}


@dataclass(frozen=True)
class FlatSpan:
    """One side of a call. Times in epoch seconds; ids in hex."""

    service: str
    pod: Pod | None
    name: str
    kind: str
    span_id: str
    parent_id: str
    began: float
    ended: float
    error: bool
    message: str
    attributes: tuple[tuple[str, str | int], ...]


def _span_id(trace_id: str, number: int, side: str) -> str:
    return hashlib.blake2b(f"{trace_id}/{number}/{side}".encode(), digest_size=8).hexdigest()


def _attributes(span: Span, side: str) -> tuple[tuple[str, str | int], ...]:
    if SERVICES[span.peer].kind == "store":
        return (("db.system.name", span.peer), ("db.query.text", span.name))
    method, _, route = span.name.partition(" ")
    pairs: list[tuple[str, str | int]] = [("http.request.method", method)]
    if span.status > 0:
        pairs.append(("http.response.status_code", span.status))
    if side == "client":
        pairs.append(("server.address", span.peer))
    else:
        pairs.append(("http.route", route))
    return tuple(pairs)


def flatten(request: Request) -> list[FlatSpan]:
    """Client and server spans of all calls; the root has a server span only."""
    flat = []
    for number, span in enumerate(request.spans):
        error = failed(span.status)
        word = outcome(span.status)
        client_id = _span_id(request.trace_id, number, "client")
        parent = _span_id(request.trace_id, span.parent, "server") if span.parent >= 0 else ""
        if span.caller is not None:
            store = SERVICES[span.peer].kind == "store"
            name = span.name if store else span.name.replace(" ", f" {span.peer} ", 1)
            message = span.detail or (word if span.status < 0 else str(span.status))
            flat.append(
                FlatSpan(
                    span.caller.spec.name, span.caller, name, "SPAN_KIND_CLIENT", client_id,
                    parent, span.began, span.ended, error, message if error else "",
                    _attributes(span, "client"),
                )
            )  # fmt: skip
            parent = client_id
        if span.callee is not None:
            flat.append(
                FlatSpan(
                    span.peer, span.callee, span.name, "SPAN_KIND_SERVER",
                    _span_id(request.trace_id, number, "server"), parent, span.began,
                    span.ended, error, (span.detail or word) if error else "",
                    _attributes(span, "server"),
                )
            )  # fmt: skip
    return flat


def nanoseconds(at: float) -> str:
    return str(int(at * 1_000_000) * 1000)


def _any_value(value: str | int) -> dict[str, str]:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


def attribute(key: str, value: str | int) -> dict[str, Any]:
    return {"key": key, "value": _any_value(value)}


def _base64(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()


def resource_attributes(service: str, pod: Pod | None) -> list[dict[str, Any]]:
    language = LANGUAGES.get(SERVICES[service].log_format, "cpp")
    pairs = {
        "deployment.environment.name": "production",
        "k8s.deployment.name": service,
        "service.namespace": NAMESPACE,
        "telemetry.sdk.language": language,
        "k8s.namespace.name": NAMESPACE,
        "service.name": service,
    }
    if pod is not None:
        pairs |= {"service.version": pod.release.version, "k8s.pod.name": pod.name}
    return [attribute(key, value) for key, value in pairs.items()]


def resource_spans(request: Request) -> list[dict[str, Any]]:
    """OTLP resourceSpans, one for each pod that took part."""
    by_pod: dict[tuple[str, str], list[FlatSpan]] = {}
    for span in flatten(request):
        by_pod.setdefault((span.service, span.pod.name if span.pod else ""), []).append(span)
    return [
        {
            "resource": {"attributes": resource_attributes(service, spans[0].pod)},
            "scopeSpans": [
                {
                    "scope": {"name": "io.opentelemetry.http", "version": "2.9.0"},
                    "spans": [_span(request.trace_id, span) for span in spans],
                }
            ],
        }
        for (service, _), spans in by_pod.items()
    ]


def _span(trace_id: str, span: FlatSpan) -> dict[str, Any]:
    shown: dict[str, Any] = {"traceId": _base64(trace_id), "spanId": _base64(span.span_id)}
    if span.parent_id:
        shown["parentSpanId"] = _base64(span.parent_id)
    return shown | {
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": nanoseconds(span.began),
        "endTimeUnixNano": nanoseconds(span.ended),
        "attributes": [attribute(key, value) for key, value in span.attributes],
        "status": {"message": span.message, "code": "STATUS_CODE_ERROR"} if span.error else {},
    }
