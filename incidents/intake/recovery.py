"""What the ends of alerts mean for their incidents: services recover, quiet incidents resolve."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.utils import timezone

from incidents import edits, lifecycle, live, signals
from incidents.models import AffectedService, AlertOccurrence, Incident, Status, StatusChange

FROM_ALERTS = (Incident.Source.ALERT, Incident.Source.BACKFILL)


def untold(occurrences: QuerySet[AlertOccurrence]) -> list[AlertOccurrence]:
    """Those that have ended and whose incident does not know it yet."""
    ended = occurrences.filter(end_told_at=None).exclude(incident=None).exclude(resolved_at=None)
    return list(ended.select_related("alert", "service").order_by("incident", "resolved_at", "id"))


def by_incident(ended: Sequence[AlertOccurrence]) -> list[list[AlertOccurrence]]:
    return [list(group) for _key, group in groupby(ended, key=lambda one: one.incident_id)]


def recover(ended: Sequence[AlertOccurrence]) -> list[AlertOccurrence]:
    """Tell one incident that these occurrences are over; those it did not know of."""
    with transaction.atomic():
        incident_id = ended[0].incident_id
        assert incident_id is not None  # `untold` leaves out those without
        incident = edits.locked(incident_id)
        rows = AlertOccurrence.objects.filter(pk__in=[one.pk for one in ended], end_told_at=None)
        mine = set(rows.select_for_update().values_list("pk", flat=True))
        told = [one for one in ended if one.pk in mine]
        if not told:
            return []
        rows.filter(pk__in=mine).update(end_told_at=timezone.now())
        live.changed(incident.pk, "alerts")
        _note_recovery(incident, told)
        signals.occurrences_resolved.send(Incident, incident=incident, occurrences=told)
    return told


def _note_recovery(incident: Incident, ended: Sequence[AlertOccurrence]) -> None:
    """An affected service has recovered once no alert fires on it any more."""
    last = {one.service_id: one.resolved_at for one in ended if one.service_id}
    firing = incident.occurrences.filter(resolved_at=None, service__in=last.keys())
    still = set(firing.values_list("service_id", flat=True))
    for service_id, at in last.items():
        if service_id not in still:
            AffectedService.objects.filter(
                incident=incident, service_id=service_id, recovered_at=None
            ).update(recovered_at=at)


def resolve_delay(incident: Incident) -> timedelta:
    """How long its alerts are to have been over before the incident is."""
    rule = incident.grouping_rule
    if rule is None or rule.resolve_delay_seconds is None:
        return timedelta(seconds=settings.RESOLVE_HOLD_DOWN_SECONDS)
    return timedelta(seconds=rule.resolve_delay_seconds)


def resolve_quiet(now: datetime | None = None) -> int:
    """Resolve incidents that alerts opened once all their alerts have been quiet for the
    resolve delay of their rule and none of them flaps; how many. One that a person has reopened
    since its last alert ended is left to people."""
    now = now or timezone.now()
    return sum(
        _resolve_if_quiet(incident.pk, now) for incident in _quiet() if _is_due(incident, now)
    )


def _resolve_if_quiet(incident_id: UUID, now: datetime) -> bool:
    """Looks again under the lock: since it was found an alert may have joined it, or a merge
    have brought some."""
    with transaction.atomic():
        edits.locked(incident_id)
        incident = _quiet().filter(pk=incident_id).first()
        if incident is None or not _is_due(incident, now):
            return False
        lifecycle.change_status(
            incident_id=incident_id,
            to=Status.RESOLVED,
            actor=None,
            reason="All its alerts have resolved.",
        )
    return True


def _quiet() -> QuerySet[Incident, Any]:
    """Unresolved incidents all of whose alerts have ended."""
    by_hand = StatusChange.objects.filter(incident=OuterRef("pk"), from_status=Status.RESOLVED)
    by_hand = by_hand.exclude(actor=None).order_by("-at")
    return (
        Incident.objects.active()
        .filter(source__in=FROM_ALERTS, occurrences__isnull=False)
        .exclude(occurrences__resolved_at=None)
        .exclude(occurrences__alert__flapping_since__isnull=False)
        .annotate(
            last_resolved_at=Max("occurrences__resolved_at"),
            last_told_at=Max("occurrences__end_told_at"),
            reopened_at=Subquery(by_hand.values("at")[:1]),
        )
        .select_related("grouping_rule")
    )


def _is_due(quiet: Any, now: datetime) -> bool:
    if quiet.reopened_at and not (quiet.last_told_at and quiet.last_told_at > quiet.reopened_at):
        return False
    return bool(quiet.last_resolved_at <= now - resolve_delay(quiet))
