"""An incident's impact as it goes on: told, recomputed, frozen, and what is unknown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Role
from incidents import lifecycle
from incidents.merges import merging
from incidents.models import Incident, Service
from slos.evaluating import samples
from slos.impacts import assessing, showing
from slos.models import SLO, IncidentImpact, SLOBreach
from slos.templatetags.impact_words import budget_words
from tests.correlation import lab_backend
from tests.correlation.conftest import Backend
from tests.incidents.conftest import make_person
from tests.slos.impacts.conftest import SERVICE, Make, Truth
from timeline.models import TimelineEvent
from timeline.reporting import composing

LATENCY = {
    "kind": "latency",
    "histogram": f'http_request_duration_seconds{{service="{SERVICE}"}}',
    "seconds": 0.25,
}


def assess(incident: Incident, at: float) -> Incident:
    assessing.want(incident.pk)
    assessing.assess(incident.pk, at=at)
    incident.refresh_from_db()
    return incident


def told(incident: Incident, kind: str) -> list[str]:
    rows = TimelineEvent.objects.filter(incident=incident, kind=kind).order_by("seq")
    return list(rows.values_list("title", flat=True))


@pytest.fixture
def api(db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(make_person("vera", Role.VIEWER))
    return client


def test_slos_that_break_together_are_one_event(
    truth: Truth, incident: Incident, make_slo: Make
) -> None:
    make_slo(name="payment-latency", indicator=LATENCY, target=0.95)

    assess(incident, truth.recording.end_at)

    assert incident.business_impact["slos_breached"] == 2
    assert told(incident, "slo_breach") == ["2 SLOs breached"]
    assert set(SLOBreach.objects.values_list("severity", flat=True)) == {"page", "objective"}


def test_what_it_costs_is_told_once_until_it_changes(truth: Truth, incident: Incident) -> None:
    assess(incident, truth.recording.end_at)
    assess(incident, truth.recording.end_at)

    (title,) = told(incident, "impact")
    assert title.startswith("Impact: 9,")
    assert "USD an hour at risk" in title


def test_recovery_is_told_when_no_breach_is_open(truth: Truth, incident: Incident) -> None:
    assess(incident, truth.recording.end_at)
    slo = SLO.objects.get()
    over = truth.recording.end_at + 60
    SLOBreach.objects.update(ended_at=samples.when(over))
    slo.burn_rates["5m"] = 0.0
    slo.enabled = False  # nothing evaluates it anew
    slo.save()

    assess(incident, over + 60)

    assert told(incident, "slo_recovered") == [f"SLO recovered: {slo} of {SERVICE}"]


def test_resolution_freezes_what_was_computed_last(truth: Truth, incident: Incident) -> None:
    assess(incident, truth.recording.end_at)
    before = dict(incident.business_impact)

    lifecycle.resolve(incident_id=incident.pk, actor=None)
    assess(incident, truth.recording.end_at)

    assert incident.resolved_at is not None
    assert incident.business_impact == {
        **before,
        "frozen_at": incident.resolved_at.isoformat(),
    }


def test_reopened_incident_is_computed_again(truth: Truth, incident: Incident) -> None:
    assess(incident, truth.recording.end_at)
    lifecycle.resolve(incident_id=incident.pk, actor=None)
    lifecycle.reopen(incident_id=incident.pk, actor=None)

    assess(incident, truth.recording.end_at)

    assert incident.business_impact["frozen_at"] is None
    assert IncidentImpact.objects.get().frozen_at is None


def test_incident_without_slos_costs_the_unknown_and_not_nothing(
    truth: Truth, make_slo: Make
) -> None:
    make_slo()
    incident = lab_backend.shop_incident("inventory", None)

    assess(incident, truth.recording.end_at)

    row = IncidentImpact.objects.get()
    assert incident.business_impact is None
    assert {figure["value"] for figure in row.figures.values()} == {None}
    assert showing.context(incident, None)["state"] == "unwatched"


def test_source_that_does_not_answer_leaves_the_figures_unknown(
    truth: Truth, incident: Incident, backend: Backend
) -> None:
    backend.respond = lambda path, params: (503, "text/plain", b"out of memory")

    assess(incident, truth.recording.end_at)

    assert incident.business_impact["users_affected"] is None
    assert incident.business_impact["failed_requests"] is None
    row = IncidentImpact.objects.get()
    assert "503" in row.services[0]["figures"]["failed_requests"]["missing"]


def test_users_come_from_the_query_of_the_service(truth: Truth, incident: Incident) -> None:
    query = f'count(http_requests_total{{service="{SERVICE}"}} > -1) * 0 + 1000'
    Service.objects.filter(slug=SERVICE).update(users_query=query)

    assess(incident, truth.recording.end_at)

    share = truth.during["bad"] / truth.during["total"]
    assert incident.business_impact["users_affected"] == pytest.approx(1000 * share, rel=0.05)


def test_service_that_nobody_counts_users_of_has_unknown_users(
    truth: Truth, incident: Incident
) -> None:
    Service.objects.filter(slug=SERVICE).update(users=None, revenue_per_hour=None)

    assess(incident, truth.recording.end_at)

    summary = incident.business_impact
    assert summary["failed_requests"] > 0
    assert (summary["users_affected"], summary["revenue_at_risk_per_hour"]) == (None, None)


def test_survivor_of_a_merge_has_the_breaches_of_both(truth: Truth, incident: Incident) -> None:
    assess(incident, truth.recording.end_at)
    other = lab_backend.shop_incident("checkout", incident.started_at - timedelta(seconds=5))
    merging.merge(source_id=incident.pk, target_id=other.pk, actor=None, reason="one")

    assess(other, truth.recording.end_at)

    assert other.business_impact["slos_breached"] == 1
    assert IncidentImpact.objects.get(pk=incident.pk).frozen_at is not None


def test_lists_are_filtered_by_impact(truth: Truth, incident: Incident, api: APIClient) -> None:
    assess(incident, truth.recording.end_at)
    lab_backend.shop_incident("inventory", None)

    def found(query: str) -> list[str]:
        return [row["reference"] for row in api.get(f"/api/incidents?{query}").json()["results"]]

    assert found("slos_breached=1") == [incident.reference]
    assert found("users_affected_min=100") == [incident.reference]
    assert found("users_affected_min=100000") == []
    assert found("revenue_at_risk_min=1000") == [incident.reference]


def test_api_says_how_each_figure_was_made(
    truth: Truth, incident: Incident, api: APIClient
) -> None:
    assess(incident, truth.recording.end_at)

    answer = api.get(f"/api/incidents/{incident.reference}/impact").json()

    assert answer["summary"] == incident.business_impact
    (service,) = answer["services"]
    users = service["figures"]["users_affected"]
    assert users["formula"] == "failed_share x active_users"
    assert users["inputs"][1] == {
        "name": "active users",
        "value": 15234.0,
        "source": f"users of {SERVICE} in the catalogue",
    }
    assert answer["breaches"][0]["slo"] == f"{SERVICE}-availability"


def test_report_says_what_was_frozen_and_how_it_was_made(truth: Truth, incident: Incident) -> None:
    assess(incident, truth.recording.end_at)
    lifecycle.resolve(incident_id=incident.pk, actor=None)
    incident.refresh_from_db()

    text = composing.as_markdown(composing.compose(incident, version=1))

    assert "## Impact in figures" in text
    assert "Frozen when it was resolved" in text
    assert f"SLOs breached: 1: {SERVICE}-availability" in text
    assert "users of payment-processing in the catalogue" in text.replace("\\", "")


def test_earlier_look_shows_what_was_told_by_then(truth: Truth, incident: Incident) -> None:
    assess(incident, truth.recording.end_at)

    then = showing.context(incident, incident.started_at + timedelta(seconds=1))

    assert then["state"] == "untold"


def test_budget_that_so_little_data_cannot_tell_is_not_given_as_a_number(
    truth: Truth, incident: Incident, client: Client
) -> None:
    """Half an hour of a period of weeks would have spent its budget many times over."""
    client.force_login(make_person("vera", Role.VIEWER))

    assess(incident, truth.recording.end_at)

    slo = SLO.objects.get()
    assert slo.is_undecided
    assert (slo.budget_remaining or 0.0) < -1.0
    cell = 'data-label="Budget left">not enough data</td>'
    pages = [incident.get_absolute_url(), f"{incident.get_absolute_url()}/report"]
    assert [client.get(page).text.count(cell) for page in pages] == [1, 1]
    text = composing.as_markdown(composing.compose(incident, version=1, draft=True))
    assert text.count("| not enough data |") == 1


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ({"budget_remaining": -45.63, "budget_undecided": False}, "-4,563 %"),
        ({"budget_remaining": 0.25}, "25 %"),
        ({"budget_remaining": None}, "unknown"),
    ],
)
def test_budget_that_is_known_is_given_as_it_is(kept: dict[str, Any], words: str) -> None:
    """Impacts that were kept before say nothing of too little data."""
    assert budget_words(kept) == words
