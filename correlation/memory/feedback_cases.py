"""Incidents whose cause responders confirmed, as labelled cases for evaluate_rca and calibrate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from correlation.evaluation.export import write_case
from correlation.memory import snapshots, verdicts
from correlation.models import Analysis, CauseVerdict
from incidents.models import Incident


@dataclass(frozen=True)
class Exported:
    """`directory` is None where nothing could be written; `notes` say why, or what was lost."""

    incident: Incident
    directory: Path | None
    notes: tuple[str, ...]


def export(root: Path, since: datetime | None = None) -> Iterator[Exported]:
    """Write one case for each incident with a confirmed cause, by number, below `root`.

    `since` leaves out incidents that started before.
    """
    confirmed = CauseVerdict.objects.filter(verdict=CauseVerdict.Verdict.CONFIRMED)
    incidents = Incident.objects.filter(
        pk__in=confirmed.values("incident"), merged_into=None
    ).order_by("number")
    if since is not None:
        incidents = incidents.filter(started_at__gte=since)
    for incident in incidents.iterator():
        verdict = verdicts.confirmed(incident.pk)
        if verdict is not None:  # it may have been taken back
            yield _export(root, incident, verdict)


def _export(root: Path, incident: Incident, verdict: CauseVerdict) -> Exported:
    reasons = []
    for analysis in _runs(incident, verdict):
        try:
            telemetry = snapshots.load(analysis)
        except snapshots.NotReplayable as reason:
            reasons.append(f"analysis {analysis.pk}: {reason}")
            continue
        directory = root / incident.environment / incident.reference
        about = {
            "title": incident.title,
            "incident": incident.reference,
            "analysis": str(analysis.pk),
        }
        lost = write_case(directory, telemetry, label_of(incident, verdict), about)
        return Exported(incident, directory, tuple(lost))
    return Exported(incident, None, tuple(reasons or ["it has no finished analysis."]))


def _runs(incident: Incident, verdict: CauseVerdict) -> list[Analysis]:
    """The run that was judged, then the others, latest first."""
    finished = list(incident.analyses.finished().order_by("-finished_at", "-id"))
    judged = verdict.cause.analysis_id if verdict.cause else None
    return sorted(finished, key=lambda run: run.pk != judged)


def label_of(incident: Incident, verdict: CauseVerdict) -> dict[str, Any]:
    """The truth as responders told it. A change only where the confirmed cause blamed one.

    That it blamed none does not say that none was to blame: the question is left open then.
    """
    label: dict[str, Any] = {
        "system": incident.environment,
        "root_cause_service": verdict.service,
        "fault_type": verdict.kind,
    }
    if verdict.cause is not None and verdict.cause.change:
        label["root_cause_change"] = verdict.cause.change
    return label
