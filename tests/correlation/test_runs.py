"""Every run stays to be looked at: on the panel, by the API, on the page as it was then."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from correlation import runs
from correlation.models import Analysis, EvidenceSnapshot
from incidents import lifecycle
from incidents.models import Incident
from tests.correlation.analysed import analysed
from tests.correlation.incidents import incident as telemetry_of

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]


@pytest.fixture
def api(sam: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(sam)
    return client


def html_of(page: Client, incident: Incident, query: str = "") -> str:
    return page.get(incident.get_absolute_url() + query).content.decode()


def test_page_shows_an_earlier_run_as_it_was(page: Client, make_incident: MakeIncident) -> None:
    incident = make_incident()
    first = analysed(incident, telemetry_of("slow_db"))
    second = analysed(incident, telemetry_of("oom"))

    then = html_of(page, incident, f"?analysis={first.pk}")
    now = html_of(page, incident)

    assert (first.root_causes.get(rank=1).title in then, "An earlier look." in then) == (True, True)
    assert second.root_causes.get(rank=1).title not in then.partition('id="evidence"')[0]
    assert second.root_causes.get(rank=1).title in now
    assert ("ws-connect" in then, "ws-connect" in now) == (False, True)
    assert f"?analysis={first.pk}" in now


@pytest.mark.parametrize("analysis", ["nonsense", "2c3f18cf-e352-489a-8dc3-e6c5ded34658"])
def test_page_of_an_unknown_run_is_a_404(
    page: Client, make_incident: MakeIncident, analysis: str
) -> None:
    incident = make_incident()

    response = page.get(f"{incident.get_absolute_url()}?analysis={analysis}")

    assert response.status_code == 404


def test_page_of_a_run_of_another_incident_is_a_404(
    page: Client, make_incident: MakeIncident
) -> None:
    other = analysed(make_incident("other"), telemetry_of("oom"))

    response = page.get(f"{make_incident().get_absolute_url()}?analysis={other.pk}")

    assert response.status_code == 404


def test_panel_says_which_run_is_shown_and_which_are_superseded(
    make_incident: MakeIncident,
) -> None:
    incident = make_incident()
    first = analysed(incident, telemetry_of("slow_db"))
    second = analysed(incident, telemetry_of("oom"))

    panel = runs.context(incident, None)

    assert [run.pk for run in panel["runs"]] == [second.pk, first.pk]
    assert panel["shown"] == second
    assert [run.superseded_by_id for run in panel["runs"]] == [None, second.pk]
    assert [run.kept for run in panel["runs"]] == [True, True]


def test_panel_shows_eight_and_counts_the_rest(make_incident: MakeIncident) -> None:
    incident = make_incident()
    Analysis.objects.all().delete()
    Analysis.objects.bulk_create(Analysis(incident=incident, status="done") for _ in range(11))

    panel = runs.context(incident, None)

    assert (len(panel["runs"]), panel["more"]) == (8, 3)


def test_resolution_is_followed_by_a_last_run_outside_the_seal(
    page: Client, make_incident: MakeIncident
) -> None:
    incident = make_incident()
    analysed(incident, telemetry_of("slow_db"))
    lifecycle.resolve(incident_id=incident.pk, actor=None)
    length = incident.timeline.count()

    last = analysed(incident, telemetry_of("slow_db", since=90.0))

    assert (last.reason, last.status) == ("resolution", "done")
    assert incident.timeline.count() == length
    assert "<span>resolved</span>" in html_of(page, incident)


def test_api_lists_runs_with_their_snapshots(api: APIClient, make_incident: MakeIncident) -> None:
    incident = make_incident()
    run = analysed(incident, telemetry_of("slow_db"))
    snapshot = EvidenceSnapshot.objects.get()

    (listed,) = api.get(f"/api/incidents/{incident.reference}/analyses").json()["results"]

    top = run.root_causes.get(rank=1)
    assert (listed["id"], listed["superseded_by"], listed["requested_by"]) == (
        str(run.pk), None, None,
    )  # fmt: skip
    assert listed["first_cause"] == {
        "id": str(top.pk),
        "service": "postgres",
        "kind": "slow_dependency",
        "title": top.title,
        "confidence": top.confidence,
        "verdict": None,
    }
    assert listed["snapshot"]["replayable"] is True
    assert listed["snapshot"]["ranking_digest"] == snapshot.ranking_digest
    assert listed["snapshot"]["size_bytes"] == snapshot.size_bytes


def test_api_says_why_a_run_cannot_be_repeated(api: APIClient, make_incident: MakeIncident) -> None:
    incident = make_incident()
    analysed(incident, telemetry_of("slow_db"))
    EvidenceSnapshot.objects.update(state="expired", note="kept for 90 days.", telemetry=None)

    (listed,) = api.get(f"/api/incidents/{incident.reference}/analyses").json()["results"]

    assert listed["snapshot"]["replayable"] is False
    assert listed["snapshot"]["reason"] == "Expired: kept for 90 days."
    assert listed["snapshot"]["expires_at"] is None


@pytest.mark.parametrize("rows", [1, 3])
def test_list_and_panel_cost_the_same_queries_for_any_number(
    api: APIClient, make_incident: MakeIncident, rows: int
) -> None:
    incident = make_incident()
    for _ in range(rows):
        analysed(incident, telemetry_of("oom"))

    with CaptureQueriesContext(connection) as listing:
        api.get(f"/api/incidents/{incident.reference}/analyses")
    with CaptureQueriesContext(connection) as panel:
        runs.context(incident, None)

    assert (len(listing), len(panel)) == (4, 5)
