"""What the incident page shows of the incident itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from incidents.as_it_was import affected_then
from incidents.live import Panel, register
from incidents.merges import proposals
from incidents.merges.survivors import merged_into
from incidents.models import Incident, MaintenanceWindow, ServiceDependency
from incidents.people import roles


def header(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    return {
        "affected": affected_then(incident, as_of),
        "age_then": (as_of - incident.started_at).total_seconds() if as_of else None,
        "maintenance": list(_maintenance(incident, as_of)),
        "durations": {
            "ttd": incident.ttd_seconds,
            "mtta": incident.mtta_seconds,
            "ttm": incident.ttm_seconds,
            "mttr": incident.mttr_seconds,
        },
        "commander": roles.commander(incident, as_of),
    }


def _maintenance(incident: Incident, as_of: datetime | None) -> QuerySet[MaintenanceWindow]:
    """The windows that its alerts fell into."""
    firings = incident.occurrences.exclude(maintenance=None)
    if as_of is not None:
        firings = firings.filter(started_at__lte=as_of)
    return MaintenanceWindow.objects.filter(pk__in=firings.values("maintenance"))


def services(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    affected = affected_then(incident, as_of)
    touched = [a.service_id for a in affected]
    neighbours = (
        ServiceDependency.objects.filter(Q(caller__in=touched) | Q(callee__in=touched))
        .select_related("caller", "callee")
        .order_by("caller__slug", "callee__slug")
    )
    return {"affected": affected, "neighbours": list(neighbours)}


def merges(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{merges: of what is part of it now (or then), proposed: pairs it may be one of}."""
    return {
        "merges": merged_into(incident, as_of),
        "proposed": [] if as_of is not None else proposals.with_other(incident),
    }


def register_panels() -> None:
    register(Panel("merges", "incidents/_merges.html", merges, column="top", order=10))
    register(Panel("header", "incidents/_header.html", header, column="top", order=0))
    register(Panel("services", "incidents/_services.html", services, column="side", order=30))
