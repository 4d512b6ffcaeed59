"""Changes that telemetry reports become rows, so that causes and the API can refer to them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from correlation.telemetry import Change
from incidents.models import ChangeEvent, Service


def remember(changes: Iterable[Change], environment: str) -> int:
    """Write those a data source reported and no row holds yet; how many are new.

    A row's id is the change's id, which follows from the object that was changed: analyses that
    see it at the same time write it once. Changes of the catalogue (no `source`) are rows already.
    """
    seen = {change.id: change for change in changes if change.source}
    known = {str(pk) for pk in ChangeEvent.objects.filter(pk__in=seen).values_list("pk", flat=True)}
    fresh = [change for change in seen.values() if change.id not in known]
    slugs = {change.service for change in fresh}
    services = {
        service.slug: service
        for service in Service.objects.filter(slug__in=slugs, environment=environment)
    }
    ChangeEvent.objects.bulk_create(
        [
            ChangeEvent(
                id=UUID(change.id),
                service=services[change.service],
                kind=change.kind,
                at=datetime.fromtimestamp(change.at, UTC),
                title=change.title[:500],
                ref=change.ref[:200],
                diff=change.diff,
                source=change.source[:64],
            )
            for change in fresh
            if change.service in services
        ],
        ignore_conflicts=True,
    )
    return sum(change.service in services for change in fresh)
