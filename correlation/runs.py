"""The runs of an incident: listed, and the moment each can be looked at from."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from correlation.memory.snapshots import why_not
from correlation.models import Analysis, EvidenceSnapshot, RootCause
from correlation.panels import newest_and_shown
from incidents.live import Panel, register
from incidents.models import Incident

SHOWN_RUNS = 8
REASONS = {
    "opened": "incident opened",
    "repeat": "repeat",
    "alert": "new alert",
    "requested": "asked for",
    "resolution": "resolved",
    "backfill": "imported",
}


def listed(runs: QuerySet[Analysis]) -> QuerySet[Analysis]:
    """The runs with what lists show: who asked, the first cause, the snapshot without contents."""
    return runs.select_related("requested_by").prefetch_related(
        Prefetch("root_causes", RootCause.objects.filter(rank=1), to_attr="first_causes"),
        Prefetch("snapshot", EvidenceSnapshot.objects.described()),
    )


def snapshot_of(run: Analysis) -> EvidenceSnapshot | None:
    """The run's snapshot, None while there is none."""
    return getattr(run, "snapshot", None)


def moment_of(incident: Incident, analysis: str) -> datetime | None:
    """When the run came to its end: what was known then is what it showed."""
    try:
        pk = uuid.UUID(analysis)
    except ValueError:
        return None
    return incident.analyses.filter(pk=pk).values_list("finished_at", flat=True).first()


def context(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{runs: the newest first, more: how many older ones, shown: the run the page shows}."""
    runs = incident.analyses.all()
    if as_of is not None:
        runs = runs.filter(queued_at__lte=as_of)
    newest = list(listed(runs.order_by("-queued_at", "-id"))[: SHOWN_RUNS + 1])
    more = runs.count() - SHOWN_RUNS if len(newest) > SHOWN_RUNS else 0
    _newest, shown = newest_and_shown(incident, as_of)
    for run in newest:
        snapshot = snapshot_of(run)
        if as_of is not None:
            run.forget_after(as_of)
            if run.finished_at is None:
                run.first_causes, snapshot = [], None  # type: ignore[attr-defined]
        run.why = REASONS.get(run.reason, run.reason)  # type: ignore[attr-defined]
        run.kept = snapshot.is_replayable if snapshot else None  # type: ignore[attr-defined]
        run.not_kept = why_not(snapshot) if snapshot else ""  # type: ignore[attr-defined]
    return {"runs": newest[:SHOWN_RUNS], "more": more, "shown": shown, "as_of": as_of}


def register_panel() -> None:
    register(Panel("runs", "correlation/_runs.html", context, column="side", order=45))
