"""Brings firings of one correlation key to their incident: joined, reopened or opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from incidents import edits, keys, lifecycle, live, signals
from incidents.intake import minimum, prospects, reading
from incidents.intake.beginnings import OLDEST_CREDIBLE_CLAIM
from incidents.intake.placing import Placed
from incidents.models import AlertOccurrence, Incident, Service, Severity

AT_ONCE = 200
"""Occurrences that one transaction joins."""
MOST_TRIES = 5


@dataclass(frozen=True)
class _Found:
    """The incident that takes `placed`; `how` and `why` are kept with each occurrence, and so is
    the merged incident `through` whose key they came, for when it is apart again."""

    incident: Incident
    placed: Sequence[Placed]
    how: str
    why: str
    through: Incident | None = None

    @property
    def opened(self) -> bool:
        return self.how == "opened"


def join(placed: Sequence[Placed]) -> list[Incident]:
    """Bring firings of one key to their incidents; those they joined.

    A firing that another worker has joined meanwhile is left alone, and one whose rule waits
    for more alerts waits. An incident that is resolved or merged between finding and joining it
    is looked for again.
    """
    joined: list[Incident] = []
    left = sorted(placed, key=lambda one: (one.occurrence.started_at, one.occurrence.pk))
    tries = 0
    while left:
        found = _find(left)
        if found is None:
            break
        if _attach(found):
            joined.append(found.incident)
            gone = {one.occurrence.pk for one in found.placed}
            left = [one for one in left if one.occurrence.pk not in gone]
            tries = 0
            continue
        tries += 1
        if tries == MOST_TRIES:
            raise RuntimeError(f"no incident stayed open for {left[0].key}")
    return joined


def _find(left: Sequence[Placed]) -> _Found | None:
    """The incident for the oldest of the firings and those it takes; None when they wait."""
    rule, key = left[0].rule, left[0].key
    began = [one.occurrence.started_at for one in left]
    prospect = prospects.look(rule, key, began, min(one.received_at for one in left))
    taking = left[: min(prospect.takes, AT_ONCE)]
    if prospect.incident is not None:
        if prospect.how == "reopened":
            _reopen(prospect.incident, taking[0], prospect.why)
        return _Found(prospect.incident, taking, prospect.how, prospect.why, prospect.through)
    if rule.minimum_alerts > 1:
        taking = minimum.reached(rule, key, left)
        if not taking:
            return None
    if prospect.outlived is not None:
        keys.retire(prospect.outlived)
    return _open(taking, prospect.why)


def _reopen(incident: Incident, first: Placed, why: str) -> None:
    reason = f"Alert {first.occurrence.alert.name}. {why}"
    try:
        lifecycle.reopen(incident_id=incident.pk, actor=None, reason=reason)
    except lifecycle.TransitionRefused:
        pass  # somebody was faster; joining looks at what it is now


def _open(placed: Sequence[Placed], why: str) -> _Found:
    first = min(placed, key=urgency)
    alert, rule = first.occurrence.alert, first.rule
    near = timedelta(seconds=settings.JOIN_NEIGHBOURS_SECONDS) if rule.join_neighbours else None
    opened = lifecycle.open_incident(
        title=reading.title_of(alert.name, alert.annotations, first.found.named),
        severity=first.severity,
        services=services_of([first, *placed]),
        description=description(first),
        source=Incident.Source.ALERT,
        started_at=_started_at(placed),
        correlation_key=first.key,
        environment=first.found.subject.environment,
        grouping_rule=rule.id,
        join_neighbours=near,
        labels=alert.labels,
    )
    how = "opened" if opened.created else "key"
    if opened.similarity is not None:
        how, why = "similar", str(opened.similarity)
    if opened.neighbour is not None:
        how, why = "neighbour", f"{opened.neighbour}."
    return _Found(opened.incident, placed, how, why)


def description(first: Placed) -> str:
    """The alert's own words, and what could not be read off it."""
    own = first.occurrence.alert.annotations.get("description", "")
    severe = first.found.severe
    unknown = f"{severe.why} Taken as {severe.severity}." if severe.value and severe.why else ""
    return "\n\n".join(part for part in (own, first.found.missing, unknown) if part)


def _started_at(placed: Sequence[Placed]) -> datetime:
    """The earliest claim that is neither in the future nor too old to believe."""
    now = timezone.now()
    claims = [one.occurrence.claimed_started_at for one in placed]
    return max(min(*claims, now), now - OLDEST_CREDIBLE_CLAIM)


def _attach(found: _Found) -> bool:
    """Give the incident its occurrences; False when it has ended meanwhile."""
    with transaction.atomic():
        # the incident first, then its occurrences: the order of all who lock both
        incident = edits.locked(found.incident.pk)
        if incident.is_resolved or incident.merged_into_id:
            return False
        free = AlertOccurrence.objects.select_for_update().filter(
            pk__in=[one.occurrence.pk for one in found.placed], incident=None
        )
        mine = set(free.values_list("pk", flat=True))
        newcomers = [one for one in found.placed if one.occurrence.pk in mine]
        if not newcomers:
            return True
        for one in newcomers:
            one.occurrence.incident, one.occurrence.service = incident, one.service
            one.occurrence.waiting_key = ""
            one.occurrence.joined_by = {
                "rule": one.rule.name,
                "how": found.how,
                "why": found.why,
                "named": one.found.named,
                "severity": one.severity.value,
                "through": str(found.through.pk) if found.through else None,
            }
        AlertOccurrence.objects.bulk_update(
            [one.occurrence for one in newcomers],
            ["incident", "service", "waiting_key", "joined_by"],
        )
        live.changed(incident.pk, "alerts")
        _touch(incident, newcomers, found)
        signals.occurrences_joined.send(
            Incident,
            incident=incident,
            occurrences=[one.occurrence for one in newcomers],
            opened=found.opened,
        )
    return True


def _touch(incident: Incident, newcomers: Sequence[Placed], found: _Found) -> None:
    """What the newcomers change of the incident: its services and its severity."""
    services = services_of(newcomers)
    incident.affected.filter(service__in=services).update(recovered_at=None)
    if found.opened:
        return
    worst = min(newcomers, key=urgency)
    name = worst.occurrence.alert.name
    edits.add_services(incident=incident, services=services, reason=f"Alert {name}. {found.why}")
    edits.raise_severity(incident_id=incident.pk, to=worst.severity, reason=f"Alert {name}")


def services_of(placed: Sequence[Placed]) -> list[Service]:
    return list(dict.fromkeys(one.service for one in placed if one.service is not None))


def urgency(placed: Placed) -> tuple[int, object, object]:
    """The worst first, then the oldest."""
    severity = Severity.values.index(placed.severity)
    return severity, placed.occurrence.started_at, placed.occurrence.pk
