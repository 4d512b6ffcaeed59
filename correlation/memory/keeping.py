"""What remains of a finished analysis: its snapshot, and the incident's fingerprint."""

from __future__ import annotations

import logging

from django.db import transaction

from correlation.memory import similar_incidents, snapshots
from correlation.memory.snapshots import InForce
from correlation.models import Analysis
from correlation.telemetry import Ranking, Telemetry
from incidents import live

logger = logging.getLogger("studio.correlation")
PANELS = ("runs", "similar")


def remember(
    analysis: Analysis, telemetry: Telemetry, ranking: Ranking, in_force: InForce | None = None
) -> None:
    """Keep both once the answer is out; what fails is logged and costs the analysis nothing."""
    try:
        snapshots.keep(analysis, telemetry, ranking, in_force)
        with transaction.atomic():
            live.changed(analysis.incident_id, *PANELS)
            if Analysis.objects.filter(pk=analysis.pk, superseded_by=None).exists():
                similar_incidents.remember(analysis, ranking, telemetry.roles)
    except Exception:
        # the analysis has its outcome; without these it is only less well remembered
        logger.exception("analysis %s is not wholly remembered", analysis.pk)
