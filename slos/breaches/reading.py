"""The breaches of an SLO or of an incident."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from incidents.merges.survivors import members_of
from incidents.models import Incident
from slos.models import SLO, SLOBreach


def of_slo(slo: SLO, since: datetime | None = None) -> QuerySet[SLOBreach]:
    """Those that went on after `since` (all when None), newest first, `incident` loaded."""
    found = SLOBreach.objects.filter(slo=slo).select_related("incident")
    if since is not None:
        found = found.filter(Q(ended_at=None) | Q(ended_at__gt=since))
    return found.order_by("-started_at", "-id")


def of_incident(incident: Incident, as_of: datetime | None = None) -> QuerySet[SLOBreach]:
    """Those of the incident and of all merged into it, oldest first, `slo.service` loaded.

    With `as_of` those that had begun by then; ends that came later are still on the rows.
    """
    found = SLOBreach.objects.filter(incident__in=list(members_of([incident.pk], as_of)))
    if as_of is not None:
        found = found.filter(started_at__lte=as_of)
    return found.select_related("slo__service").order_by("started_at", "slo__name", "policy")
