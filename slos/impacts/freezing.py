"""The impact of an incident that is over: what was last computed stands. Asks nobody.

Called inside the transaction that resolves, merges, reopens or parts incidents.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from incidents.models import Incident
from slos import breaches
from slos.breaches.objectives import end_objectives
from slos.impacts import telling
from slos.models import IncidentImpact


def freeze(incident: Incident) -> None:
    """Its last figures stand from now on; the timeline hears of what it was not told yet."""
    at = incident.resolved_at or timezone.now()
    telling.tell_breaches(incident, list(breaches.of_incident(incident)))
    end_objectives(incident, at)
    rows = IncidentImpact.objects.filter(pk=incident.pk)
    if rows.update(frozen_at=at, wanted_at=None, lease_until=None):
        _mark(incident, at.isoformat())


def thaw(incident: Incident) -> None:
    """It goes on, and so does what it costs."""
    if IncidentImpact.objects.filter(pk=incident.pk).update(frozen_at=None):
        _mark(incident, None)


def _mark(incident: Incident, frozen_at: str | None) -> None:
    kept: Any = Incident.objects.values_list("business_impact", flat=True).get(pk=incident.pk)
    if kept:
        Incident.objects.filter(pk=incident.pk).update(
            business_impact={**kept, "frozen_at": frozen_at}
        )
