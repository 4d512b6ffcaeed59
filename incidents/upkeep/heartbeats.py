"""Watchdogs: alerts that always fire feed a heartbeat, and one that stops is an incident.

A beat is a firing delivery of a series of the heartbeat, while it is suppressed a reading too. Each
series must beat for itself; those of one heartbeat that are silent at the same time share an
incident, which resolves when all of them are back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Prefetch, QuerySet
from django.utils import timezone

from incidents import lifecycle, signals
from incidents.intake.matchers import all_fit
from incidents.models import (
    AlertOccurrence,
    AlertSource,
    Heartbeat,
    Incident,
    Pulse,
    Status,
)
from incidents.upkeep.stale import PATIENCE

WATCHDOG = ["alertname=Watchdog"]
START = timedelta(minutes=3)
"""While we were down nothing could be delivered. An Alertmanager sends what it could not at the
next group_interval, a minute in the settings that we print; the rest is for our own start."""


@dataclass(frozen=True)
class Beating:
    """A pulse as it is: when it last beat, whether its sender said that it ended."""

    pulse: Pulse
    beat_at: datetime
    ended: bool

    @classmethod
    def at(cls, row: Any) -> Beating:
        """`row` is one of `pulse_rows`."""
        seen = row.alert.last_seen_at
        return cls(row, seen if row.firing else row.ended_at or seen, not row.firing)

    @classmethod
    def of(cls, heartbeat: Heartbeat) -> list[Beating]:
        """Those of a heartbeat that was read `with_pulses`."""
        found = []
        for row in heartbeat.pulses.all():
            row.heartbeat = heartbeat
            found.append(cls.at(row))
        return found

    @property
    def due_at(self) -> datetime:
        return self.pulse.due_at(self.beat_at, ended=self.ended)


def beats(occurrences: Sequence[AlertOccurrence]) -> dict[UUID, Heartbeat]:
    """Which of these firings are beats, by occurrence; their series are pulses from now on.

    The first Watchdog of a source makes a heartbeat of its own. `alert.source` is loaded.
    """
    sources = {o.alert.source_id: o.alert.source for o in occurrences}
    known: dict[UUID, list[Heartbeat]] = {pk: [] for pk in sources}
    for row in Heartbeat.objects.filter(source__in=sources).order_by("created_at", "id"):
        known[row.source_id].append(row)
    found: dict[UUID, Heartbeat] = {}
    for occurrence in occurrences:
        heartbeat = _of(occurrence, known)
        if heartbeat is not None:
            found[occurrence.pk] = heartbeat
    Pulse.objects.bulk_create(
        [
            Pulse(alert=occurrence.alert, heartbeat=found[occurrence.pk])
            for occurrence in occurrences
            if occurrence.pk in found
        ],
        ignore_conflicts=True,
    )
    return found


def fed_by(source: AlertSource, labels: Mapping[str, str]) -> str:
    """The name of the heartbeat that such an alert would feed, "" for none; makes none."""
    for heartbeat in Heartbeat.objects.filter(source_id=source.pk).order_by("created_at", "id"):
        if all_fit(heartbeat.matchers, labels):
            return heartbeat.name
    return "Watchdog" if all_fit(WATCHDOG, labels) else ""


def _of(occurrence: AlertOccurrence, known: dict[UUID, list[Heartbeat]]) -> Heartbeat | None:
    alert = occurrence.alert
    for heartbeat in known[alert.source_id]:
        if all_fit(heartbeat.matchers, alert.labels):
            return heartbeat
    if not all_fit(WATCHDOG, alert.labels):
        return None
    made = _make(alert.source)
    known[alert.source_id].append(made)
    return made


def _make(source: AlertSource) -> Heartbeat:
    """The heartbeat of a source's Watchdog, as slow as its sender may repeat it."""
    repeat = source.repeat_interval_seconds or settings.ALERT_REPEAT_INTERVAL_SECONDS
    made, _created = Heartbeat.objects.get_or_create(
        source=source,
        name="Watchdog",
        defaults={
            "matchers": WATCHDOG,
            "interval_seconds": repeat,
            "grace_seconds": max(60.0, repeat * (PATIENCE - 1)),
            "automatic": True,
        },
    )
    return made


