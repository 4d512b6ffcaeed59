"""Brings a series' occurrences in line with its members' claims, once words came out of order.

The store opens and closes occurrences as it hears of them, which is what the claims say too when
they come in order. After a late word, or where several members take turns, an occurrence may have
to begin earlier, to go on, to be divided, added or dropped for another that it turns out to be.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from incidents import edits, live, signals
from incidents.ids import time_ordered
from incidents.intake.firings import Firing, firings
from incidents.models import Alert, AlertOccurrence, Delivery, Incident


@dataclass(frozen=True)
class Unsettled:
    """A series whose occurrences may differ from its claims, and a delivery that changed it."""

    alert_id: UUID
    delivery_id: UUID


def unsettled(deliveries: Iterable[UUID]) -> list[Unsettled]:
    """The series that these changed and that came out of order or have several members."""
    rows = AlertOccurrence.objects.filter(delivery__in=list(deliveries)).order_by("alert", "id")
    found: dict[UUID, Unsettled] = {}
    for alert_id, delivery_id, members in rows.values_list(
        "alert_id", "delivery_id", "alert__members"
    ):
        if delivery_id and (len(members) > 1 or any(one.get("past") for one in members.values())):
            found[alert_id] = Unsettled(alert_id, delivery_id)
    return list(found.values())


def settle(series: Sequence[Unsettled]) -> list[UUID]:
    """A transaction for each; those of which an occurrence was changed."""
    return [one.alert_id for one in series if _settle(one.alert_id)]


@transaction.atomic
def _settle(alert_id: UUID) -> bool:
    # the series first, as deliveries lock them, then incidents, then occurrences
    alert = Alert.objects.select_for_update(no_key=True).get(pk=alert_id)
    told = firings(alert.members)
    if not told:
        return False
    recent = alert.occurrences.filter(
        Q(claimed_started_at__gte=_moment(told[0].start)) | Q(resolved_at=None)
    )
    joined = set(recent.exclude(incident=None).values_list("incident_id", flat=True))
    incidents = {pk: edits.locked(pk) for pk in sorted(joined) if pk is not None}
    rows = list(recent.order_by("claimed_started_at", "started_at", "id"))
    pairs, spare = _pair(told, rows, {pk for pk, one in incidents.items() if _takes(one)})
    by = Delivery.objects.filter(pk__in=[alert.changed_by]).values_list("pk", flat=True).first()
    AlertOccurrence.objects.filter(pk__in=[row.pk for row in spare]).delete()
    touched = {row.incident_id for row in spare}
    latest = alert.latest_occurrence_id
    # what is over first: a series has one open occurrence at most
    for firing, row in sorted(pairs, key=lambda pair: pair[0].is_open):
        settled, different = _settled(alert, firing, row, by)
        if different:
            touched.add(settled.incident_id)
        if firing is told[-1]:
            latest = settled.pk
    for pk in incidents.keys() & touched:
        live.changed(pk, "alerts")
    if latest != alert.latest_occurrence_id:
        alert.latest_occurrence_id = latest
        alert.save(update_fields=["latest_occurrence_id"])
    return bool(touched)


def _takes(incident: Incident) -> bool:
    return not incident.is_resolved and incident.merged_into_id is None


def _pair(
    told: Sequence[Firing], rows: Sequence[AlertOccurrence], active: Container[UUID | None]
) -> tuple[list[tuple[Firing, AlertOccurrence | None]], list[AlertOccurrence]]:
    """Each firing with its occurrence, None where it has none yet; and the occurrences too many.

    An occurrence belongs to the firing that it began in, the open one to the firing that is open.
    Of several the one with an active incident is kept; what an incident that is over has stays
    there.
    """
    is_open = told[-1].is_open
    still_open = next((row for row in rows if row.resolved_at is None), None)
    placed = still_open is not None and any(_within(still_open, one) for one in told)
    pairs: list[tuple[Firing, AlertOccurrence | None]] = []
    spare: list[AlertOccurrence] = []
    for firing in told:
        mine = [row for row in rows if _within(row, firing) and not (is_open and row is still_open)]
        if firing is told[-1] and still_open is not None and (is_open or not placed):
            mine.append(still_open)
        if firing.is_open:
            mine = [row for row in mine if row is still_open or _is_free(row, active)]
        mine.sort(key=lambda row: _rank(row, still_open, active))
        kept = mine[0] if mine else None
        pairs.append((firing, kept))
        spare += [
            row
            for row in mine[1:]
            if row.incident_id is None or (kept and row.incident_id == kept.incident_id)
        ]
    return pairs, spare


def _is_free(row: AlertOccurrence, active: Container[UUID | None]) -> bool:
    return row.incident_id is None or row.incident_id in active


def _rank(
    row: AlertOccurrence, still_open: AlertOccurrence | None, active: Container[UUID | None]
) -> tuple[bool, bool, bool]:
    """The lowest is kept."""
    return row.incident_id not in active, row is not still_open, row.incident_id is None


def _within(row: AlertOccurrence, firing: Firing) -> bool:
    at = row.claimed_started_at.timestamp()
    return firing.start == at or firing.start <= at < firing.end


def _settled(
    alert: Alert, firing: Firing, row: AlertOccurrence | None, by: UUID | None
) -> tuple[AlertOccurrence, bool]:
    """The occurrence as its firing is claimed, and whether that is another than before."""
    now = timezone.now()
    began = _moment(firing.start)
    after = row or AlertOccurrence(
        id=time_ordered(), alert=alert, started_at=min(began, now), resolved_at=None
    )
    before = (after.claimed_started_at, after.started_at, after.resolved_at, after.fired)
    again = firing.is_open and after.end_told_at is not None
    after.claimed_started_at = began
    after.started_at = min(after.started_at, began)
    if firing.is_open:
        after.resolved_at = after.end_told_at = None
    elif after.resolved_at is None:
        after.resolved_at = max(min(_moment(firing.end), now), after.started_at)
    after.fired = firing.fired or after.incident_id is not None
    now_is = (after.claimed_started_at, after.started_at, after.resolved_at, after.fired)
    if row is not None and before == now_is:
        return after, False
    after.delivery_id = by
    after.save()
    if again:
        _fires_on(after)
    return after, True


def _fires_on(occurrence: AlertOccurrence) -> None:
    """Its incident was told that it is over: it hears of it anew."""
    incident = occurrence.incident
    if incident is not None:
        incident.affected.filter(service=occurrence.service_id).update(recovered_at=None)
        signals.occurrences_joined.send(
            Incident, incident=incident, occurrences=[occurrence], opened=False
        )


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
