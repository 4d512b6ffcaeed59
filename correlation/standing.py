"""Which run an incident stands on: the latest finished, unless it came too late to see anything."""

from __future__ import annotations

from correlation.models import Analysis
from incidents.models import Incident, Status


def supersede(analysis: Analysis, *, inconclusive: bool) -> Analysis:
    """Mark the runs that `analysis`, just finished, replaces; the run that stands now.

    Once an incident is resolved, what could be seen fades: telemetry expires, and the recovery
    joins the failure. A run that ends inconclusive then does not replace one that named a cause;
    it is superseded by it itself.
    """
    standing = Analysis.objects.finished().filter(
        incident=analysis.incident_id, superseded_by=None
    ).exclude(pk=analysis.pk)  # fmt: skip
    if inconclusive and Incident.objects.filter(
        pk=analysis.incident_id, status=Status.RESOLVED
    ).exists():  # fmt: skip
        before = standing.filter(status=Analysis.Status.DONE).order_by("-finished_at").first()
        if before is not None:
            Analysis.objects.filter(pk=analysis.pk).update(superseded_by=before)
            return before
    standing.update(superseded_by=analysis)
    return analysis
