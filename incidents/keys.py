"""Who answers to a correlation key: at most one open incident, by a database constraint."""

from __future__ import annotations

from incidents.intake.placement import retired_key
from incidents.models import Incident


def retire(incident: Incident) -> bool:
    """Free the incident's key for a newer one; False when that has happened already."""
    key = incident.correlation_key
    if key is None:
        return False
    return bool(
        Incident.objects.filter(pk=incident.pk, correlation_key=key).update(
            correlation_key=retired_key(key, incident.number)
        )
    )


def yield_to_newer(incident: Incident) -> None:
    """Retire the key of an incident that is to be open again, if another open one has it.

    The caller holds the incident's lock and keeps new ones from opening.
    """
    others = Incident.objects.active().filter(correlation_key=incident.correlation_key)
    if incident.correlation_key and others.exclude(pk=incident.pk).exists():
        retire(incident)
