"""How an analysis ends, or begins: its rows, the incident's summary and the timeline, at once.

Every writer here is fenced by the attempt number: a worker that lost its lease writes nothing.
The incident's revision is bumped first in each transaction, which is also its lock.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from correlation import story
from correlation.explaining.links import Tools
from correlation.explaining.reasoning import Check, with_ids
from correlation.gather import SourceStatus
from correlation.memory import verdicts
from correlation.models import Analysis, Correlation, RootCause
from correlation.scope import scope_of
from correlation.sources import Scope
from correlation.standing import supersede
from correlation.telemetry import Cause, Evidence, Ranking
from incidents import live, signals
from incidents.models import Incident
from timeline.reporting import queue as reports

PANELS = ("header", "causes", "evidence", "sources", "runs")


def start(analysis: Analysis) -> bool:
    """Show that the analysis runs; False when it was closed or taken over since its claim."""
    with transaction.atomic():
        live.changed(analysis.incident_id, "causes", "runs")
        if not _held(analysis).exists():
            return False
        _summarise(analysis, analysis_status=Analysis.Status.RUNNING)
        story.tell_started(analysis)
        return True


def finish(
    analysis: Analysis,
    ranking: Ranking,
    statuses: Sequence[SourceStatus],
    scope: Scope | None = None,
    rules_skipped: Sequence[tuple[str, str]] = (),
) -> bool:
    """Write the run's evidence, causes and events in one transaction; False when fenced off.

    `scope` is what was asked about; by default the incident's as it is now. `rules_skipped` are
    stored rules that could not be used: (name, why).
    """
    status = Analysis.Status.INCONCLUSIVE if ranking.inconclusive else Analysis.Status.DONE
    with transaction.atomic():
        live.changed(analysis.incident_id, *PANELS)
        told = {
            "missing": list(ranking.missing),
            "rules_skipped": [{"name": name, "problem": why} for name, why in rules_skipped],
            "checks": [_check(analysis, check) for check in ranking.checks],
            "sureness": ranking.sureness or {},
        }
        if not _close(analysis, status, statuses, **told):
            return False
        tools = Tools.of(scope or scope_of(analysis.incident), ranking.evidence)
        rows = [
            _correlation(analysis, n, e, tools) for n, e in enumerate(ranking.evidence, start=1)
        ]
        Correlation.objects.bulk_create(rows)
        causes = [
            _root_cause(analysis, n, cause) for n, cause in enumerate(ranking.causes, start=1)
        ]
        verdicts.carry(analysis.incident_id, causes)
        RootCause.objects.bulk_create(causes)
        stands = supersede(analysis, inconclusive=ranking.inconclusive)
        top = causes[0] if causes and not ranking.inconclusive else None
        if stands == analysis:
            summary = verdicts.summary(analysis.incident_id, causes, ranking.inconclusive)
            _summarise(analysis, analysis_status=status, **summary)
        else:
            _summarise(analysis, analysis_status=stands.status)
        story.tell_finished(analysis, ranking, rows, top, statuses)
        _over(analysis)
        return True


def fail(analysis: Analysis, error: str, statuses: Sequence[SourceStatus] = ()) -> bool:
    """Record why the analysis failed; False when fenced off."""
    error = error[:2000]
    with transaction.atomic():
        live.changed(analysis.incident_id, *PANELS)
        if not _close(analysis, Analysis.Status.FAILED, statuses, error=error):
            return False
        _summarise(analysis, analysis_status=Analysis.Status.FAILED)
        story.tell_failed(analysis, error, statuses)
        _over(analysis)
        return True


def _over(analysis: Analysis) -> None:
    """The report of a resolved incident waits for its last analysis."""
    signals.analysis_finished.send(Incident, incident=analysis.incident)
    if analysis.incident.is_resolved:
        reports.wake()


def _close(
    analysis: Analysis, status: str, statuses: Sequence[SourceStatus], **columns: Any
) -> bool:
    finished_at = timezone.now()
    sources = {
        s.slug: {
            "kind": s.kind,
            "status": s.status,
            "detail": s.detail,
            "queries": s.queries,
            "seconds": s.seconds,
            "reason": s.reason,
        }
        for s in statuses
    }
    closed = _held(analysis).update(
        status=status, finished_at=finished_at, lease_until=None, sources=sources, **columns
    )
    return bool(closed)


def _held(analysis: Analysis) -> QuerySet[Analysis]:
    """The row, while this attempt holds it."""
    return Analysis.objects.filter(
        pk=analysis.pk, attempt=analysis.attempt, status=Analysis.Status.RUNNING
    )


def _summarise(analysis: Analysis, **columns: Any) -> None:
    Incident.objects.filter(pk=analysis.incident_id).update(**columns)


def _correlation(analysis: Analysis, rank: int, evidence: Evidence, tools: Tools) -> Correlation:
    query, before = tools.query_of(evidence), tools.baseline_of(evidence)
    return Correlation(
        id=uuid.uuid5(analysis.pk, evidence.key),
        analysis=analysis,
        key=evidence.key[:500],
        rank=rank,
        type=evidence.type,
        source=evidence.source,
        service=evidence.service,
        peer=evidence.peer or "",
        signal=evidence.signal[:200],
        title=evidence.title[:500],
        unit=evidence.unit,
        direction=evidence.direction,
        confidence_score=evidence.confidence,
        onset_at=_moment(evidence.onset_at),
        baseline=evidence.baseline,
        value=evidence.value,
        query=query,
        links=tools.links_for(evidence),
        details={
            **evidence.details,
            "range": tools.range_of(evidence).as_json(),
            **({"baseline_range": before.as_json()} if before else {}),
        },
    )


def _root_cause(analysis: Analysis, rank: int, cause: Cause) -> RootCause:
    return RootCause(
        id=uuid.uuid5(analysis.pk, f"cause:{cause.service}:{cause.kind}"),
        analysis=analysis,
        rank=rank,
        service=cause.service,
        kind=cause.kind,
        rule=cause.rule,
        title=cause.title[:500],
        explanation=cause.explanation,
        confidence=cause.confidence,
        change=cause.change or "",
        reasoning=with_ids(cause.reasoning, partial(_id_of, analysis)) if cause.reasoning else {},
        supporting=[_id_of(analysis, key) for key in cause.supporting],
        contradicting=[_id_of(analysis, key) for key in cause.contradicting],
    )


def _check(analysis: Analysis, check: Check) -> Check:
    evidence = check["evidence"]
    return {**check, "evidence": _id_of(analysis, evidence) if evidence else ""}


def _id_of(analysis: Analysis, key: str) -> str:
    return str(uuid.uuid5(analysis.pk, key))


def _moment(epoch: float | None) -> datetime | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)
