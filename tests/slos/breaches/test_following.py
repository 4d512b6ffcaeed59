"""Rows of breaches as evaluations come and go, and the alerts that they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from incidents.intake import grouping
from incidents.models import AlertOccurrence, AlertSource, Delivery, Incident
from slos import breaches
from slos.breaches import alerting
from slos.breaches.following import follow
from slos.models import SLO, SLOBreach

Make = Callable[..., SLO]
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def judged(
    firing: bool = True, burn: float | None = 20.0, severity: str = "page"
) -> list[dict[str, Any]]:
    return [
        {
            "severity": severity,
            "long_seconds": 3600.0,
            "short_seconds": 300.0,
            "factor": 14.4,
            "firing": firing,
            "long_burn": burn,
            "short_burn": burn,
            "held_back": "",
        }
    ]


@pytest.fixture
def slo(make_slo: Make) -> SLO:
    slo = make_slo()
    slo.status, slo.judgements, slo.budget_remaining = "critical", judged(), 0.5
    return slo


def after(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_policy_that_fires_begins_one_breach(slo: SLO) -> None:
    follow([slo], NOW)
    follow([slo], after(1))

    row = SLOBreach.objects.get()
    assert (row.policy, row.severity, row.factor) == ("1h/5m", "page", 14.4)
    assert (row.started_at, row.ended_at, row.peak_burn_rate) == (NOW, None, 20.0)


def test_breach_keeps_its_highest_burn(slo: SLO) -> None:
    follow([slo], NOW)
    for burn in (80.0, 30.0):
        slo.judgements = judged(burn=burn)
        follow([slo], after(1))

    row = SLOBreach.objects.get()
    assert (row.peak_burn_rate, row.burn_rate) == (80.0, 30.0)


def test_breach_ends_when_its_policy_does(slo: SLO) -> None:
    follow([slo], NOW)
    slo.judgements = judged(firing=False, burn=3.0)

    done = follow([slo], after(5))

    row = SLOBreach.objects.get()
    assert (row.ended_at, row.ended_by) == (after(5), "recovery")
    assert list(done.ended) == [row]


def test_policy_that_was_removed_ends_as_edited(slo: SLO) -> None:
    follow([slo], NOW)
    slo.judgements = []

    follow([slo], after(5))

    assert SLOBreach.objects.get().ended_by == "edit"


def test_breach_of_a_disabled_slo_ends(slo: SLO) -> None:
    follow([slo], NOW)
    SLO.objects.update(enabled=False)

    follow([], after(5))

    assert SLOBreach.objects.get().ended_at == after(5)


def test_spent_budget_is_a_breach_that_a_gap_does_not_end(slo: SLO) -> None:
    slo.status, slo.judgements, slo.budget_remaining = "exhausted", [], -0.5
    follow([slo], NOW)
    slo.status, slo.budget_remaining = "no_data", None
    follow([slo], after(1))

    row = SLOBreach.objects.get()
    assert (row.policy, row.ended_at, row.peak_burn_rate) == ("budget", None, 1.5)

    slo.status, slo.budget_remaining = "healthy", 0.1
    follow([slo], after(2))
    row.refresh_from_db()
    assert row.ended_at == after(2)


def test_database_refuses_a_second_open_breach_of_a_policy(slo: SLO) -> None:
    follow([slo], NOW)

    with pytest.raises(IntegrityError), transaction.atomic():
        SLOBreach.objects.create(
            slo=slo, policy="1h/5m", severity="page", factor=1.0, started_at=after(1)
        )


def test_breaches_of_an_slo_are_those_that_went_on_since(slo: SLO) -> None:
    follow([slo], NOW)
    slo.judgements = judged(firing=False)
    follow([slo], after(5))

    assert breaches.of_slo(slo, since=after(4)).count() == 1
    assert breaches.of_slo(slo, since=after(6)).count() == 0
    assert breaches.of_slo(slo).count() == 1


def told(slo: SLO, at: datetime) -> None:
    with transaction.atomic():
        followed = follow([slo], at)
        alerting.tell(followed.begun, followed.ended)
    grouping.run_waiting()


def test_page_opens_an_incident_of_its_service(slo: SLO) -> None:
    told(slo, NOW)

    incident = Incident.objects.get()
    assert [row.service.slug for row in incident.affected.all()] == ["payment-processing"]
    assert (incident.severity, incident.source) == ("critical", "alert")  # tier 1, above 14.4
    assert incident.title == (
        "payment-processing: payment-processing-availability burns too fast (1h/5m)"
    )
    assert "raised a step: tier 1" in incident.description.lower()


def test_page_joins_the_open_incident_of_its_service(slo: SLO) -> None:
    told(slo, NOW)
    slo.judgements = judged(firing=False)
    told(slo, after(5))
    slo.judgements = judged()
    told(slo, after(9))

    assert Incident.objects.count() == 1
    assert AlertOccurrence.objects.count() == 2


def test_end_of_a_breach_ends_its_alert(slo: SLO) -> None:
    told(slo, NOW)
    slo.judgements = judged(firing=False)

    told(slo, after(5))

    occurrence = AlertOccurrence.objects.get()
    assert occurrence.resolved_at is not None
    assert occurrence.started_at == NOW


def test_ticket_opens_a_low_incident_or_none_by_setting(slo: SLO, settings: Any) -> None:
    slo.judgements = judged(severity="ticket")
    settings.SLO_TICKETS_OPEN_INCIDENTS = False
    told(slo, NOW)
    assert not Incident.objects.exists()

    slo.judgements = judged(firing=False, severity="ticket")
    told(slo, after(1))
    settings.SLO_TICKETS_OPEN_INCIDENTS = True
    slo.judgements = judged(severity="ticket")
    told(slo, after(2))

    assert Incident.objects.get().severity == "low"


def test_spent_budget_is_no_alert_of_its_own(slo: SLO) -> None:
    slo.status, slo.judgements, slo.budget_remaining = "exhausted", [], -0.5

    told(slo, NOW)

    assert not Delivery.objects.exists()


def test_source_of_breaches_steps_aside_for_a_sender_of_its_name(slo: SLO) -> None:
    AlertSource.objects.create(slug="slo")

    told(slo, NOW)

    source = AlertSource.objects.get(kind="internal")
    assert source.slug == "slo-2"
    assert Incident.objects.count() == 1
