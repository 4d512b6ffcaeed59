"""What an analysis adds to the timeline: each finding once, however often it is repeated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from correlation.gather import SourceStatus
from correlation.models import Analysis, Correlation, RootCause, confidence_band
from correlation.telemetry import Ranking
from incidents import signals
from incidents.models import Incident
from timeline.models import Kind, TimelineEvent
from timeline.record import TimelineSealed, record

SOURCE = "correlation"
TELLING_CONFIDENCE = 0.6
TOLD_PER_RUN = 6
KINDS: dict[str, str] = {
    Correlation.Type.METRIC: Kind.METRIC_SPIKE,
    Correlation.Type.LOG: Kind.LOG_PATTERN,
    Correlation.Type.TRACE: Kind.TRACE,
    Correlation.Type.KUBERNETES: Kind.POD,
    Correlation.Type.CHANGE: Kind.CHANGE,
}


def tell_started(analysis: Analysis) -> None:
    """Once for the incident, and for each analysis a person or an alert asked for."""
    if analysis.attempt > 1 or analysis.reason == "repeat":
        return
    why = {
        "opened": "",
        "alert": " after a new alert",
        "merge": " after a merge",
        "unmerge": " after an un-merge",
        "resolution": " at resolution",
    }.get(analysis.reason, " on request")
    _record(
        analysis,
        Kind.CORRELATION_ANALYSIS_STARTED,
        f"Correlation analysis started{why}",
        data={"reason": analysis.reason},
    )


def tell_finished(
    analysis: Analysis,
    ranking: Ranking,
    rows: Sequence[Correlation],
    top: RootCause | None,
    statuses: Sequence[SourceStatus],
) -> None:
    told = _told(analysis)
    _tell_sources(analysis, statuses, told)
    for row in _worth_telling(rows, top, told):
        _record(
            analysis,
            KINDS[row.type],
            row.title if row.service in row.title else f"{row.service}: {row.title}",
            severity="high" if row.confidence_score >= 0.9 else "warning",
            source=row.source or SOURCE,
            occurred_at=row.onset_at,
            data={
                "key": row.key,
                "service": row.service,
                "signal": row.signal,
                "value": row.value,
                "baseline": row.baseline,
                "unit": row.unit,
                "confidence": row.confidence_score,
                "query": row.query,
            },
        )
    if top is not None:
        _tell_cause(analysis, top, told)
    elif not ("cause" in told or "inconclusive" in told):
        _record(
            analysis,
            Kind.CORRELATION_INCONCLUSIVE,
            "Correlation inconclusive: no cause stands out yet",
            body="\n".join(f"- {reason}" for reason in ranking.missing),
            data={"inconclusive": True, "missing": list(ranking.missing)},
        )


def tell_failed(analysis: Analysis, error: str, statuses: Sequence[SourceStatus]) -> None:
    _tell_sources(analysis, statuses, _told(analysis))
    if analysis.reason == "repeat" and _failed_before(analysis) == error:
        return
    _record(
        analysis,
        Kind.CORRELATION_FAILED,
        "Correlation analysis failed",
        body=error,
        severity="warning",
        data={"error": error},
    )


def _failed_before(analysis: Analysis) -> str:
    """The error of the run before this one; "" when it did not fail or there was none."""
    before = Analysis.objects.filter(
        incident=analysis.incident_id, queued_at__lt=analysis.queued_at
    ).order_by("-queued_at")
    last = before.values_list("status", "error").first()
    return last[1] if last and last[0] == Analysis.Status.FAILED else ""


def _told(analysis: Analysis) -> dict[str, Any]:
    """What earlier runs told: evidence keys and kinds, last cause, each source's state."""
    told: dict[str, Any] = {"keys": set(), "kinds": set(), "sources": {}}
    events = TimelineEvent.objects.filter(
        incident=analysis.incident_id,
        kind__in=[
            *KINDS.values(),
            Kind.ROOT_CAUSE_IDENTIFIED,
            Kind.CORRELATION_INCONCLUSIVE,
            Kind.SOURCE_UNAVAILABLE,
            Kind.SOURCE_RECOVERED,
        ],
    ).order_by("seq")
    for kind, data in events.values_list("kind", "data"):
        if "key" in data:
            told["keys"].add(data["key"])
            told["kinds"].add(kind)
        if "cause" in data:
            told["cause"] = data["cause"]
        if "data_source" in data:
            told["sources"][data["data_source"]] = data["status"]
        if data.get("inconclusive"):
            told["inconclusive"] = True
    return told


