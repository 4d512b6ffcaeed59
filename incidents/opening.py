"""Opening an incident, or joining the open one it would double."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from incidents import live
from incidents.merges import apart
from incidents.merges.duplicates import Similarity, find_duplicates
from incidents.merges.survivors import holder_of
from incidents.models import (
    AffectedService,
    Impact,
    Incident,
    NumberSequence,
    Service,
    Status,
    StatusChange,
)
from incidents.neighbours import Neighbour, find_neighbour


@dataclass(frozen=True)
class Opened:
    """`created` is False when the newcomer joined an open incident: the one of its key, one it
    duplicates (`similarity`) or one next door (`neighbour`)."""

    incident: Incident
    created: bool
    similarity: Similarity | None = None
    neighbour: Neighbour | None = None


def open_incident(
    *,
    title: str,
    severity: str,
    services: Sequence[Service],
    description: str = "",
    source: str = Incident.Source.MANUAL,
    actor: User | None = None,
    started_at: datetime | None = None,
    correlation_key: str | None = None,
    environment: str | None = None,
    allow_duplicate: bool = False,
    grouping_rule: UUID | None = None,
    join_neighbours: timedelta | None = None,
    labels: Mapping[str, str] | None = None,
) -> Opened:
    """Open an incident, or join the open one it duplicates.

    The first service is affected as primary, the rest as secondary. `started_at` is the
    earliest credible claim; one in the future is replaced by now. With `correlation_key` at
    most one open incident exists: a race is settled by the database and the loser joins; the
    key of a merged incident leads to its survivor. With `join_neighbours` an open incident next
    door that began so close by is joined; `grouping_rule` says whose delays hold for a new
    incident. `labels` are the opening alert's, for the similarity. With `allow_duplicate` it is
    opened all the same; where a person (`actor`) wants that, it is never merged automatically
    with one that it looks like.
    """
    now = timezone.now()
    started = min(started_at or now, now)
    if environment is None:
        environment = services[0].environment if services else "production"
    for _attempt in range(3):
        if correlation_key:
            joined = holder_of(correlation_key)
            if joined is not None:
                return Opened(joined, created=False)
        try:
            with transaction.atomic():
                NumberSequence.lock("incident")  # serialises openings: no twin slips in
                alike = find_duplicates(
                    title=title,
                    services=services,
                    started_at=started,
                    environment=environment,
                    labels=labels,
                    apart_from_rule=grouping_rule,
                )
                if alike and not allow_duplicate:
                    return Opened(alike[0].incident, created=False, similarity=alike[0])
                if join_neighbours and services:
                    near = find_neighbour(
                        service=services[0], started_at=started, within=join_neighbours
                    )
                    if near is not None:
                        return Opened(near.incident, created=False, neighbour=near)
                incident = Incident.objects.create(
                    number=NumberSequence.take("incident"),
                    title=title,
                    description=description,
                    severity=severity,
                    source=source,
                    environment=environment,
                    created_by=actor,
                    started_at=started,
                    detected_at=now,
                    correlation_key=correlation_key,
                    grouping_rule_id=grouping_rule,
                )
                AffectedService.objects.bulk_create(
                    AffectedService(
                        incident=incident,
                        service=service,
                        impact=Impact.SECONDARY if position else Impact.PRIMARY,
                        added_at=now,
                    )
                    for position, service in enumerate(dict.fromkeys(services))
                )
                StatusChange.objects.create(
                    incident=incident, from_status="", to_status=Status.OPEN, at=now, actor=actor
                )
                if actor is not None:
                    apart.opened_anyway(incident, alike, actor)
                live.changed(incident.pk, "header", "services")
                incident.refresh_from_db(fields=["revision", "analysis_status"])
                return Opened(incident, created=True)
        except IntegrityError:
            if not correlation_key:
                raise
    raise RuntimeError(f"no incident could be opened or joined for {correlation_key}")
