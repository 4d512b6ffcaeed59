"""The lab's pool exhaustion: the impact of its incident against the lab's own counters."""

from __future__ import annotations

import pytest

from incidents.intake import grouping
from incidents.models import Incident
from slos import breaches
from slos.evaluating.evaluation import evaluate
from slos.impacts import assessing
from slos.models import SLO, IncidentImpact
from tests.slos.impacts.conftest import BROKEN, HEALTHY, SERVICE, Make, Truth

USERS, REVENUE = 15234, 45000.0
WITHIN = 0.05


def test_breach_is_linked_within_one_evaluation(truth: Truth, incident: Incident) -> None:
    evaluate(truth.recording.end_at)

    # six minutes say nothing yet of thirty days' budget
    found = [(breach.slo.name, breach.policy) for breach in breaches.of_incident(incident)]
    assert found == [(f"{SERVICE}-availability", "1h/5m")]


def test_breach_alone_opens_an_incident_that_has_it(truth: Truth, make_slo: Make) -> None:
    make_slo()

    evaluate(truth.recording.end_at)
    grouping.run_waiting()

    opened = Incident.objects.get()
    assert "1h/5m" in {breach.policy for breach in breaches.of_incident(opened)}


def test_numbers_match_those_by_hand(truth: Truth, incident: Incident) -> None:
    assessing.want(incident.pk)
    assert assessing.assess(incident.pk, at=truth.recording.end_at)

    during, before = truth.during, truth.before
    usual = before["bad"] / before["total"]
    failed = during["bad"] - usual * during["total"]
    share = failed / during["total"]
    of_30_days = before["total"] / (HEALTHY - 300.0) * 30 * 86400
    incident.refresh_from_db()
    told = incident.business_impact
    assert told["slos_breached"] == 1
    assert told["failed_requests"] == pytest.approx(failed, rel=WITHIN)
    assert told["users_affected"] == pytest.approx(share * USERS, rel=WITHIN)
    assert told["users_affected_low"] < told["users_affected"] <= told["users_affected_high"]
    assert told["revenue_at_risk_per_hour"] == pytest.approx(share * REVENUE, rel=WITHIN)
    assert told["revenue_at_risk_total"] == pytest.approx(
        share * REVENUE * BROKEN / 3600, rel=WITHIN
    )
    assert told["error_budget_burned_percent"] == pytest.approx(
        100 * during["bad"] / (0.001 * of_30_days), rel=WITHIN
    )
    assert told["severity"] == "critical"


def test_callers_are_told_with_how_much_they_are_hit(truth: Truth, incident: Incident) -> None:
    slo = SLO.objects.get()
    slo.pk, slo.name = None, "checkout-availability"
    slo.indicator = {k: v.replace(SERVICE, "checkout") for k, v in slo.indicator.items()}
    slo.service = slo.service.called_by.get(caller__slug="checkout").caller
    slo.save(force_insert=True)
    evaluate(truth.recording.end_at)
    assessing.want(incident.pk)

    assessing.assess(incident.pk, at=truth.recording.end_at)

    rows = IncidentImpact.objects.get().upstream
    assert [(row["service"], row["hops"], row["calls"]) for row in rows] == [
        ("checkout", 1, SERVICE),
        ("frontend", 2, "checkout"),
    ]
    assert rows[0]["failed_share_now"] > 0.02 > rows[0]["failed_share_before"]
    assert (rows[1]["failed_share_now"], rows[1]["source"]) == (
        None,
        "no SLO counts its requests, and no analysis saw its errors",
    )
