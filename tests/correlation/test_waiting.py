"""A storm of alerts: bounded analysis, each incident's once, the worst first; the board says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import Role
from correlation import queue, waiting
from correlation.models import Analysis
from incidents.intake import alerts, grouping
from incidents.intake.received import ReceivedAlert
from incidents.models import Incident, Severity
from tests.incidents.conftest import MakeIncident, make_person

SEVERITIES = ("info", "critical", "warning", "high", "critical")


def storm(incidents: int, alerts_each: int) -> None:
    """One alert an incident first, then the others of each, minute by minute."""
    source = alerts.source_of("alertmanager", "alertmanager")
    start = timezone.now() - timedelta(minutes=alerts_each * incidents)
    for n in range(alerts_each):
        received = []
        for service in range(incidents):
            labels = {
                "alertname": f"Alert{n}",
                "service": f"service-{service}",
                "severity": SEVERITIES[service % len(SEVERITIES)],
            }
            began = start + timedelta(minutes=n * incidents + service)
            name = "/".join(labels.values())
            received.append(ReceivedAlert(True, labels, {}, name, "", began))
        alerts.store(source, "{}", received)
        grouping.run_waiting()


def test_a_storm_is_analysed_within_the_slots_worst_and_newest_first(
    db: None, settings: Any
) -> None:
    settings.CORRELATION_SLOTS = 10
    storm(incidents=50, alerts_each=4)

    claimed = [queue.claim_next() for _ in range(12)]

    assert Incident.objects.count() == 50
    assert Analysis.objects.count() == 50
    taken = [one.incident for one in claimed if one is not None]
    assert (len(taken), claimed[10:]) == (10, [None, None])
    worst = sorted(
        Incident.objects.filter(severity=Severity.CRITICAL), key=lambda one: one.started_at
    )
    assert taken == worst[: -len(taken) - 1 : -1]


def test_the_board_says_how_many_wait_for_a_slot(
    make_incident: MakeIncident, settings: Any
) -> None:
    settings.CORRELATION_SLOTS = 1
    for n in range(3):
        make_incident(f"incident {n}")
    queue.claim_next()
    client = Client()
    client.force_login(make_person("vera", Role.VIEWER))

    page = client.get("/").content.decode()

    assert "<strong>2 analyses wait</strong>" in page
    assert "1 of 1 run" in page


def test_the_board_says_that_nobody_takes_them(make_incident: MakeIncident) -> None:
    make_incident()
    Analysis.objects.update(queued_at=timezone.now() - timedelta(seconds=40))

    found = waiting.context()

    assert found is not None
    assert (found["waiting"], found["running"]) == (1, 0)
    assert found["oldest_seconds"] >= 40


def test_nothing_is_said_while_they_are_taken_as_they_come(make_incident: MakeIncident) -> None:
    nobody = waiting.context()
    make_incident()
    Analysis.objects.update(queued_at=timezone.now() + timedelta(minutes=1))
    just_queued = waiting.context()

    assert (nobody, just_queued) == (None, None)
