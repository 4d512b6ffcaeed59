"""SLOs that missed their objective over the time of an incident."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from incidents.models import Incident
from slos.burn import Events, burn_rate
from slos.impact import objective_missed
from slos.models import SLO, SLOBreach

OBJECTIVE = SLOBreach.Severity.OBJECTIVE


def policy_of(incident: Incident) -> str:
    return f"{SLOBreach.OBJECTIVE} {incident.reference}"


def follow_objectives(
    incident: Incident, counts: Mapping[SLO, Events], at: datetime
) -> list[SLOBreach]:
    """Bring the incident's objective rows in line with what its SLOs counted; those that began.

    A row ends when the last five minutes burn no faster than the budget allows: the events since
    the incident began go on missing the objective long after the fault is over.
    """
    open_rows = {
        row.slo_id: row
        for row in SLOBreach.objects.filter(
            incident=incident, policy=policy_of(incident), ended_at=None
        )
    }
    begun: list[SLOBreach] = []
    for slo, events in counts.items():
        burn, row = burn_rate(events, slo.target), open_rows.get(slo.pk)
        missed = objective_missed(events, slo.target, slo.least_events)
        now = slo.burn_rates.get("5m")
        if row is None and missed and (now is None or now > 1.0):
            begun.append(_begun(incident, slo, burn))
        elif row is not None and now is not None and now <= 1.0 and not slo.error:
            row.ended_at, row.ended_by = max(at, row.started_at), SLOBreach.EndedBy.RECOVERY
            row.save(update_fields=["ended_at", "ended_by"])
        elif row is not None and burn is not None:
            row.burn_rate, row.peak_burn_rate = burn, max(row.peak_burn_rate or 0.0, burn)
            row.save(update_fields=["burn_rate", "peak_burn_rate"])
    SLOBreach.objects.bulk_create(begun)
    return begun


def end_objectives(incident: Incident, at: datetime) -> int:
    """End the rows of an incident that is resolved at that moment; how many."""
    rows = SLOBreach.objects.filter(incident=incident, severity=OBJECTIVE, ended_at=None)
    for row in rows:
        row.ended_at, row.ended_by = max(at, row.started_at), SLOBreach.EndedBy.RESOLUTION
        row.save(update_fields=["ended_at", "ended_by"])
    return len(rows)


def _begun(incident: Incident, slo: SLO, burn: float | None) -> SLOBreach:
    return SLOBreach(
        slo=slo,
        incident=incident,
        policy=policy_of(incident),
        severity=OBJECTIVE,
        factor=1.0,
        started_at=incident.started_at,
        burn_rate=burn,
        peak_burn_rate=burn,
    )
