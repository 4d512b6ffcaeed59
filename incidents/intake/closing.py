"""Ends occurrences that no delivery ended: what a sender's own records say, or a person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from incidents.intake.members import LATE_SECONDS
from incidents.models import Alert, AlertOccurrence


def close(occurrence_ids: Iterable[UUID], at: datetime) -> list[AlertOccurrence]:
    """End those that are still open, as of `at`; the ones that this call ended.

    The end is marked as inferred: a delivery that came after it and says that the alert fires
    opens a new occurrence, even one that names the same start.
    """
    closed = []
    with transaction.atomic():
        # the series first and in identity order, as deliveries lock them
        alerts = (
            Alert.objects.select_for_update(no_key=True)
            .filter(latest_occurrence_id__in=list(occurrence_ids), firing=True)
            .order_by("identity")
        )
        end = {
            "firing": False,
            "until": at.timestamp(),
            "inferred": True,
            "told": at.timestamp() - LATE_SECONDS,
        }
        for alert in alerts:
            alert.members = {
                mark: {**member, **end} if member["firing"] else member
                for mark, member in alert.members.items()
            }
            alert.firing = False
            alert.save(update_fields=["members", "firing"])
            occurrence = alert.occurrences.select_related("incident").get(resolved_at=None)
            occurrence.resolved_at = max(at, occurrence.started_at)
            occurrence.save(update_fields=["resolved_at"])
            closed.append(occurrence)
    return closed
