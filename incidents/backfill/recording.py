"""Writes an incident of the past, whole and in one transaction: nothing of it exists, or all.

It is written as it would stand had it been lived through, with the times of then. What hangs on
the course of a live incident (analyses, its impact) does not start. Under the lock that openings
take, so that no import and no alert makes a second one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from incidents import live, signals
from incidents.backfill.episodes import Episode, Item
from incidents.intake import joining, reading
from incidents.intake.placement import retired_key
from incidents.intake.placing import Placed
from incidents.intake.received import digest
from incidents.models import (
    AffectedService,
    Alert,
    AlertOccurrence,
    AlertSource,
    Impact,
    Incident,
    NumberSequence,
    Severity,
    Status,
    StatusChange,
)

ENDLESS = datetime.max.replace(tzinfo=UTC)
WHY = "Read from history."


@dataclass(frozen=True)
class Standing:
    """What there is of an episode already; `known` firings were recorded before.

    `incident` is the one that covers it, `blocked` whether it may not be made.
    """

    known: int
    incident: Incident | None
    blocked: bool


def standing(episode: Episode, source: AlertSource) -> Standing:
    """A firing is known when one of its series, within `source`, overlaps it; an incident
    covers it that had one of its keys at that time. Both leave the episode as it is."""
    known = _known(episode, source)
    if known:
        first = next((one.incident for one in known if one.incident is not None), None)
        return Standing(len(known), first, blocked=True)
    keyed = Q()
    for key in episode.keys:
        keyed |= Q(correlation_key=key) | Q(correlation_key__startswith=f"{key}#INC-")
    lasted = Q(resolved_at=None) | Q(resolved_at__gte=episode.started_at)
    incident = (
        Incident.objects.filter(keyed, lasted, started_at__lte=episode.ended_at or ENDLESS)
        .order_by("number")
        .first()
    )
    return Standing(0, incident, blocked=incident is not None)


def record(
    episode: Episode, source: AlertSource, made: Callable[[Incident], object] | None = None
) -> Incident | None:
    """Make the episode's incident; None when `standing` says that it may not be made.

    `made` is called in the same transaction. `source` is stored.
    """
    with transaction.atomic():
        NumberSequence.lock("incident")
        if standing(episode, source).blocked:
            return None
        series = _series(episode, source)
        placed = [
            Placed(_occurrence(item, series[item.identity], how), item.found)
            for item, how in episode.members
        ]
        incident = _incident(episode, placed)
        _tell(incident, [one.occurrence for one in placed], episode)
        if made is not None:
            made(incident)
    return incident


def _known(episode: Episode, source: AlertSource) -> list[AlertOccurrence]:
    by_series: dict[str, list[Item]] = {}
    for item in episode.items:
        by_series.setdefault(item.identity, []).append(item)
    rows = AlertOccurrence.objects.filter(
        Q(resolved_at=None) | Q(resolved_at__gte=episode.started_at),
        alert__source_id=source.pk,
        alert__identity__in=by_series,
        claimed_started_at__lte=episode.ended_at or ENDLESS,
    ).select_related("alert", "incident")
    return [
        row
        for row in rows.order_by("started_at", "id")
        if any(_is(row, item) for item in by_series[row.alert.identity])
    ]


def _is(row: AlertOccurrence, item: Item) -> bool:
    firing, began = item.firing, row.claimed_started_at
    overlaps = began < (firing.ends_at or ENDLESS) and firing.starts_at < (
        row.resolved_at or ENDLESS
    )
    return overlaps or began == firing.starts_at


def _series(episode: Episode, source: AlertSource) -> dict[str, Alert]:
    """The rows of its series, made where they are missing; a firing without an end opens its."""
    found = {}
    for item in sorted(episode.items, key=lambda one: one.identity):
        if item.identity in found:
            continue
        firing = item.firing
        found[item.identity], _ = Alert.objects.get_or_create(
            source=source,
            identity=item.identity,
            defaults={
                "name": firing.name,
                "labels": dict(firing.labels),
                "annotations": dict(firing.annotations),
                "generator_url": firing.generator_url,
                "first_seen_at": firing.starts_at,
                "last_seen_at": firing.ends_at or firing.starts_at,
                "received_count": 0,
            },
        )
    return found


def _occurrence(item: Item, alert: Alert, how: str) -> AlertOccurrence:
    firing = item.firing
    return AlertOccurrence(
        alert=alert,
        service=item.found.service,
        claimed_started_at=firing.starts_at,
        started_at=firing.starts_at,
        resolved_at=firing.ends_at,
        end_told_at=firing.ends_at,
        joined_by={
            "rule": item.found.placement.rule.name,
            "how": how,
            "why": WHY,
            "named": item.found.named,
            "severity": item.found.severe.severity.value,
        },
    )


def _incident(episode: Episode, placed: Sequence[Placed]) -> Incident:
    first, number = placed[0], NumberSequence.take("incident")
    ended_at, alert = episode.ended_at, placed[0].occurrence.alert
    # the key of one that is over is retired: a live alert neither reopens it nor looks for it
    key = episode.key if ended_at is None else retired_key(episode.key, number)
    incident = Incident.objects.create(
        number=number,
        title=reading.title_of(alert.name, alert.annotations, first.found.named),
        description=joining.description(first),
        severity=min((one.severity for one in placed), key=Severity.values.index),
        status=Status.OPEN if ended_at is None else Status.RESOLVED,
        source=Incident.Source.BACKFILL,
        environment=episode.environment,
        started_at=episode.started_at,
        detected_at=episode.started_at,
        resolved_at=ended_at,
        correlation_key=key,
        grouping_rule_id=episode.rule.id,
    )
    ends = _recoveries(placed)
    AffectedService.objects.bulk_create(
        AffectedService(
            incident=incident,
            service=service,
            impact=Impact.SECONDARY if position else Impact.PRIMARY,
            added_at=episode.started_at,
            recovered_at=ends[service.pk],
        )
        for position, service in enumerate(joining.services_of(placed))
    )
    return incident


def _recoveries(placed: Sequence[Placed]) -> dict[UUID, datetime | None]:
    """When the last alert on each service was over; None while one fires."""
    last: dict[UUID, datetime] = {}
    for one in placed:
        if one.service is not None:
            end = one.occurrence.resolved_at or ENDLESS
            last[one.service.pk] = max(end, last.get(one.service.pk, end))
    return {service: None if end == ENDLESS else end for service, end in last.items()}


def _tell(incident: Incident, occurrences: Sequence[AlertOccurrence], episode: Episode) -> None:
    """Its rows and its timeline, in the order of then."""
    ended_at = episode.ended_at
    StatusChange.objects.create(
        incident=incident, from_status="", to_status=Status.OPEN, at=incident.started_at
    )
    for occurrence, item in zip(occurrences, episode.items, strict=True):
        occurrence.incident = incident
        occurrence.save(force_insert=True)
        if occurrence.resolved_at is None:
            _open(occurrence, item)
    signals.occurrences_joined.send(
        Incident, incident=incident, occurrences=occurrences, opened=True
    )
    over = [occurrence for occurrence in occurrences if occurrence.resolved_at is not None]
    if over:
        signals.occurrences_resolved.send(Incident, incident=incident, occurrences=over)
    if ended_at is not None:
        StatusChange.objects.create(
            incident=incident,
            from_status=Status.OPEN,
            to_status=Status.RESOLVED,
            at=ended_at,
            reason="All its alerts had resolved.",
        )
        signals.sealing.send(Incident, incident=incident, actor=None)
    live.changed(incident.pk, "header", "services")


def _open(occurrence: AlertOccurrence, item: Item) -> None:
    """The series fires: its sender's next words join this firing, or end it."""
    alert = Alert.objects.select_for_update(no_key=True).get(pk=occurrence.alert_id)
    mark = item.firing.fingerprint or digest(item.firing.labels)
    alert.members[mark] = {
        "firing": True,
        "from": occurrence.claimed_started_at.timestamp(),
        "until": None,
        "silent": False,
    }
    alert.firing, alert.latest_occurrence_id = True, occurrence.pk
    alert.save(update_fields=["members", "firing", "latest_occurrence_id"])
