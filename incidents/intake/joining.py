"""Opens the incident that firings of one correlation key call for, or joins the open one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from incidents import edits, lifecycle, signals
from incidents.intake import reading
from incidents.intake.placing import Placed
from incidents.models import AlertOccurrence, Incident, Service, Severity

OLDEST_CREDIBLE_CLAIM = timedelta(hours=24)
AT_ONCE = 200
"""Occurrences that one transaction joins."""
MOST_TRIES = 5


def join(placed: Sequence[Placed]) -> list[Incident]:
    """Join firings of one key to one incident, opened if need be; the incidents they joined.

    A firing that another worker has joined meanwhile is left alone. An incident that is resolved
    or merged between finding and joining it is looked for again.
    """
    joined: list[Incident] = []
    for start in range(0, len(placed), AT_ONCE):
        part = placed[start : start + AT_ONCE]
        for _try in range(MOST_TRIES):
            opened = _open(part)
            if _attach(part, opened):
                joined.append(opened.incident)
                break
        else:
            raise RuntimeError(f"no incident stayed open for {part[0].key}")
    return joined


def _open(placed: Sequence[Placed]) -> lifecycle.Opened:
    first = min(placed, key=_urgency)
    alert = first.occurrence.alert
    now = timezone.now()
    claims = [one.occurrence.claimed_started_at for one in placed]
    return lifecycle.open_incident(
        title=reading.title_of(alert.name, alert.annotations, first.named),
        severity=first.severity,
        services=_services([first, *placed]),
        description=reading.description_of(
            alert.annotations, first.named, known=first.service is not None
        ),
        source=Incident.Source.ALERT,
        started_at=max(min(*claims, now), now - OLDEST_CREDIBLE_CLAIM),
        correlation_key=first.key,
        environment=first.environment,
    )


def _attach(placed: Sequence[Placed], opened: lifecycle.Opened) -> bool:
    """Give the incident its occurrences; False when it has ended meanwhile."""
    with transaction.atomic():
        # the incident first, then its occurrences: the order of all who lock both
        incident = edits.locked(opened.incident.pk)
        if incident.is_resolved or incident.merged_into_id:
            return False
        free = AlertOccurrence.objects.select_for_update().filter(
            pk__in=[one.occurrence.pk for one in placed], incident=None
        )
        mine = set(free.values_list("pk", flat=True))
        newcomers = [one for one in placed if one.occurrence.pk in mine]
        if not newcomers:
            return True
        for one in newcomers:
            one.occurrence.incident, one.occurrence.service = incident, one.service
        AlertOccurrence.objects.bulk_update(
            [one.occurrence for one in newcomers], ["incident", "service"]
        )
        _touch(incident, newcomers, opened.created)
        signals.occurrences_joined.send(
            Incident,
            incident=incident,
            occurrences=[one.occurrence for one in newcomers],
            opened=opened.created,
        )
    return True


def _touch(incident: Incident, newcomers: Sequence[Placed], opened: bool) -> None:
    """What the newcomers change of the incident: its services and its severity."""
    services = _services(newcomers)
    incident.affected.filter(service__in=services).update(recovered_at=None)
    if opened:
        return
    worst = min(newcomers, key=_urgency)
    reason = f"Alert {worst.occurrence.alert.name}"
    edits.add_services(incident=incident, services=services, reason=reason)
    edits.raise_severity(incident_id=incident.pk, to=worst.severity, reason=reason)


def _services(placed: Sequence[Placed]) -> list[Service]:
    return list(dict.fromkeys(one.service for one in placed if one.service is not None))


def _urgency(placed: Placed) -> tuple[int, object, object]:
    """The worst first, then the oldest."""
    severity = Severity.values.index(placed.severity)
    return severity, placed.occurrence.started_at, placed.occurrence.pk
