"""What one service has: the condition of the board, of the pages and of the API.

A service is looked up first and asked for by its key: only then do PostgreSQL's statistics tell
how many rows it has, and which index to follow. Through a join they guess.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from incidents.models import AffectedService, AlertOccurrence, Service


def incidents_of(slug: str) -> Q:
    """Incidents that affect the service; none of a service that is not there."""
    affected = AffectedService.objects.filter(incident=OuterRef("pk"), service__in=_keys(slug))
    return Q(Exists(affected))


def alerts_of(slug: str) -> Q:
    """Alerts of which a firing was the service's."""
    fired = AlertOccurrence.objects.filter(alert=OuterRef("pk"), service__in=_keys(slug))
    return Q(Exists(fired))


def _keys(slug: str) -> list[UUID]:
    return list(Service.objects.filter(slug=slug).values_list("pk", flat=True))