def _tell_sources(
    analysis: Analysis, statuses: Sequence[SourceStatus], told: dict[str, Any]
) -> None:
    """A source that stopped answering, or answers in part, is an event; so is its return."""
    for status in statuses:
        before = told["sources"].get(status.slug, "ok")
        bad = status.status in ("unavailable", "partial")
        if status.status == before or not (bad or before != "ok"):
            continue
        title = f"{status.slug}: {status.status}" if bad else f"{status.slug} answers again"
        if status.status == "unavailable":
            title = f"{status.slug} unavailable: {status.detail}"
        elif status.status == "partial":
            title = f"{status.slug} answered in part: {status.detail}"
        _record(
            analysis,
            Kind.SOURCE_UNAVAILABLE if bad else Kind.SOURCE_RECOVERED,
            title[:300],
            body=status.detail if bad else "",
            severity="warning" if bad else "info",
            data={
                "data_source": status.slug,
                "status": status.status if bad else "ok",
                "detail": status.detail,
            },
        )


def _worth_telling(
    rows: Sequence[Correlation], top: RootCause | None, told: dict[str, Any]
) -> list[Correlation]:
    """The evidence to tell: of each kind what supports the top cause best, then the strongest.

    While the cause told last still stands, only a first finding of another kind that supports
    it is news; the rest of the aftermath is on the evidence panel.
    """
    supporting = set(top.supporting) if top else set()
    fresh = [
        row
        for row in rows
        if row.key not in told["keys"] and row.confidence_score >= TELLING_CONFIDENCE
    ]
    fresh.sort(key=lambda row: (str(row.pk) not in supporting, row.rank))
    first = {row.type: row for row in reversed(fresh) if str(row.pk) in supporting}
    if top is not None and told.get("cause") == _identity(top):
        fresh = [row for row in first.values() if KINDS[row.type] not in told["kinds"]]
    else:
        fresh.sort(key=lambda row: first.get(row.type) is not row)
    return sorted(fresh[:TOLD_PER_RUN], key=lambda row: (row.onset_at is None, row.onset_at or 0))


def _identity(cause: RootCause) -> str:
    return f"{cause.service}:{cause.kind}"


def _tell_cause(analysis: Analysis, top: RootCause, told: dict[str, Any]) -> None:
    """The top cause, when it is not the one told last."""
    identity = _identity(top)
    if told.get("cause") == identity:
        return
    _record(
        analysis,
        Kind.ROOT_CAUSE_IDENTIFIED,
        f"Root cause: {top.title} ({top.confidence:.0%}, {confidence_band(top.confidence)})",
        body=top.explanation,
        severity="high",
        data={
            "cause": identity,
            "service": top.service,
            "kind": top.kind,
            "confidence": top.confidence,
            "supporting": top.supporting,
            "replaces": told.get("cause"),
        },
    )
    signals.cause_identified.send(
        Incident,
        incident=Incident.objects.get(pk=analysis.incident_id),
        key=str(analysis.pk),
        title=top.title,
        service=top.service,
        confidence=top.confidence,
    )


def _record(
    analysis: Analysis,
    kind: str,
    title: str,
    *,
    body: str = "",
    severity: str = "info",
    source: str = SOURCE,
    occurred_at: datetime | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    try:
        record(
            incident_id=analysis.incident_id,
            kind=kind,
            title=title,
            body=body,
            severity=severity,
            source=source,
            occurred_at=occurred_at or datetime.now(UTC),
            data={"analysis": str(analysis.pk), **(data or {})},
        )
    except TimelineSealed:
        # an analysis asked for after resolution stands on its own rows, outside the seal
        return
