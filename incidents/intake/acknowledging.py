"""An alert acknowledged in the tool that sent it: so is its incident."""

from __future__ import annotations

from incidents import lifecycle
from incidents.models import AlertOccurrence, Delivery, Incident, Status


def acknowledge(delivery: Delivery) -> Incident | None:
    """Acknowledge the open incident of the series that the delivery names; None without one.

    The person is known to the sender only, so MTTA is left to the first who acts here.
    """
    occurrence = (
        AlertOccurrence.objects.filter(
            alert__source=delivery.source_id,
            alert__identity=delivery.acknowledges,
            incident__status=Status.OPEN,
            incident__merged_into=None,
        )
        .order_by("-started_at")
        .first()
    )
    if occurrence is None or occurrence.incident_id is None:
        return None
    try:
        return lifecycle.acknowledge(
            incident_id=occurrence.incident_id,
            actor=None,
            reason=f"Acknowledged at the source {delivery.source.slug}.",
        )
    except lifecycle.TransitionRefused:
        return None  # somebody here was faster
