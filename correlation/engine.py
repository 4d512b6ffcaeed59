"""One analysis from claim to outcome.

claim -> gather -> rank -> finish -> compare with others -> remember, or fail
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.conf import settings

from correlation import agreement, moment, outcome, queue
from correlation.changes import seen as seen_changes
from correlation.data_sources import breaker
from correlation.data_sources.catalogue import admitted_sources
from correlation.gather import SourceStatus, gather
from correlation.memory import keeping as memory
from correlation.memory.snapshots import InForce
from correlation.models import Analysis
from correlation.ranking import rank
from correlation.rules import shelf as rule_shelf
from correlation.scope import changes_for, scope_of

logger = logging.getLogger("studio.correlation")


def run_waiting() -> int:
    """Run analyses until none can be claimed; how many were run."""
    count = 0
    while (analysis := queue.claim_next()) is not None:
        run(analysis)
        count += 1
    return count


def run(analysis: Analysis) -> None:
    """Carry a claimed analysis to its end. No transaction is open while sources are asked.

    Any failure becomes the row's error, a timeline event and a visible panel: an analysis is
    never missing. A lease lost meanwhile makes the outcome void.
    """
    statuses: tuple[SourceStatus, ...] = ()
    try:
        if not outcome.start(analysis):
            return
        with moment.shared(not_before=analysis.incident.started_at) as now:
            scope = scope_of(analysis.incident, now)
            telemetry, statuses = gather(
                scope,
                admitted_sources(scope),
                deadline_seconds=settings.CORRELATION_DEADLINE_SECONDS,
                changes=changes_for(scope),
            )
            breaker.record(statuses)
            if not queue.renew(analysis):
                logger.warning("analysis %s lost its lease while gathering", analysis.pk)
                return
            if silent := _nobody_answered(statuses):
                outcome.fail(analysis, silent, statuses)
            else:
                seen_changes.remember(telemetry.changes, scope.environment)
                rules = rule_shelf.in_force()
                ranking = rank(telemetry, rules=rules.rules)
                if outcome.finish(analysis, ranking, statuses, scope, rules.skipped):
                    agreement.look(analysis)
                    in_force = InForce.now(rules.rules)
                    memory.remember(analysis, telemetry, ranking, in_force)
    except Exception as error:
        # whatever broke is the analysis' outcome: seen in the log, on the row, on the page
        logger.exception("analysis %s failed", analysis.pk)
        outcome.fail(analysis, f"{type(error).__name__}: {error}", statuses)


def _nobody_answered(statuses: Sequence[SourceStatus]) -> str:
    """Why there is nothing to rank, when every configured source is unavailable; else ""."""
    asked = [s for s in statuses if s.status != "not_configured"]
    if not asked or any(s.status != "unavailable" for s in asked):
        return ""
    reasons = "; ".join(f"{s.slug}: {s.detail}" for s in asked)
    return f"No telemetry source answered ({reasons})."
