"""Watchdogs: their beats open nothing, their silence does."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from incidents import lifecycle
from incidents.models import Alert, AlertSource, Heartbeat, Incident, Pulse, Severity
from incidents.upkeep import heartbeats
from tests.incidents.threads import in_threads
from tests.incidents.upkeep.conftest import Deliver
from timeline.models import TimelineEvent

MINUTE = timedelta(minutes=1)


@pytest.fixture
def heartbeat(source: AlertSource) -> Heartbeat:
    """Expected every five minutes, one minute late at most."""
    return Heartbeat.objects.create(
        source=source,
        name="Watchdog",
        matchers=["alertname=Watchdog"],
        interval_seconds=300,
        grace_seconds=60,
    )


def beat(deliver: Deliver, at: datetime, **labels: str) -> None:
    occurrence = deliver(alertname="Watchdog", **labels)
    assert occurrence is not None
    Alert.objects.filter(pk=occurrence.alert_id).update(last_seen_at=at)


def test_rule_9_watchdog_feeds_a_heartbeat_whose_silence_is_the_incident(
    deliver: Deliver, source: AlertSource, heartbeat: Heartbeat
) -> None:
    now = timezone.now()
    beat(deliver, now)
    opened_by_beats = Incident.objects.count()

    checks = [
        heartbeats.check(now + 5.9 * MINUTE),
        heartbeats.check(now + 6 * MINUTE),
        heartbeats.check(now + 60 * MINUTE),
    ]

    incident = Incident.objects.get()
    assert (opened_by_beats, checks) == (0, [(0, 0), (1, 0), (0, 0)])
    assert incident.title == "Heartbeat Watchdog of source alertmanager has stopped"
    assert (incident.source, incident.severity) == ("heartbeat", Severity.HIGH)
    assert incident.started_at == now


def test_heartbeat_that_is_back_resolves_its_incident(
    deliver: Deliver, heartbeat: Heartbeat
) -> None:
    now = timezone.now()
    beat(deliver, now - 10 * MINUTE)
    heartbeats.check(now)
    beat(deliver, now)

    back = heartbeats.check(now)

    incident = Incident.objects.get()
    assert (back, incident.status) == ((0, 1), "resolved")
    told = TimelineEvent.objects.filter(kind="heartbeat").order_by("seq")
    assert [event.title.partition(":")[0].partition(" since")[0] for event in told] == [
        "Watchdog (service=checkout) has stopped",
        "Watchdog (service=checkout) is back",
    ]


def test_heartbeat_that_stops_again_reopens_its_recent_incident(
    deliver: Deliver, heartbeat: Heartbeat
) -> None:
    now = timezone.now()
    beat(deliver, now - 10 * MINUTE)
    heartbeats.check(now)
    beat(deliver, now)
    heartbeats.check(now)

    heartbeats.check(now + 10 * MINUTE)

    assert Incident.objects.get().status == "investigating"


def test_nothing_is_called_stopped_until_senders_could_deliver_after_our_start(
    deliver: Deliver, heartbeat: Heartbeat
) -> None:
    now = timezone.now()
    beat(deliver, now - 60 * MINUTE)

    checks = [heartbeats.check(now + at * MINUTE, up_since=now) for at in (0, 2.9, 3, 4)]

    assert checks == [(0, 0), (0, 0), (1, 0), (0, 0)]


def test_what_had_stopped_is_not_back_because_we_start(
    deliver: Deliver, heartbeat: Heartbeat
) -> None:
    now = timezone.now()
    beat(deliver, now - 60 * MINUTE)
    heartbeats.check(now)

    assert heartbeats.check(now + MINUTE, up_since=now) == (0, 0)


def test_first_watchdog_of_a_source_makes_its_heartbeat(
    deliver: Deliver, source: AlertSource
) -> None:
    deliver(alertname="Watchdog")
    deliver(alertname="Watchdog", cluster="eu-1")

    made = Heartbeat.objects.get()
    assert (made.source, made.matchers, made.automatic) == (source, ["alertname=Watchdog"], True)
    assert (made.interval_seconds, made.grace_seconds) == (14_400, 3_600)
    assert Pulse.objects.count() == 2


def test_every_series_beats_for_itself_and_silent_ones_share_an_incident(
    deliver: Deliver, heartbeat: Heartbeat
) -> None:
    now = timezone.now()
    for cluster in ("eu-1", "us-1", "us-2"):
        beat(deliver, now - 10 * MINUTE, cluster=cluster)
    beat(deliver, now, cluster="eu-1")

    stopped = heartbeats.check(now)
    beat(deliver, now, cluster="us-1")
    one_back = (heartbeats.check(now), Incident.objects.get().is_resolved)
    beat(deliver, now, cluster="us-2")
    all_back = (heartbeats.check(now), Incident.objects.get().is_resolved)

    assert (stopped, one_back, all_back) == ((2, 0), ((0, 1), False), ((0, 1), True))


def test_resolved_watchdog_counts_as_stopped_after_the_grace(
    deliver: Deliver, heartbeat: Heartbeat
) -> None:
    deliver(alertname="Watchdog")
    deliver("resolved", alertname="Watchdog")

    now = timezone.now()

    assert heartbeats.check(now + 0.5 * MINUTE) == (0, 0)
    assert heartbeats.check(now + 1.1 * MINUTE) == (1, 0)


def test_disabled_heartbeat_still_keeps_its_alerts_from_incidents(
    deliver: Deliver, heartbeat: Heartbeat
) -> None:
    Heartbeat.objects.update(enabled=False)
    deliver(alertname="Watchdog")

    checked = heartbeats.check(timezone.now() + 60 * MINUTE)

    assert (checked, Incident.objects.count()) == ((0, 0), 0)


def test_incident_that_a_person_resolved_is_not_opened_again_by_the_same_silence(
    deliver: Deliver, heartbeat: Heartbeat
) -> None:
    now = timezone.now()
    beat(deliver, now - 10 * MINUTE)
    heartbeats.check(now)
    lifecycle.resolve(incident_id=Incident.objects.get().pk, actor=None)

    again = heartbeats.check(now + 10 * MINUTE)

    assert (again, Incident.objects.get().status) == ((0, 0), "resolved")


def test_other_alerts_of_the_source_open_incidents(deliver: Deliver, heartbeat: Heartbeat) -> None:
    deliver()

    assert Incident.objects.count() == 1
    assert Pulse.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_eight_checks_at_once_open_one_incident_and_resolve_it_once(
    deliver: Deliver, heartbeat: Heartbeat
) -> None:
    now = timezone.now()
    for cluster in ("eu-1", "us-1", "us-2"):
        beat(deliver, now - 10 * MINUTE, cluster=cluster)

    checks: list[tuple[int, int]] = []

    in_threads(lambda _n: checks.append(heartbeats.check(now)))
    opened = Incident.objects.get().status
    Alert.objects.update(last_seen_at=now)
    in_threads(lambda _n: checks.append(heartbeats.check(now)))

    assert [sum(column) for column in zip(*checks, strict=True)] == [3, 3]
    assert (opened, Incident.objects.get().status) == ("open", "resolved")
