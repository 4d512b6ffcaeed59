"""Analyses that ran on telemetry a test gives, from claim to snapshot, without asking a source."""

from __future__ import annotations

from correlation import outcome, queue
from correlation.memory import keeping as memory
from correlation.models import Analysis
from correlation.ranking import rank
from correlation.telemetry import Telemetry
from incidents.models import Incident


def analysed(incident: Incident, telemetry: Telemetry, reason: str = "requested") -> Analysis:
    """The finished run of `incident` on `telemetry`: the one that waits, or one asked for now."""
    queue.request(incident_id=incident.pk, reason=reason)
    others = Analysis.objects.filter(status="queued").exclude(incident=incident)
    waiting = list(others.values_list("pk", flat=True))
    others.update(status="cancelled")  # so that this one is claimed
    analysis = queue.claim_next()
    assert analysis is not None
    ranking = rank(telemetry)
    outcome.start(analysis)
    outcome.finish(analysis, ranking, [])
    memory.remember(analysis, telemetry, ranking)
    Analysis.objects.filter(pk__in=waiting).update(status="queued")
    return Analysis.objects.get(pk=analysis.pk)
