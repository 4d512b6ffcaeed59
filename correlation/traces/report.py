"""Evidence about spans: its shape, its details and its words, whatever was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

from correlation.telemetry import Evidence, Span, Telemetry

REPORTED = 0.15
MOST = 6
"""Origins and slow spans reported at most, strongest first."""

Key = tuple[str, str, str]
"""(service, peer or "", shape of the operation)."""


def span_evidence(
    telemetry: Telemetry, key: Key, signal: str, confidence: float, spans: dict[str, Span]
) -> Evidence:
    service, peer, operation = key
    name = blake2b(operation.encode(), digest_size=6).hexdigest()
    return Evidence(
        key=f"trace:{service}{'>' + peer if peer else ''}:{signal}:{name}",
        type="trace",
        service=service,
        signal=signal,
        confidence=round(min(confidence, 0.97), 4),
        onset_at=None,
        baseline=None,
        value=None,
        title="",
        peer=peer or None,
        source=telemetry.trace_source,
    )


def span_details(key: Key, spans: dict[str, Span], share: float) -> dict[str, object]:
    newest = sorted(spans.values(), key=lambda span: (-span.start, span.trace_id))
    return {
        "trace_ids": [span.trace_id for span in newest[:10]],
        "operation": key[2],
        "share": round(share, 4),
    }


def messages(spans: Iterable[Span]) -> list[str]:
    """The commonest messages of the spans and what they threw, at most three."""
    said = Counter(
        text
        for span in spans
        for text in {span.message, dict(span.attributes).get("exception", "")}
        if text
    )
    return [text[:500] for text, _ in sorted(said.items(), key=lambda p: (-p[1], p[0]))[:3]]


def where(key: Key) -> str:
    return f"{key[0]} to {key[1]}" if key[1] else key[0]