def pulse_rows() -> QuerySet[Pulse]:
    """Every pulse with what `Beating.at` needs, oldest series first."""
    firing = AlertOccurrence.objects.filter(alert=OuterRef("alert"), resolved_at=None)
    rows = Pulse.objects.select_related("alert", "incident").annotate(
        firing=Exists(firing), ended_at=Max("alert__occurrences__resolved_at")
    )
    return rows.order_by("alert__first_seen_at", "alert")


def with_pulses() -> Prefetch[Any]:
    """For a queryset of heartbeats, so that `Beating.of` asks nothing more."""
    return Prefetch("pulses", pulse_rows())


def check(now: datetime | None = None, *, up_since: datetime | None = None) -> tuple[int, int]:
    """Open incidents of what has stopped, resolve those of what is back; (stopped, back).

    Nothing is called stopped within START of `up_since`.
    """
    now = now or timezone.now()
    may_stop = up_since is None or up_since + START <= now
    stopped = back = 0
    rows = pulse_rows().filter(heartbeat__enabled=True).select_related("heartbeat__source")
    for one in map(Beating.at, rows):
        silent = one.due_at <= now
        if silent and one.pulse.stopped_at is None:
            stopped += _stop(one, now) if may_stop else 0
        elif not silent and one.pulse.stopped_at is not None:
            back += _back(one)
    return stopped, back


def _stop(one: Beating, now: datetime) -> int:
    pulse, heartbeat = one.pulse, one.pulse.heartbeat
    with transaction.atomic():
        Heartbeat.objects.select_for_update().get(pk=heartbeat.pk)
        if not Pulse.objects.filter(pk=pulse.pk, stopped_at=None).update(stopped_at=now):
            return 0
        incident = _incident_of(heartbeat, one)
        Pulse.objects.filter(pk=pulse.pk).update(incident=incident)
        signals.heartbeat_changed.send(
            Incident, incident=incident, pulse=pulse, stopped=True, beat_at=one.beat_at
        )
    return 1


def _incident_of(heartbeat: Heartbeat, one: Beating) -> Incident:
    """The open incident of the heartbeat; the one that was resolved just now, reopened; or new."""
    source = heartbeat.source
    last = (
        Incident.objects.filter(pulses__heartbeat=heartbeat, merged_into=None)
        .order_by("-started_at", "-id")
        .first()
    )
    recent = timezone.now() - timedelta(seconds=settings.REOPEN_WINDOW_SECONDS)
    if last is not None and last.resolved_at is not None and last.resolved_at >= recent:
        return lifecycle.reopen(
            incident_id=last.pk, actor=None, reason="The heartbeat has stopped again."
        )
    return lifecycle.open_incident(
        title=f"Heartbeat {heartbeat.name} of source {source.slug} has stopped"[:300],
        severity=heartbeat.severity,
        services=[],
        description=(
            f"No alert {label_words(one.pulse)} since {one.beat_at:%Y-%m-%d %H:%M:%S} UTC. "
            "While it is silent, alerts of this source may not arrive."
        ),
        source=Incident.Source.HEARTBEAT,
        started_at=one.beat_at,
        correlation_key=f"heartbeat:{heartbeat.pk}",
        environment=source.environment,
    ).incident


def _back(one: Beating) -> int:
    pulse = one.pulse
    with transaction.atomic():
        # two pulses that are back at once would each see the other silent
        Heartbeat.objects.select_for_update().get(pk=pulse.heartbeat_id)
        if not Pulse.objects.filter(pk=pulse.pk).exclude(stopped_at=None).update(stopped_at=None):
            return 0
        incident = pulse.incident
        if incident is None or incident.merged_into_id or incident.is_resolved:
            return 1
        signals.heartbeat_changed.send(
            Incident, incident=incident, pulse=pulse, stopped=False, beat_at=one.beat_at
        )
        if Pulse.objects.filter(incident=incident).exclude(stopped_at=None).exists():
            return 1
        lifecycle.change_status(
            incident_id=incident.pk,
            to=Status.RESOLVED,
            actor=None,
            reason=f"The heartbeat {pulse.heartbeat.name} is back.",
        )
    return 1


def label_words(pulse: Pulse) -> str:
    """The series in words: `Watchdog (cluster=eu-1)`."""
    alert = pulse.alert
    telling = {k: v for k, v in alert.labels.items() if k not in ("alertname", "severity")}
    words = ", ".join(f"{name}={value}" for name, value in sorted(telling.items()))
    return f"{alert.name} ({words})" if words else alert.name
